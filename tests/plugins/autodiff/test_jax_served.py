"""Functions of jax served by gunicorn: every derivative equals jax's, to 1e-10."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support import forward_jax
from support.forward_served import ask
from support.oracles import distance
from support.service import running_service

pytestmark = pytest.mark.jax


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_service("-w", "2", app="support.forward_jax:app()", seconds=120) as service:
        yield service


@pytest.mark.parametrize(
    ("kind", "function"), [("jax_gelu", forward_jax.gelu), ("jax_scan", forward_jax.scan)]
)
def test_derivatives(url: str, kind: str, function: Any) -> None:
    import jax

    served = ask(url, kind, forward_jax.SHAPES[kind])
    count = len(served.params)

    def value(arrays: dict[str, Any]) -> Any:
        params = {name.removeprefix("layer."): arrays[name] for name in served.params}
        return function(params, arrays["x"]) if count else function(arrays["x"])

    def loss(arrays: dict[str, Any]) -> Any:
        return (value(arrays) ** 2).sum()

    arrays = served.params | served.data
    with jax.enable_x64(True):
        y, slope = jax.jvp(value, (arrays,), (served.vectors,))
        first, second = jax.jvp(jax.grad(loss), (arrays,), (served.vectors,))
        total = float(loss(arrays))
    assert served.passed
    assert served.loss == pytest.approx(total, rel=1e-12)
    assert distance(served.value, np.asarray(y)) < 1e-10
    assert distance(served.slope, np.asarray(slope)) < 1e-10
    for name in arrays:
        assert distance(served.gradients[name], np.asarray(first[name])) < 1e-10, name
        assert distance(served.curved[name], np.asarray(second[name])) < 1e-10, name
