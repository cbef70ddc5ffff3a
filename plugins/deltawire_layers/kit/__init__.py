"""The conformance kit: check a layer against every rule of the contract."""

from deltawire_layers.kit.conformance import check_layer
from deltawire_layers.kit.declared import fitting_shapes
from deltawire_layers.kit.errors import ConformanceError

__all__ = ["ConformanceError", "check_layer", "fitting_shapes"]
