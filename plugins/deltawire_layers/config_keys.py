"""The keys that torch, Keras and flax have for the config of a layer, and what stands for them here."""

from __future__ import annotations

from deltawire_layers.synonyms import PADDING_GUIDE
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
        "widths": "pad padding pad_width paddings",
        "shifts": "shift",
        "factor": "upscale_factor",
        "correction": "unbiased ddof",
        "order": "ord p",
        "step": "steps stride",
        "class_weights": "weight class_weight",
        "beta": "threshold",
        "reverse": "go_backwards",
        "base": "theta rope_theta",
        "interleaved": "traditional",
        "low": "min min_val min_value a_min",
        "high": "max max_val max_value a_max",
        "per_channel": "num_parameters shared_axes",
        "exponent": "power p",
        "delta": "beta",
        "scale": "factor multiplier",
        "shift": "offset",
        "axis": "dim axes",
        "axes": "dim dims axis perm permutation",
        "shape": "target_shape new_shape newshape unflattened_size",
        "size": "output_size scale_factor",
        "mode": "interpolation",
        "last_axes": "normalized_shape",
        "start": "begin from",
        "stop": "end to",
    },
    {
        "in_features in_channels input_size input_dim input_shape in_dim in_units input_channels "
        "num_features num_channels embed_dim kdim vdim": (
            "it follows from the shapes of the inputs: leave it out"
        ),
        "activation nonlinearity recurrent_activation act activation_fn": (
            "an activation is a node of its own; those inside a recurrent layer are fixed"
        ),
        "dim dims axis axes": "its axes are fixed, as in its formula: transpose first",
        "batch_first time_major batch_size": "the batch is the first axis of all data, and part of no shape",
        "num_layers bidirectional proj_size": (
            "it is one layer in one direction: stack nodes, and concat the value of one with reverse"
        ),
        "return_sequences return_state": (
            f"its value is every state, or with last the last one; {PADDING_GUIDE} shows the last real one"
        ),
        "stateful unroll cell_type": "it starts from the states that are its further inputs, or from zeros",
        "dropout recurrent_dropout dropout_p dropout_rate attention_dropout": (
            "multiply by an input of noise, with dropout as its distribution"
        ),
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
        "weight": (
            "the numbers of a parameter go into params, as params['linear1.weight']; a weight for each "
            "example is one more input of a loss"
        ),
        "p": "its distance is the Euclidean one",
        "sample_weight": "a weight for each example is one more input of any loss",
        "pos_weight class_weight ignore_index label_smoothing zero_infinity swap": (
            "it has no such option; a weight for each example is one more input"
        ),
        "from_logits": "it takes scores, from before the sigmoid or softmax",
        "log_target full": "see its formula: compose others of exp, log and multiply",
        "beta threshold": "scale by affine, before and after",
        "mask_zero": f"padding is masked where it is read, as {PADDING_GUIDE} shows",
        "max_norm norm_type scale_grad_by_freq sparse input_length": (
            "rows are as they are in params: leave it out"
        ),
        "return_indices divisor_override": "there is one form, as in its formula",
        "ceil_mode count_include_pad": "it has no such windows",
        "recompute_scale_factor": "its size is given, not a factor",
        "dilation": "its windows have no gaps",
        "start_dim end_dim": "all axes of an example become one: reshape for others",
        "add_bias_kv add_zero_attn need_weights average_attn_weights return_attention_scores": (
            "there is one form, as in its formula"
        ),
        "key_dim value_dim output_shape": "all have the width e of the query, and a head e / heads",
        "attn_mask key_padding_mask mask attention_mask": (
            "attention and multi_head_attention take a mask as fourth input, 1 where a query sees a key; "
            f"for other layers, {PADDING_GUIDE} shows padding"
        ),
    },
)
"""What stands for a key. One that kinds have under different names leads to the name of the kind at hand."""
