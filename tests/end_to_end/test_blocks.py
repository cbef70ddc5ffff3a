"""Whole blocks of today's networks, posted to the service and computed by torch: the same numbers.

Each example is a request as a caller would post it; torch gets its parameters under torch's own names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.oracles import distance
from support.torch_layers import torch

from deltawire_service.app import create_app

pytestmark = pytest.mark.torch

EXAMPLES = Path(__file__).parents[2] / "examples"


def posted(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """An example's request, and every number of the service's answer by its place."""
    request = json.loads((EXAMPLES / f"{name}.json").read_text())
    answer = create_app().test_client().post("/v1/gradients", json=request)
    assert answer.status_code == 200, answer.text
    found = answer.json
    numbers = {"loss": found["loss"], "losses": found["losses"], "value": found["values"]["out"]}
    numbers |= {f"params/{name}": array for name, array in found["gradients"]["params"].items()}
    numbers |= {f"data/{name}": array for name, array in found["gradients"]["data"].items()}
    numbers |= {f"deltas/{name}": array for name, array in found["deltas"].items()}
    return request, {name: np.array(array) for name, array in numbers.items()}


def tensors(arrays: dict[str, Any]) -> dict[str, Any]:
    """Lists as tensors, float64 or int64, the floating ones to be differentiated by."""
    made = {name: torch.tensor(np.array(array)) for name, array in arrays.items()}
    return {name: t.requires_grad_() if t.is_floating_point() else t for name, t in made.items()}


def assert_equal(ours: dict[str, np.ndarray], theirs: dict[str, Any]) -> None:
    """Every number of both sides, within the oracle's measure."""
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        far = distance(array, theirs[name].detach().numpy())
        assert far <= 1e-10, f"{name} is {far:.1e} from torch's"


def differentiated(
    losses: Any, value: Any, params: dict[str, Any], x: Any, nodes: dict[str, Any]
) -> dict[str, Any]:
    """What the service answers, by torch: `nodes` are the values whose deltas are asked for."""
    loss = losses.mean()
    places = {f"params/{name}": w for name, w in params.items()} | {"data/x": x}
    places |= {f"deltas/{name}": node for name, node in nodes.items()}
    gradients = torch.autograd.grad(loss, list(places.values()))
    return {"loss": loss, "losses": losses, "value": value} | dict(zip(places, gradients, strict=True))


def test_transformer_block() -> None:
    """The pre-norm block of torch.nn.TransformerEncoderLayer, seen through a causal mask."""
    request, ours = posted("transformer_block")
    params, data = tensors(request["params"]), tensors(request["data"])
    width, hidden = request["network"]["inputs"]["x"]["shape"][1], len(request["params"]["linear1.bias"])
    heads = request["network"]["nodes"][1]["config"]["heads"]
    block = torch.nn.TransformerEncoderLayer(
        width, heads, hidden, dropout=0.0, activation="gelu", norm_first=True, batch_first=True,
        dtype=torch.float64,
    )  # fmt: skip
    nodes: dict[str, Any] = {}
    block.dropout1.register_forward_hook(lambda module, given, value: nodes.update(self_attn=value))
    block.norm2.register_forward_hook(lambda module, given, value: nodes.update(mixed=given[0]))
    state = {name.replace("out_proj_", "out_proj."): w for name, w in params.items()}
    assert state.keys() == block.state_dict().keys()

    out = torch.func.functional_call(block, state, data["x"], {"src_mask": data["mask"] == 0})
    losses = (out - data["target"]).square().sum(dim=(1, 2))
    assert_equal(ours, differentiated(losses, out, params, data["x"], nodes))


def test_resnet_block() -> None:
    """The basic block of He et al. (arXiv:1512.03385) with its norms in eval mode, under a classifier."""
    request, ours = posted("resnet_block")
    params, data = tensors(request["params"]), tensors(request["data"])
    functional = torch.nn.functional

    def norm(x: Any, name: str) -> Any:
        mean, var = data[f"{name}_mean"].detach(), data[f"{name}_var"].detach()
        return functional.batch_norm(x, mean, var, params[f"{name}.weight"], params[f"{name}.bias"])

    active = norm(functional.conv2d(data["x"], params["conv1.weight"], padding=1), "bn1").relu()
    total = norm(functional.conv2d(active, params["conv2.weight"], padding=1), "bn2") + data["x"]
    out = total.relu()
    scores = functional.linear(out.mean(dim=(2, 3)), params["scores.weight"], params["scores.bias"])
    losses = functional.cross_entropy(scores, data["y"], reduction="none")
    nodes = {"sum": total, "active": active}
    assert_equal(ours, differentiated(losses, out, params, data["x"], nodes))
