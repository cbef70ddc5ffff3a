"""Computations with a version of a model: those of `Client`, without a network and its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from html import escape
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

from deltawire import computations, derivatives
from deltawire.arguments.foreign_names import ForeignNames
from deltawire.models.network import ModelNetwork
from deltawire.network.picture import svg
from deltawire.request_builder import Arrays, Caller, Spec
from deltawire.transport import HTTPTransport

P = ParamSpec("P")
T = TypeVar("T")
Method = Callable[Concatenate["ModelVersion", P], T]


def with_own_params(compute: Callable[Concatenate[Caller, Spec, Arrays, P], T]) -> Method[P, T]:
    """Return a method that computes with the network and the parameters of a model.

    Args:
        compute: A function of a client, a network, parameters, and whatever else the method takes.
    """

    @wraps(compute)
    def method(model: ModelVersion, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return compute(model.client, model, {}, *args, **kwargs)

    _describe(method, compute, left_out=3)
    return method


def with_own_network(compute: Callable[Concatenate[Caller, Spec, P], T]) -> Method[P, T]:
    """Return a method that computes with the network of a model; see `with_own_params`."""

    @wraps(compute)
    def method(model: ModelVersion, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return compute(model.client, model, *args, **kwargs)

    _describe(method, compute, left_out=2)
    return method


def _describe(method: Any, compute: Callable[..., Any], left_out: int) -> None:
    """Give a method the signature and the summary of its function, without the first arguments."""
    model, *_ = inspect.signature(method, follow_wrapped=False).parameters.values()
    taken = [*inspect.signature(compute).parameters.values()][left_out:]
    method.__signature__ = inspect.signature(compute).replace(parameters=[model, *taken])
    summary = (compute.__doc__ or "").partition("\n")[0]
    method.__doc__ = f"{summary}\n\nSee `Client.{compute.__name__}`; network and parameters are the model's."


class ModelVersion(ForeignNames, ModelNetwork):
    """A version of a model: goes wherever a network goes, and computes with the parameters of that version.

    Attributes:
        client: Calls the service that keeps the model.
    """

    def __init__(
        self, client: Caller, name: str, dtype: str, spec: Mapping[str, Any], pinned: int | None = None
    ):
        """Name a version; `Model.at` does.

        Args:
            client: Calls the service that keeps the model.
            name: The name of the model.
            dtype: The dtype of its parameters.
            spec: The spec of its network.
            pinned: The version; None for the newest at the time of each call.
        """
        super().__init__(name, dtype, spec, pinned)
        self.client = client

    def __repr__(self) -> str:
        version = "" if self.pinned is None else f", version={self.pinned}"
        return f"{type(self).__name__}({self.name!r}, {self.dtype}{version})"

    def _repr_html_(self) -> str:
        """Return a picture of the network's graph, which notebooks show, and a link to the explorer.

        It asks no service. There is no link without the URL of one: a service in this process has no page.
        """
        transport = self.client.connection.transport
        if not isinstance(transport, HTTPTransport):
            return svg(self.spec)
        query = {"model": self.name} | ({} if self.pinned is None else {"version": str(self.pinned)})
        address = escape(f"{transport.url}/?{urlencode(query)}", quote=True)
        link = f'<a href="{address}" target="_blank" rel="noopener">open in the explorer</a>'
        return f"{svg(self.spec)}<p>{link}</p>"

    @property
    def version(self) -> int:
        """The version, which the service is asked for if it is the newest."""
        if self.pinned is not None:
            return self.pinned
        return self.client.connection.get(self.path, lambda answer: int(answer["version"]))

    value_and_grad = with_own_params(computations.value_and_grad)
    gradients = with_own_params(computations.gradients)
    forward = with_own_params(computations.forward)
    check = with_own_params(computations.check)
    plan = with_own_network(computations.plan)
    vjp = with_own_params(derivatives.vjp)
    jvp = with_own_params(derivatives.jvp)
    jacobian = with_own_params(derivatives.jacobian)
    hvp = with_own_params(derivatives.hvp)
    quadratic_form = with_own_params(derivatives.quadratic_form)
    hessian_diagonal = with_own_params(derivatives.hessian_diagonal)
    per_example_gradients = with_own_params(derivatives.per_example_gradients)
