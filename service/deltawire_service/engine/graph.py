"""A compiled graph: nodes in an order of computation, every shape and parameter known. Data only,
immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deltawire_layers import Layer, Parameter, Shape
from deltawire_service.engine.limits import Limits


@dataclass(frozen=True)
class InputSpec:
    """An input of the network: the shape of one example; `dtype` is 'float' or 'int64'."""

    shape: Shape
    dtype: str
    shared: bool
    range: range | None = None
    """The integers allowed, when the layers that take this input bound them."""


@dataclass(frozen=True)
class Node:
    """A place in the network: a layer with its inputs and shapes resolved."""

    name: str
    kind: str
    place: int
    """Index in the spec's list of nodes."""
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    shape: Shape
    parameters: Mapping[str, str]
    """The layer's parameter names -> the network's (`weight` -> `hidden.weight`, another node's when
    tied)."""
    saved: int


@dataclass(frozen=True)
class Regularization:
    """(λ/2)·ΣW² over the named parameters."""

    l2: float = 0.0
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Graph:
    """A network without its computations: what the rest of the engine reads."""

    spec: Mapping[str, Any]
    inputs: Mapping[str, InputSpec]
    nodes: Mapping[str, Node]
    """In an order of computation."""
    parameters: Mapping[str, Parameter]
    loss: Mapping[str, float]
    """The loss nodes and their weights; empty when the spec names none and its last node is none."""
    regularization: Regularization
    limits: Limits
    id: str
    """SHA-256 of the canonical spec, in hex."""
