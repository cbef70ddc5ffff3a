"""What one would otherwise write: Flask routes, with nothing in them, and with torch."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Flask, Response, jsonify, request


def empty() -> Flask:
    app = Flask(__name__)

    @app.post("/")
    def nothing() -> Response:
        return Response(b"{}", mimetype="application/json")

    return app


SHAPES = {
    "z1.weight": (512, 784), "z1.bias": (512,), "z2.weight": (256, 512), "z2.bias": (256,),
    "z3.weight": (10, 256), "z3.bias": (10,),
}  # fmt: skip


def compute(params: dict[str, Any], x: Any, y: Any) -> tuple[float, dict[str, Any]]:
    """Loss and gradients of 784-512-256-10 with sigmoids, by torch."""
    import torch

    for parameter in params.values():
        parameter.requires_grad_()
    for place in (1, 2, 3):
        x = torch.nn.functional.linear(x, params[f"z{place}.weight"], params[f"z{place}.bias"])
        x = torch.sigmoid(x) if place < 3 else x
    loss = torch.nn.functional.cross_entropy(x, y)
    return loss.item(), dict(zip(params, torch.autograd.grad(loss, list(params.values())), strict=True))


def with_torch() -> Flask:
    """The same as JSON lists at /json, as torch.save at /torch."""
    import torch

    torch.set_num_threads(1)
    app = Flask(__name__)

    @app.post("/json")
    def lists() -> Response:
        sent = request.get_json()
        params = {name: torch.tensor(values) for name, values in sent["params"].items()}
        loss, gradients = compute(params, torch.tensor(sent["data"]["x"]), torch.tensor(sent["data"]["y"]))
        return jsonify(loss=loss, gradients={name: array.tolist() for name, array in gradients.items()})

    @app.post("/torch")
    def saved() -> Response:
        sent = torch.load(BytesIO(request.get_data()))
        answer = BytesIO()
        torch.save(compute(sent["params"], sent["data"]["x"], sent["data"]["y"]), answer)
        return Response(answer.getvalue())

    return app
