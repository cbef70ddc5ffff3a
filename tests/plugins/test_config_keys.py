"""What torch and Keras call an option of a layer leads to ours, or says why there is none."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest
from support.layers import BUILT_IN

from deltawire_layers import CONFIG_KEYS
from deltawire_layers.synonyms import SYNONYMS, normalized

KERAS = {
    "linear": "units activation use_bias kernel_initializer bias_initializer kernel_regularizer "
    "bias_regularizer activity_regularizer kernel_constraint bias_constraint",
    "embedding": "input_dim output_dim embeddings_initializer embeddings_regularizer embeddings_constraint "
    "mask_zero",
    "conv2d": "filters kernel_size strides padding data_format dilation_rate groups activation use_bias "
    "kernel_initializer bias_initializer kernel_regularizer bias_regularizer kernel_constraint",
    "max_pool2d": "pool_size strides padding data_format",
    "lstm": "units activation recurrent_activation use_bias kernel_initializer recurrent_initializer dropout "
    "recurrent_dropout return_sequences return_state go_backwards stateful unroll",
    "multi_head_attention": "num_heads key_dim value_dim dropout use_bias output_shape kernel_initializer",
    "layer_norm": "axis epsilon center scale beta_initializer gamma_initializer",
    "group_norm": "groups axis epsilon center scale",
    "dropout_mask": "rate",
    "leaky_relu": "negative_slope",
    "concat": "axis",
    "reshape": "target_shape",
    "affine": "scale offset",
}


@pytest.mark.parametrize("kind", KERAS)
def test_keys_of_keras_lead_somewhere(kind: str) -> None:
    known = BUILT_IN[kind].Config().fields
    for key in KERAS[kind].split():
        assert key in known or CONFIG_KEYS.hint(key, known), key


@pytest.mark.torch
def test_keys_of_torch_lead_somewhere() -> None:
    nn = import_module("torch.nn")
    kinds = {normalized(each.name): each.kind for each in SYNONYMS if not each.note}
    kinds |= {normalized(kind): kind for kind in BUILT_IN}
    lost, keys = [], 0
    for name, module in vars(nn).items():
        if not inspect.isclass(module) or normalized(name) not in kinds or name == "RNNBase":
            continue
        known = BUILT_IN[kinds[normalized(name)]].Config().fields
        named = set(inspect.signature(module.__init__).parameters) - {"self", "args", "kwargs"}
        keys += len(named)
        lost += [
            (name, key)
            for key in named
            if key[0] != "_" and key not in known and not CONFIG_KEYS.hint(key, known)
        ]
    assert keys > 100
    assert not lost


def test_every_key_of_ours_exists() -> None:
    ours = {key for layer in BUILT_IN.values() for key in layer.Config().fields}
    assert set(CONFIG_KEYS.same) <= ours


def test_no_key_of_a_kind_is_renamed() -> None:
    for kind, layer in BUILT_IN.items():
        known = layer.Config().fields
        for key in known:
            assert CONFIG_KEYS.hint(key, known) == f"; here it is '{key}'", kind
