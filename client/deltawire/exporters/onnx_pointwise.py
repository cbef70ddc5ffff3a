"""Translate functions of one number, with options, to ONNX operators."""

from __future__ import annotations

from deltawire.exporters.onnx_kinds import Place, kind


@kind("clip")
def clip(at: Place, low: float | None = None, high: float | None = None, at_bounds: int = 1) -> None:
    bounds = ["" if bound is None else at.constants(bound) for bound in (low, high)]
    at.end("Clip", at.spread(0), *bounds)


@kind("log")
def log(at: Place, low: float | None = None) -> None:
    if low is None:
        at.end("Log", at.spread(0))
    else:
        at.end("Max", at.put("Log", at.spread(0)), at.constants(low))


@kind("gelu")
def gelu(at: Place, approximate: str = "none") -> None:
    at.end("Gelu", at.spread(0), approximate=approximate)


@kind("hardsigmoid")
def hardsigmoid(at: Place, alpha: float = 1 / 6, beta: float = 0.5) -> None:
    at.end("HardSigmoid", at.spread(0), alpha=alpha, beta=beta)


@kind("prelu")
def prelu(at: Place, per_channel: bool = False) -> None:
    slope = at.param("weight")
    if per_channel and len(at.shape()) > 1:
        slope = at.put("Unsqueeze", slope, at.axes(*range(1, len(at.shape()))))
    at.end("PRelu", at.spread(0), slope)


@kind("glu")
def glu(at: Place, axis: int = -1) -> None:
    x, half = at.spread(0), at.shape()[axis] // 2
    along = at.axes(axis % len(at.shape()) + 1)
    value = at.put("Slice", x, at.axes(0), at.axes(half), along)
    gate = at.put("Slice", x, at.axes(half), at.axes(2 * half), along)
    at.end("Mul", value, at.put("Sigmoid", gate))
