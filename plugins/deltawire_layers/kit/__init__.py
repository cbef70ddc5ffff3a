"""The conformance kit: check a layer against every rule of the contract."""

from deltawire_layers.kit.conformance import check_layer
from deltawire_layers.kit.trial import ConformanceError

__all__ = ["ConformanceError", "check_layer"]
