"""The client of deltawire: gradients of a network on a batch, from a service or in this process.

from deltawire import Client, Network
"""

from importlib.metadata import version

from deltawire import optim
from deltawire.client import Client
from deltawire.datasets.dataset import Dataset
from deltawire.datasets.rows import DatasetRows
from deltawire.errors import (
    ConnectionLost,
    DeltawireError,
    Fault,
    NotInstalled,
    PluginFailed,
    Refused,
    ServiceFailed,
    TimedOut,
    Unreachable,
)
from deltawire.models.model import Model
from deltawire.models.results import Checkpoint, ModelChange, StepResult
from deltawire.models.version import ModelVersion
from deltawire.network import Handle, Network
from deltawire.published import Published
from deltawire.responses import Gradients
from deltawire.retries import Retries
from deltawire.runs.metrics import RunMetrics
from deltawire.runs.run import Run
from deltawire.tables.table import Table
from deltawire.transport import EmbeddedTransport, HTTPTransport, Transport, WSGITransport

__version__ = version("deltawire")

__all__ = [
    "Checkpoint", "Client", "ConnectionLost", "Dataset", "DatasetRows", "DeltawireError", "EmbeddedTransport",
    "Fault", "Gradients", "HTTPTransport", "Handle", "Model", "ModelChange", "ModelVersion", "Network",
    "NotInstalled", "PluginFailed", "Published", "Refused", "Retries", "Run", "RunMetrics", "ServiceFailed",
    "StepResult", "Table", "TimedOut", "Transport", "Unreachable", "WSGITransport", "optim",
]  # fmt: skip
