"""Networks made elsewhere, as a spec and its parameters.

from deltawire.importers.torch_fx import from_torch
from deltawire.importers.onnx import from_onnx
from deltawire.importers.sklearn import from_sklearn

Each gives an `Imported`, or raises Refused (`not_expressible`) and names what no layer can stand for.
"""

from deltawire.importers.builder import Imported

__all__ = ["Imported"]
