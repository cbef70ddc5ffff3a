"""Networks and their parameters, as other frameworks keep them.

from deltawire.exporters.torch import to_state_dict
from deltawire.exporters.onnx import to_onnx
"""
