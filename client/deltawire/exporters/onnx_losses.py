"""Translate losses to ONNX operators: one number per example."""

from __future__ import annotations

from deltawire.exporters.onnx_kinds import Place, kind


@kind("squared_error")
def squared_error(at: Place) -> None:
    error = at.put("Sub", at.spread(0), at.spread(1))
    at.total(at.put("Mul", error, error), len(at.shape()))


@kind("huber")
def huber(at: Place, delta: float = 1.0) -> None:
    error = at.put("Sub", at.spread(0), at.spread(1))
    clipped = at.put("Clip", error, at.constant(-delta), at.constant(delta))
    half = at.put("Mul", clipped, at.constant(0.5))
    at.total(at.put("Mul", clipped, at.put("Sub", error, half)), len(at.shape()))


@kind("max_margin")
def max_margin(at: Place, margin: float = 1.0) -> None:
    apart = at.put("Sub", at.spread(1), at.spread(0))
    at.total(at.put("Relu", at.put("Add", apart, at.constant(margin))), len(at.shape()))


@kind("binary_nll")
def binary_nll(at: Place) -> None:
    score = at.spread(0)  # the loss is softplus(x) − t x
    product = at.put("Mul", at.spread(1), score)
    at.total(at.put("Sub", at.put("Softplus", score), product), len(at.shape()))


@kind("nll")
def nll(at: Place) -> None:
    _picked(at, at.spread(0))


@kind("softmax_nll")
def softmax_nll(at: Place) -> None:
    _picked(at, at.put("LogSoftmax", at.spread(0), axis=-1))


def _picked(at: Place, log_probabilities: str) -> None:
    """Add the last nodes: −Σ x[label]."""
    label = at.put("Unsqueeze", at.spread(1), at.axes(-1))
    chosen = at.put("GatherElements", log_probabilities, label, axis=len(at.shape()))
    at.total(at.put("Neg", chosen), len(at.shape()))


@kind("kl_divergence")
def kl_divergence(at: Place) -> None:
    target = at.spread(1)  # t log t is 0 at t = 0: take the logarithm of 1 there
    zero = at.put("Equal", target, at.constant(0))
    logarithm = at.put("Log", at.put("Where", zero, at.constant(1), target))
    at.total(at.put("Mul", target, at.put("Sub", logarithm, at.spread(0))), len(at.shape()))


@kind("cosine_distance")
def cosine_distance(at: Place) -> None:
    a, b = at.spread(0), at.spread(1)
    sizes = [at.put("ReduceL2", x, at.axes(-1), keepdims=0) for x in (a, b)]
    product = at.put("Mul", *sizes)
    zero = at.put("Equal", product, at.constant(0))  # a vector of zeros is at distance 1 of any other
    inner = at.put("ReduceSum", at.put("Mul", a, b), at.axes(-1), keepdims=0)
    cosine = at.put("Div", inner, at.put("Where", zero, at.constant(1), product))
    at.total(at.put("Sub", at.constant(1), cosine), len(at.shape()) - 1)
