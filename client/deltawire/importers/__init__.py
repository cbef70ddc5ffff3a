"""Import networks of other frameworks, as a spec and its parameters.

from deltawire.importers.torch_fx import from_torch
from deltawire.importers.onnx import from_onnx
from deltawire.importers.sklearn import from_sklearn

Each returns an `Imported`, or raises Refused (`not_expressible`) and names every operation without a layer.
"""

from deltawire.importers.builder import Imported

__all__ = ["Imported"]
