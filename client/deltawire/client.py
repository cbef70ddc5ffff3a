"""The client: a network and a batch out, numbers back, numpy on both sides."""

from __future__ import annotations

import os
from typing import Any, Self

import requests

from deltawire import computations, derivatives, wire
from deltawire.arguments.foreign_names import ForeignNames
from deltawire.arguments.methods import as_method
from deltawire.connection import Connection
from deltawire.datasets import catalogue as dataset_catalogue
from deltawire.models import catalogue as model_catalogue
from deltawire.published import Published, find_published
from deltawire.request_builder import RequestBuilder
from deltawire.retries import Retries
from deltawire.runs import catalogue as run_catalogue
from deltawire.transport import EmbeddedTransport, HTTPTransport, Timeout, Transport
from deltawire.transport.credentials import check_key


class Client(ForeignNames):
    """Computes gradients with a deltawire service: `with Client("http://127.0.0.1:8000") as client: ...`

    Networks are `Network` objects, specs as plain dicts, or what `published` returns. {"name": "digits"}
    stands for the latter, and is looked up anew by every call. Handles go wherever names do.

    Every method that asks the service raises Refused for a wrong request, Unreachable (TimedOut) without a
    response, and ServiceFailed (PluginFailed) when the service fails.

    Attributes:
        connection: Sends documents, also to routes that the client has no method for.
        requests: Builds documents.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: Timeout = (5.0, 60.0),
        session: requests.Session | None = None,
        retries: Retries = Retries(),  # noqa: B008 (immutable)
        api_key: str | None = None,
        media_type: str = wire.SAFETENSORS,
        transport: Transport | None = None,
        data_dir: str | os.PathLike[str] | None = None,
    ):
        """Make a client of the service at a URL, or, without one, of a service in this process.

        Args:
            url: Address of the service, with scheme. `https://user:key@host` sends the key with HTTP Basic.
            timeout: Seconds to connect, and seconds to wait for each piece of the response; or one for both.
            session: Supplies proxies, certificates and headers; the client leaves it open.
            retries: How often a call is repeated when the connection fails or the service is busy.
            api_key: Sent as a bearer token.
            media_type: Of bodies with tensors, "application/vnd.safetensors" or "application/json"; both
                carry the same bits.
            transport: Carries the requests instead of HTTP; the client leaves it open.
            data_dir: Folder in which a service in this process keeps models, created if missing; by default
                that of the setting DELTAWIRE_DATA_DIR.

        A service in this process has no timeouts and needs no key.

        Raises:
            ValueError: An argument cannot be what it stands for, or goes with another one.
            TypeError: `retries` is not a `Retries`.
            NotInstalled: Without a URL the service is needed: `pip install 'deltawire[service]'`.
        """
        if transport is not None and (url, session, api_key) != (None, None, None):
            raise ValueError("transport: goes without url, session and api_key, which are for HTTP")
        if data_dir is not None and (url, transport) != (None, None):
            raise ValueError("data_dir: is for a service in this process, without url and transport")
        if url is None and session is not None:
            raise ValueError("session: needs the url of a service; without one there is no HTTP")
        self._owns_transport = transport is None
        if url is not None:
            transport = HTTPTransport(url, api_key=api_key, timeout=timeout, session=session)
        elif transport is None:
            check_key(api_key)
            transport = EmbeddedTransport(data_dir)
        self.connection = Connection(transport, retries, media_type)
        self.requests = RequestBuilder(self.connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(transport={self.connection.transport!r})"

    def close(self) -> None:
        """Close the connections, unless the transport or the session was passed in."""
        if self._owns_transport:
            self.connection.transport.close()

    # Models, datasets, runs, and what computes, are functions of a client, in files of their own.

    create_model = as_method(model_catalogue.create_model)
    model = as_method(model_catalogue.find_model)
    models = as_method(model_catalogue.list_models)

    upload_dataset = as_method(dataset_catalogue.upload_dataset)
    dataset = as_method(dataset_catalogue.find_dataset)
    datasets = as_method(dataset_catalogue.list_datasets)

    run = as_method(run_catalogue.find_run)
    runs = as_method(run_catalogue.list_runs)

    init = as_method(computations.init)
    value_and_grad = as_method(computations.value_and_grad)
    gradients = as_method(computations.gradients)
    forward = as_method(computations.forward)
    plan = as_method(computations.plan)
    check = as_method(computations.check)
    vjp = as_method(derivatives.vjp)
    jvp = as_method(derivatives.jvp)
    jacobian = as_method(derivatives.jacobian)
    hvp = as_method(derivatives.hvp)
    quadratic_form = as_method(derivatives.quadratic_form)
    hessian_diagonal = as_method(derivatives.hessian_diagonal)
    per_example_gradients = as_method(derivatives.per_example_gradients)

    def layers(self) -> list[dict[str, Any]]:
        """Return the layers installed at the service, one dict each: `kind`, `summary`, `inputs`, …"""
        return self.connection.get("/v1/layers", lambda answer: list(answer["layers"]))

    def networks(self) -> list[dict[str, Any]]:
        """Return the networks published at the service, one dict each: `name`, `inputs`, `values`, …"""
        return self.connection.get("/v1/networks", lambda answer: list(answer["networks"]))

    def limits(self) -> dict[str, Any]:
        """Return the settings in force: `limits`, `dtypes`, `media_types`, `threads`, `versions`."""
        return self.connection.get("/v1/limits", dict)

    def published(self, name: str) -> Published:
        """Look up a published network, to be passed in a spec's place.

        Its published parameters stand in for those left out of `params`, pinned data for `data` left out.
        """
        return find_published(self.connection, name)
