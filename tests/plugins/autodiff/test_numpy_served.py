"""A function of numpy over the service: every derivative equals that of HIPS autograd on the whole loss."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import Any

import autograd.numpy as along
import numpy as np
import pytest
from autograd import grad, make_jvp
from support.forward_served import ask
from support.layers import registry
from support.oracles import distance
from werkzeug.serving import make_server

from deltawire_layers import Parameter
from deltawire_layers.autodiff import from_numpy
from deltawire_layers.initializers import fan_in
from deltawire_service.app import create_app
from deltawire_service.settings import Settings


def swish(params: Any, x: Any) -> Any:
    """y = W x ∘ tanh(V x)"""
    return (x @ params["weight"].T) * np.tanh(x @ params["gate"].T)


def oracle(params: Any, x: Any) -> Any:
    return along.dot(x, params["weight"].T) * along.tanh(along.dot(x, params["gate"].T))


def matrices(x: tuple[int, ...]) -> dict[str, Parameter]:
    return {name: Parameter((2, x[-1]), fan_in(x[-1])) for name in ("weight", "gate")}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    app = create_app(Settings(log_level="error"), registry(swish=from_numpy(swish, parameters=matrices)))
    with make_server("127.0.0.1", 0, app, threaded=True) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_derivatives(url: str) -> None:
    served = ask(url, "swish", (3,))
    names = [*served.params, "x"]
    arrays = tuple((served.params | served.data)[name] for name in names)
    vectors = tuple(served.vectors[name] for name in names)

    def value(arrays: Any) -> Any:
        params = {name.removeprefix("layer."): arrays[place] for place, name in enumerate(served.params)}
        return oracle(params, arrays[len(params)])

    def loss(arrays: Any) -> Any:
        return along.sum(value(arrays) ** 2)

    y, slope = make_jvp(value)(arrays)(vectors)
    first, second = make_jvp(grad(loss))(arrays)(vectors)
    assert served.passed
    assert served.loss == pytest.approx(loss(arrays), rel=1e-12)
    assert distance(served.value, y) < 1e-10
    assert distance(served.slope, slope) < 1e-10
    for name, one, two in zip(names, first, second, strict=True):
        assert distance(served.gradients[name], one) < 1e-10, name
        assert distance(served.curved[name], two) < 1e-10, name
