"""The keys that torch, Keras and flax have for the config of a layer, and what stands for them here."""

from __future__ import annotations

from deltawire_plugins.foreign_keys import ForeignKeys

CONFIG_KEYS = ForeignKeys(
    {
        "units": "out_features features output_dim output_size out_dim hidden_size hidden_dim num_units",
        "channels": "out_channels filters features output_channels num_filters",
        "rows": "num_embeddings input_dim vocab_size vocabulary_size",
        "width": "embedding_dim output_dim features embed_dim",
        "kernel": "kernel_size pool_size window_shape window_size",
        "stride": "strides window_strides",
        "padding": "pad pads",
        "dilation": "dilation_rate kernel_dilation",
        "groups": "num_groups feature_group_count",
        "heads": "num_heads n_heads nhead num_attention_heads",
        "causal": "is_causal use_causal_mask",
        "bias": "use_bias with_bias",
        "affine": "elementwise_affine use_scale use_bias bias scale center",
        "eps": "epsilon variance_epsilon",
        "p": "rate prob drop_prob dropout_rate dropout",
        "slope": "negative_slope alpha",
        "exponent": "power p",
        "delta": "beta",
        "scale": "factor multiplier",
        "shift": "offset",
        "axis": "dim axes",
        "axes": "dim dims axis perm permutation",
        "shape": "target_shape new_shape newshape unflattened_size size",
        "start": "begin from",
        "stop": "end to",
    },
    {
        "in_features in_channels input_size input_dim input_shape in_dim in_units input_channels "
        "num_features num_channels normalized_shape embed_dim kdim vdim": (
            "it follows from the shapes of the inputs: leave it out"
        ),
        "activation nonlinearity recurrent_activation act activation_fn": (
            "an activation is a node of its own; those inside a recurrent layer are fixed"
        ),
        "dim dims axis axes": "its axes are fixed, as in its formula: transpose first",
        "batch_first time_major batch_size": "the batch is the first axis of all data, and part of no shape",
        "num_layers bidirectional return_sequences return_state go_backwards stateful "
        "proj_size unroll cell_type": (
            "it is one layer in one direction over (steps, n), with every state: stack, slice or concat nodes"
        ),
        "dropout recurrent_dropout dropout_p dropout_rate attention_dropout": "add a dropout_mask node",
        "padding_mode data_format dimension_numbers": (
            "channels come before the places of an image, and places outside are empty"
        ),
        "init initializer kernel_initializer bias_initializer embeddings_initializer recurrent_initializer "
        "beta_initializer gamma_initializer scale_init bias_init kernel_init embedding_init weight_init": (
            "init_scale scales the first numbers of the parameters; send others in params"
        ),
        "kernel_regularizer bias_regularizer embeddings_regularizer recurrent_regularizer "
        "activity_regularizer weight_decay": "a penalty stands beside the nodes, in regularization",
        "kernel_constraint bias_constraint embeddings_constraint recurrent_constraint": (
            "there are no constraints: change the parameters after each step"
        ),
        "dtype device param_dtype precision": "the dtype is that of the request",
        "trainable frozen requires_grad": "wrt of the request chooses what gets a gradient",
        "inplace": "leave it out: nothing is changed in place",
        "bias use_bias": "its biases are always there, or it has none: see its parameters",
        "momentum track_running_stats": "its statistics are data, which the caller keeps",
        "reduction size_average reduce": (
            "an example's loss is a sum, and the reduction over examples is an option of the request"
        ),
        "weight pos_weight class_weight sample_weight ignore_index label_smoothing zero_infinity": (
            "there are no weights: send them as data, and multiply the losses"
        ),
        "from_logits": "it takes scores, from before the sigmoid or softmax",
        "log_target log_input full": "see its formula: compose others of exp, log and multiply",
        "approximate": "see its formula: there is one form",
        "beta threshold": "scale by affine, before and after",
        "padding_idx mask_zero": "padding is masked where it is read: docs/python.md shows how",
        "max_norm norm_type scale_grad_by_freq sparse input_length": (
            "rows are as they are in params: leave it out"
        ),
        "ceil_mode return_indices count_include_pad divisor_override": "there is one form, as in its formula",
        "dilation": "its windows have no gaps",
        "start_dim end_dim": "all axes of an example become one: reshape for others",
        "add_bias_kv add_zero_attn need_weights average_attn_weights return_attention_scores": (
            "there is one form, as in its formula"
        ),
        "key_dim value_dim output_shape": "all have the width e of the query, and a head e / heads",
        "attn_mask key_padding_mask mask attention_mask": "a mask is its fourth input",
    },
)
"""What stands for a key. One that kinds have under different names leads to the name of the kind at hand."""
