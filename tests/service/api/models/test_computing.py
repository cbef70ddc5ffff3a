"""The compute routes on a model give the answers of the routes without one, bit for bit."""

from __future__ import annotations

from typing import Any

import pytest
from support.http_models import DATA, SPEC, DescribedClient, code, step

REQUESTS: dict[str, dict[str, Any]] = {
    "gradients": {"wrt": {"data": ["x"]}, "values": ["scores"], "deltas": ["active"], "losses": True},
    "forward": {"values": ["scores", "loss"]},
    "vjp": {"cotangents": {"scores": [[1, 2, 3]] * 5}, "values": ["hidden"]},
    "jvp": {"tangents": {"data": {"x": [[1, 0, 0, 0]] * 5}}, "outputs": ["scores"]},
    "jacobian": {"outputs": ["scores"], "wrt": {"data": ["x"]}},
    "hvp": {"vectors": {"params": {"scores.bias": [1, 0, 0]}}, "quadratic": True, "diagonal": {}},
    "check": {"samples": 3, "wrt": {"data": False}},
}


def test_every_route_computes_alike_at_every_version(client: DescribedClient) -> None:
    step(client)
    for version in (None, 0, 1):
        query = "" if version is None else f"?version={version}"
        params = client.get(f"/v1/models/model/params{query}").json["params"]
        for route, options in REQUESTS.items():
            own = client.post(f"/v1/models/model/{route}", json={"data": DATA, "version": version} | options)
            plain = {"network": SPEC, "params": params, "data": DATA} | options
            expected = client.post(f"/v1/{route}", json=plain).json
            at = 1 if version is None else version
            assert own.json == expected | {"model": {"name": "model", "version": at, "step": at}}, route
    own = client.post("/v1/models/model/plan", json={"batch": 7}).json
    expected = client.post("/v1/plan", json={"network": SPEC, "batch": 7}).json
    assert (own["nodes"], own["network_id"]) == (expected["nodes"], expected["network_id"])


@pytest.mark.parametrize(
    "changes, pointer, problem",
    [
        ({"network": SPEC}, "/network", "field_unknown"),
        ({"params": {}}, "/params", "field_unknown"),
        ({"dtype": "float32"}, "/dtype", "dtype_mismatch"),
        ({"dtype": None}, "/dtype", "dtype_mismatch"),
        ({"version": -1}, "/version", "field_invalid"),
        ({"version": 2**70}, "/version", "field_invalid"),
        ({"version": "x"}, "/version", "field_invalid"),
        ({"version": 1}, "/version", "version_not_found"),
        ({"more": 1}, "/more", "field_unknown"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_place(
    unchanged: DescribedClient, changes: dict[str, Any], pointer: str, problem: str
) -> None:
    request = {"data": DATA, "values": ["scores"]} | changes
    assert code(unchanged.post("/v1/models/model/forward", json=request), pointer) == problem
