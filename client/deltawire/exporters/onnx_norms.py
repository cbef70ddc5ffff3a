"""Translate norms to ONNX operators."""

from __future__ import annotations

import numpy as np

from deltawire.exporters.onnx_kinds import Place, Shape, kind


@kind("layer_norm")
def layer_norm(
    at: Place, eps: float = 1e-5, affine: bool = True, bias: bool = True, last_axes: int = 1
) -> None:
    shape = at.shape()[-last_axes:]
    scale = at.param("weight") if affine else at.constant(np.ones(shape))
    shift = [at.param("bias")] if affine and bias else []
    at.end("LayerNormalization", at.spread(0), scale, *shift, axis=-last_axes, epsilon=eps)


@kind("rms_norm")
def rms_norm(at: Place, eps: float = 1e-5, affine: bool = True, last_axes: int = 1) -> None:
    scale = at.param("weight") if affine else at.constant(np.ones(at.shape()[-last_axes:]))
    at.end("RMSNormalization", at.spread(0), scale, axis=-last_axes, epsilon=eps)


@kind("group_norm")
def group_norm(at: Place, groups: int, eps: float = 1e-5, affine: bool = True) -> None:
    scale, bias = _affine_or_plain(at, affine, at.shape()[:1])
    at.end("GroupNormalization", at.spread(0), scale, bias, num_groups=groups, epsilon=eps)


@kind("instance_norm")
def instance_norm(at: Place, eps: float = 1e-5, affine: bool = True) -> None:
    if len(at.shape()) < 2:
        at.refuse("has channels without places: in ONNX each has at least one axis of them")
    scale, bias = _affine_or_plain(at, affine, at.shape()[:1])
    at.end("InstanceNormalization", at.spread(0), scale, bias, epsilon=eps)


@kind("batch_norm")
def batch_norm(at: Place, eps: float = 1e-5, affine: bool = True) -> None:
    if not at.shared.issuperset(at.inputs[1:]):
        at.refuse("statistics of each example: in ONNX they are those of all")
    scale, bias = _affine_or_plain(at, affine, at.shape()[:1])
    at.end("BatchNormalization", at.spread(0), scale, bias, *at.inputs[1:], epsilon=eps)


def _affine_or_plain(at: Place, affine: bool, width: Shape) -> tuple[str, str]:
    if affine:
        return at.param("weight"), at.param("bias")
    return at.constant(np.ones(width)), at.constant(np.zeros(width))
