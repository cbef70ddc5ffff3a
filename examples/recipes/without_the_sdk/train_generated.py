"""Fit y = 2x - 1 with the client that openapi-python-client writes: python train_generated.py [URL]."""

import sys

from deltawire_api import Client
from deltawire_api.api.networks import gradients
from deltawire_api.models import (
    GradientsRequest,
    GradientsRequestParams,
    Network,
    ProblemResponse,
    Tensors,
)

network = Network.from_dict(
    {
        "inputs": {"x": {"shape": [1]}, "y": {"shape": [1]}},
        "nodes": [
            {"name": "line", "kind": "linear", "inputs": ["x"], "config": {"units": 1}},
            {"name": "loss", "kind": "squared_error", "inputs": ["line", "y"]},
        ],
    }
)
data = Tensors.from_dict({"x": [[0], [1], [2]], "y": [[-1], [1], [3]]})

client = Client(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
slope = intercept = 0.0
for step in range(1, 61):
    params = GradientsRequestParams.from_dict({"line.weight": [[slope]], "line.bias": [intercept]})
    answer = gradients.sync(client=client, body=GradientsRequest(network, params=params, data=data))
    if answer is None or isinstance(answer, ProblemResponse):
        sys.exit(f"the service refused the request: {answer and answer.detail}")
    if step % 20 == 0:
        print(f"step {step}: loss {answer.loss}")
    descent = answer.gradients.params.to_dict()
    slope -= 0.3 * descent["line.weight"][0][0]
    intercept -= 0.3 * descent["line.bias"][0]
print(f"slope {slope}, intercept {intercept}")
if abs(slope - 2) > 0.01 or abs(intercept + 1) > 0.01:
    sys.exit(1)
