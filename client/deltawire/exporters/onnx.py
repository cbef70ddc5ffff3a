"""Export a network and its parameters as an ONNX model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from deltawire.arguments.kinds import list_of_names
from deltawire.client import Client
from deltawire.errors import Fault, Refused, missing_extra
from deltawire.network import Network
from deltawire.network.inputs import sent
from deltawire.wire import Array

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ModuleNotFoundError as error:
    raise missing_extra("onnx", error) from error

from deltawire.exporters import (  # noqa: F401 (they register their kinds)
    onnx_blocks,
    onnx_losses,
    onnx_norms,
    onnx_pointwise,
    onnx_pooling,
    onnx_shapes,
)
from deltawire.exporters.onnx_kinds import KINDS, Place

OPSET = 23
"""The first opset with RMSNormalization."""

IR_VERSION = 11
"""The IR version of ONNX 1.18, the first release with this opset."""


def to_onnx(
    network: Network | Mapping[str, Any],
    params: Mapping[str, Array],
    constants: Mapping[str, Array] | None = None,
    outputs: Iterable[str] = (),
    *,
    dtype: str = "float32",
    client: Client | None = None,
) -> onnx.ModelProto:
    """Export chosen nodes of a network as a model with the batch axis `batch`.

    Args:
        network: The network, or its spec.
        params: Its parameters by name, all of one dtype. They become initializers of the same names.
        constants: Arrays of shared inputs by name. They become initializers too; the other shared inputs
            stay inputs without a batch axis.
        outputs: The names of the nodes to export; by default, those that no other node takes.
        dtype: The floating-point dtype of the model when the network has no parameters.
        client: The client that plans the network; by default, an embedded one.

    Returns:
        The model, validated by ONNX's checker.

    Raises:
        Refused: ONNX has no operators for some kinds (code `not_expressible`, one fault for each node).
    """
    spec = network.spec() if isinstance(network, Network) else dict(network)
    nodes = (client or Client()).plan(spec)["nodes"]
    written = Network.from_spec(spec).spec()["nodes"]
    entries = {entry["name"]: entry for entry in written}
    taken = {name for node in nodes for name in node["inputs"]}
    wanted = list_of_names("/outputs", outputs) or [
        node["name"] for node in nodes if node["name"] not in taken
    ]
    nodes = _leading_to(wanted, nodes)
    stored = {**params, **(constants or {})}
    own = next((array.dtype for array in params.values()), np.dtype(dtype))
    # Nothing is drawn in a model of ONNX: noise is a constant there, its mean.
    stored |= {
        name: np.full(slot["shape"], float("dropout" in slot["noise"]), own)
        for name, slot in spec["inputs"].items()
        if "noise" in slot
    }
    shapes = {name: tuple(slot["shape"]) for name, slot in spec["inputs"].items()}
    shapes |= {node["name"]: tuple(node["shape"]) for node in nodes}

    # The inputs without a batch axis: shared ones, parameters and noise.
    shared = {name for name, slot in spec["inputs"].items() if slot.get("shared") or not sent(slot)}
    alike = {*shared}

    graph: list[onnx.NodeProto] = []
    initializers: dict[str, Array] = {}
    faults = []
    for node in nodes:
        entry = entries[node["name"]]
        if node["kind"] not in KINDS:
            detail = f"node '{node['name']}' ({node['kind']}): ONNX has no operators for this kind"
            faults.append(Fault("", "not_expressible", detail))
            continue
        place = Place(node["name"], entry, node["inputs"], shapes, stored, own, graph, initializers)
        place.shared, place.alike = shared, alike
        if alike.issuperset(node["inputs"]):
            alike.add(node["name"])
        try:
            config = {key: value for key, value in entry.get("config", {}).items() if key != "init_scale"}
            KINDS[node["kind"]](place, **config)  # the first numbers leave no trace in a model
        except Refused as refused:
            faults.extend(refused.faults)
    if faults:
        raise Refused(faults)

    used = {name for node in graph for name in node.input}
    inputs = [_input(name, slot, own) for name, slot in spec["inputs"].items() if name in used - {*stored}]
    initializers |= {name: array for name, array in stored.items() if name in used}
    kind = helper.np_dtype_to_tensor_dtype(own)
    given = [helper.make_tensor_value_info(name, kind, ["batch", *shapes[name]]) for name in wanted]
    tensors = [
        numpy_helper.from_array(np.asarray(array, order="C"), name) for name, array in initializers.items()
    ]
    model = helper.make_model(
        helper.make_graph(graph, "network", inputs, given, tensors),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="deltawire",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _leading_to(wanted: Iterable[str], nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the wanted nodes and their ancestors, in order."""
    needed = set(wanted)
    for node in reversed(nodes):
        if node["name"] in needed:
            needed |= set(node["inputs"])
    return [node for node in nodes if node["name"] in needed]


def _input(name: str, slot: Mapping[str, Any], dtype: np.dtype[Any]) -> onnx.ValueInfoProto:
    integers = slot.get("dtype") == "int64"
    kind = TensorProto.INT64 if integers else helper.np_dtype_to_tensor_dtype(dtype)
    shape = list(slot["shape"])
    return helper.make_tensor_value_info(name, kind, shape if slot.get("shared") else ["batch", *shape])
