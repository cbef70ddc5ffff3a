"""Networks of norms and of attention, for derivatives of second order, and jax's operations for them."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from benchmarks.engine.cases import Arrays, Case, linear_parameters, node, squared_error

HEADS = 4
TOKENS = 64


def norm_stack(batch: int, blocks: int, width: int) -> Case:
    """Blocks gelu(layer_norm(W x + b)), one after the other, and the squared error."""
    nodes, parameters, last = [], {}, "x"
    for place in range(blocks):
        nodes += [
            node("linear", f"z{place}", last, units=width),
            node("layer_norm", f"n{place}", f"z{place}"),
            node("gelu", f"a{place}", f"n{place}"),
        ]
        parameters |= linear_parameters(f"z{place}", width, width) | norm_parameters(f"n{place}", width)
        last = f"a{place}"
    return squared_error("norms", batch, nodes, parameters, width, last)


class GptBlock(Case):
    """Causal attention, then two linear layers, each with a norm before it and a short circuit beside it."""

    def arrays(self, dtype: str) -> tuple[Arrays, Arrays]:
        """Parameters and data, with the mask by which a token sees itself and those before it."""
        params, data = super().arrays(dtype)
        return params, data | {"mask": np.tril(np.ones((TOKENS, TOKENS), np.int64))}


def gpt_block(batch: int, width: int) -> Case:
    """The block of GPT-2, and the squared error."""
    attention = {
        "attention.in_proj_weight": (3 * width, width),
        "attention.in_proj_bias": (3 * width,),
        "attention.out_proj_weight": (width, width),
        "attention.out_proj_bias": (width,),
    }
    nodes = [
        node("layer_norm", "norm1", "x"),
        node("multi_head_attention", "attention", "norm1", "norm1", "norm1", "mask", heads=HEADS),
        node("add", "mixed", "x", "attention"),
        node("layer_norm", "norm2", "mixed"),
        node("linear", "wide", "norm2", units=4 * width),
        node("gelu", "active", "wide"),
        node("linear", "narrow", "active", units=width),
        node("add", "out", "mixed", "narrow"),
        node("squared_error", "loss", "out", "y"),
    ]
    parameters = (
        norm_parameters("norm1", width)
        | attention
        | norm_parameters("norm2", width)
        | linear_parameters("wide", 4 * width, width)
        | linear_parameters("narrow", width, 4 * width)
    )
    inputs = {name: {"shape": [TOKENS, width]} for name in ("x", "y")}
    mask = {"shape": [TOKENS, TOKENS], "dtype": "int64", "shared": True}
    return GptBlock("gpt", batch, {"inputs": inputs | {"mask": mask}, "nodes": nodes}, parameters, classes=2)


def norm_parameters(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def jax_operations() -> dict[str, Any]:
    """Return jax's operations by kind, beside those of the cases."""
    import jax
    from jax import numpy as jnp

    def layer_norm(x: Any, weight: Any, bias: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        return weight * centred / jnp.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) + bias

    def attention(query: Any, key: Any, value: Any, mask: Any, W: Any, b: Any, out: Any, bias: Any) -> Any:
        def heads(x: Any, rows: Any, shift: Any) -> Any:
            y = x @ rows.T + shift
            return y.reshape(*y.shape[:-1], HEADS, -1).swapaxes(-2, -3)

        q, k, v = (
            heads(*each) for each in zip((query, key, value), jnp.split(W, 3), jnp.split(b, 3), strict=True)
        )
        scores = jnp.where(mask, q @ k.swapaxes(-1, -2) / sqrt(q.shape[-1]), -jnp.inf)
        mixed = (jax.nn.softmax(scores) @ v).swapaxes(-2, -3)
        return mixed.reshape(query.shape) @ out.T + bias

    return {
        "layer_norm": layer_norm,
        "multi_head_attention": attention,
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "squared_error": lambda x, y: ((x - y) ** 2).reshape(len(x), -1).sum(axis=1),
    }


BLOCKS = [norm_stack(64, 8, 256), gpt_block(4, 128)]
