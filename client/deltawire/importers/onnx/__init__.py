"""Import an ONNX model: `from_onnx(model)`."""

from deltawire.importers.onnx.importer import from_onnx

__all__ = ["from_onnx"]
