"""The face for plugin authors: the contract of a layer, helpers, the registry and the conformance kit."""

from deltawire_layers import initializers, shapes
from deltawire_layers.kit import ConformanceError, check_layer
from deltawire_layers.layer import (
    Activation,
    Arity,
    Array,
    Equation,
    Formula,
    Initializer,
    Layer,
    LayerError,
    Parameter,
    Shape,
    arity,
    identity,
)
from deltawire_layers.numeric import analytic, branches, pieces, products, sums
from deltawire_layers.registry import Registry, load_layers
from deltawire_plugins import RegistryError, config

__all__ = [
    "Activation",
    "Arity",
    "Array",
    "ConformanceError",
    "Equation",
    "Formula",
    "Initializer",
    "Layer",
    "LayerError",
    "Parameter",
    "Registry",
    "RegistryError",
    "Shape",
    "analytic",
    "arity",
    "branches",
    "check_layer",
    "config",
    "identity",
    "initializers",
    "load_layers",
    "pieces",
    "products",
    "shapes",
    "sums",
]
