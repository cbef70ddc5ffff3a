"""The face for plugin authors: the contract of a layer, helpers, the registry and the conformance kit."""

from deltawire_layers import breaches, gates, initializers, shapes
from deltawire_layers.config_keys import CONFIG_KEYS
from deltawire_layers.deadlines import (
    DeadlineExceeded,
    call_until,
    check_deadline,
    current_deadline,
    set_deadline,
)
from deltawire_layers.kit import ConformanceError, check_layer, fitting_shapes
from deltawire_layers.layer import (
    CALL,
    NUMBER,
    ROUNDING,
    Activation,
    Arity,
    Array,
    Equation,
    Formula,
    Initializer,
    Integers,
    Layer,
    LayerError,
    Parameter,
    Shape,
    Work,
    arity,
    config_schema,
    identity,
)
from deltawire_layers.locking import lock, read_only
from deltawire_layers.numeric import (
    analytic,
    branches,
    kernels,
    lengths,
    products,
    sharing,
    sums,
)
from deltawire_layers.numeric.multiplication import blas, pieces
from deltawire_layers.registry import Registry, load_layers
from deltawire_layers.synonyms import SYNONYMS, Synonym, find_synonym
from deltawire_plugins import RegistryError, config

__all__ = [
    "Activation",
    "Arity",
    "Array",
    "CALL",
    "CONFIG_KEYS",
    "ConformanceError",
    "DeadlineExceeded",
    "Equation",
    "Formula",
    "Initializer",
    "Integers",
    "Layer",
    "LayerError",
    "NUMBER",
    "Parameter",
    "ROUNDING",
    "Registry",
    "RegistryError",
    "SYNONYMS",
    "Shape",
    "Synonym",
    "Work",
    "analytic",
    "arity",
    "blas",
    "branches",
    "breaches",
    "call_until",
    "check_deadline",
    "check_layer",
    "config",
    "config_schema",
    "current_deadline",
    "find_synonym",
    "fitting_shapes",
    "gates",
    "identity",
    "initializers",
    "kernels",
    "lengths",
    "load_layers",
    "lock",
    "pieces",
    "products",
    "read_only",
    "set_deadline",
    "shapes",
    "sharing",
    "sums",
]
