"""Export networks and their parameters to other frameworks.

from deltawire.exporters.torch import to_state_dict
from deltawire.exporters.onnx import to_onnx
"""
