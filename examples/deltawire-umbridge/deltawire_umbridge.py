"""The layer `remote_model` for deltawire: a model of an UM-Bridge server, inside a network."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from math import isinf
from time import monotonic
from typing import Any

import numpy as np
import requests
from marshmallow import Schema, fields, validate

from deltawire_layers import (
    Activation,
    Array,
    DeadlineExceeded,
    Layer,
    LayerError,
    Shape,
    Work,
    config,
    current_deadline,
)

URL_VARIABLE = "DELTAWIRE_UMBRIDGE_URL"

ROUND_TRIP = 2**24
"""Operations that take as long as a call of a server near by: half a millisecond."""


class RemoteModel(Layer):
    """y = F(x, …), for vectors x (n,) and more, y (outputs,), where F is a model of an UM-Bridge server.

    The server is the one that DELTAWIRE_UMBRIDGE_URL names.
    """

    orders = 1
    takes_one = True

    class Config(Schema):
        model = fields.String(
            required=True,
            validate=validate.Length(min=1),
            metadata={"description": "name of the model at the server"},
        )
        outputs = config.Integer(
            required=True, validate=validate.Range(min=1), metadata={"description": "numbers out"}
        )
        output = config.Integer(
            load_default=0,
            validate=validate.Range(min=0),
            metadata={"description": "which of the model's output vectors, from 0"},
        )

    model: str
    outputs: int
    output: int

    def output_shape(self, x: Shape, *more: Shape) -> Shape:
        for position, shape in enumerate((x, *more)):
            if len(shape) != 1:
                raise LayerError(f"expected a vector, got shape {list(shape)}", input=position)
        return (self.outputs,)

    def work(self, x: Shape, *more: Shape) -> Work:
        return Work(each=ROUND_TRIP)

    def forward(self, params: Mapping[str, Array], *inputs: Array) -> Activation:
        rows = [[array[row].tolist() for array in inputs] for row in range(len(inputs[0]))]
        dtype = inputs[0].dtype

        def value(row: int) -> Any:
            answer = self.call("Evaluate", {"input": rows[row]})
            return answer[self.output] if self.output < len(answer) else []

        def delta_of(position: int) -> Callable[[Array], Array]:
            def equation(delta: Array) -> Array:
                def gradient(row: int) -> Any:
                    wrt = {"outWrt": self.output, "inWrt": position, "sens": delta[row].tolist()}
                    return self.call("Gradient", {"input": rows[row], **wrt})

                return by_rows(gradient, (*inputs, delta), inputs[position].shape, dtype)

            return equation

        return Activation(
            value=by_rows(value, inputs, (len(rows), self.outputs), dtype),
            deltas=tuple(map(delta_of, range(len(inputs)))),
        )

    def call(self, route: str, body: dict[str, Any]) -> Any:
        """Call the server, and return the output that it answers with.

        Args:
            route: `Evaluate` or `Gradient`.
            body: the request, without the name of the model.

        Raises:
            DeadlineExceeded: the server has not answered at the deadline of the request.
            RuntimeError: the server cannot be reached, or refuses; the message says why.
        """
        url = os.environ.get(URL_VARIABLE)
        if not url:
            raise RuntimeError(f"{URL_VARIABLE} is not set: it names the server of the models")
        left = current_deadline() - monotonic()
        if left <= 0:
            raise DeadlineExceeded
        try:
            answer = session().post(
                f"{url.rstrip('/')}/{route}",
                json={"name": self.model, "config": {}, **body},
                timeout=None if isinf(left) else left,
            )
            document = answer.json()
        except requests.Timeout:
            raise DeadlineExceeded from None
        except requests.RequestException as error:
            raise RuntimeError(f"{url} does not answer {route}: {error}") from error
        if not answer.ok or "output" not in document:
            raise RuntimeError(f"{url} refuses {route} of '{self.model}': {str(document)[:500]}")
        return document["output"]


def by_rows(
    compute: Callable[[int], Any], arrays: tuple[Array, ...], shape: Shape, dtype: np.dtype[Any]
) -> Array:
    """Return an array whose rows are computed one by one; NaN where the arguments are not finite.

    Args:
        compute: returns a row's list of numbers.
        arrays: the arguments, batch first: JSON has no NaN to send.
        shape: of the array, batch first.
        dtype: of the array.

    Raises:
        RuntimeError: the server answers with another number of numbers than expected.
    """
    result = np.full(shape, np.nan, dtype)
    for row in range(shape[0]):
        if all(np.isfinite(array[row]).all() for array in arrays):
            numbers = np.asarray(compute(row), np.float64)
            if numbers.shape != shape[1:]:
                raise RuntimeError(f"the server gives shape {list(numbers.shape)}, not {list(shape[1:])}")
            result[row] = numbers
    return result


class _Local(threading.local):
    """The session of each thread: requests' sessions are not shared between threads."""

    def __init__(self) -> None:
        self.session = requests.Session()


LOCAL = _Local()


def session() -> requests.Session:
    """Return this thread's session, which keeps its connection to the server."""
    return LOCAL.session
