"""The client: a network and a batch out, numbers back, numpy on both sides."""

from __future__ import annotations

from typing import Any, Self

import requests
from numpy.typing import DTypeLike

from deltawire import derivatives, wire
from deltawire.connection import Connection
from deltawire.published import Published, find_published
from deltawire.request_builder import (
    Arrays,
    Names,
    RequestBuilder,
    Spec,
    Wrt,
    default_outputs,
    name_list,
    resolve_published,
    wrt_document,
)
from deltawire.responses import Gradients, gradients_reader, to_arrays
from deltawire.retries import Retries
from deltawire.transport import EmbeddedTransport, HTTPTransport, Timeout, Transport
from deltawire.transport.credentials import check_key
from deltawire.wire import Array


class Client:
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

        A service in this process has no timeouts and needs no key.

        Raises:
            ValueError: An argument cannot be what it stands for, or goes with another one.
            TypeError: `retries` is not a `Retries`.
            NotInstalled: Without a URL the service is needed: `pip install 'deltawire[service]'`.
        """
        if transport is not None and (url, session, api_key) != (None, None, None):
            raise ValueError("transport: goes without url, session and api_key, which are for HTTP")
        if url is None and session is not None:
            raise ValueError("session: needs the url of a service; without one there is no HTTP")
        self._owns_transport = transport is None
        if url is not None:
            transport = HTTPTransport(url, api_key=api_key, timeout=timeout, session=session)
        elif transport is None:
            check_key(api_key)
            transport = EmbeddedTransport()
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

    # The derivatives beside the gradient of the loss are functions of a client, in a file of their own.

    vjp = derivatives.vjp
    jvp = derivatives.jvp
    jacobian = derivatives.jacobian
    hvp = derivatives.hvp
    quadratic_form = derivatives.quadratic_form
    hessian_diagonal = derivatives.hessian_diagonal
    per_example_gradients = derivatives.per_example_gradients

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

    def init(self, network: Spec, seed: int = 0, dtype: DTypeLike | None = None) -> dict[str, Array]:
        """Draw first parameters of a network: the same numbers for the same seed on every machine.

        Args:
            network: A network, a spec, or a published network.
            seed: 0 to 2^64 − 1.
            dtype: "float64" or "float32"; by default that of a published network, else float64.

        Returns:
            The parameters by name (`hidden.weight`).
        """
        document = self.requests.without_data(network, dtype, {"seed": seed, "tensors": "base64"})
        return self.connection.post(
            "/v1/init",
            document,
            lambda answer: to_arrays(answer["params"], document["dtype"]),
            sends=wire.JSON,
        )

    def value_and_grad(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        *,
        wrt: Wrt | None = None,
        reduction: str = "mean",
    ) -> tuple[float, dict[str, Array]]:
        """Return the loss of a batch and its gradients in one dict.

        Args:
            network: A network, a spec, or a published network.
            params: Parameters by name.
            data: Inputs by name, (batch, *shape).
            wrt: What to differentiate with respect to, as for `gradients`.
            reduction: "mean" or "sum" of the loss over the examples.

        Returns:
            The loss, and gradients by name: `node.parameter`, or the name of an input, learned or not.
        """
        # Without the options that this method does not take: errors name those of a request.
        options = {"wrt": wrt_document(wrt), "reduction": reduction}
        document = self.requests.with_data(network, params, data, options)
        read = gradients_reader(document["dtype"], losses=False, trace=False)
        result = self.connection.post("/v1/gradients", document, read)
        return result.loss, result.params | result.data

    def gradients(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        *,
        wrt: Wrt | None = None,
        reduction: str = "mean",
        losses: bool = False,
        values: Names = (),
        deltas: Names = (),
        non_finite: str = "error",
        trace: bool = False,
    ) -> Gradients:
        """Compute the loss of a batch, its gradients, and whatever else is requested.

        Floating-point arrays must share one dtype, float32 or float64, which the results keep. Lists,
        numbers and integers are converted to it (to float64 without such an array).

        Args:
            network: A network, a spec, or a published network.
            params: Parameters by name.
            data: Inputs by name, (batch, *shape). Inputs of dtype int64 take integers.
            wrt: {"params": True, False or a list of globs, "data": True, False or a list of names}; by
                default True and False.
            reduction: "mean" or "sum" of the loss over the examples.
            losses: Return each example's loss too.
            values: Nodes whose values to return.
            deltas: Nodes whose deltas to return.
            non_finite: "error", or "return" to get results that are not finite.
            trace: Return every value and every delta on its way; the answer then comes as JSON.
        """
        options = {
            "wrt": wrt_document(wrt), "reduction": reduction, "losses": losses, "non_finite": non_finite,
            "values": name_list("values", values), "deltas": name_list("deltas", deltas), "trace": trace,
        }  # fmt: skip
        document = self.requests.with_data(network, params, data, options)
        read = gradients_reader(document["dtype"], losses, trace)
        return self.connection.post("/v1/gradients", document, read, accepts=wire.JSON if trace else None)

    def forward(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        values: Names | None = None,
        *,
        non_finite: str = "error",
    ) -> dict[str, Array]:
        """Compute values of chosen nodes; only the parameters and inputs that lead to them are needed.

        Args:
            network: A network, a spec, or a published network.
            params: Parameters by name.
            data: Inputs by name, (batch, *shape).
            values: Nodes; by default those that a published network offers, or the outputs: the nodes that no
                other takes, as far as the data lead. Without labels these are the scores, and not the loss.
            non_finite: "error", or "return" to get results that are not finite.

        Returns:
            The values by node, (batch, *shape).
        """
        options: dict[str, Any] = {"non_finite": non_finite}
        network = resolve_published(network, self.published)
        if values is None:
            values = default_outputs(network, data)
        if values is not None:
            options["values"] = name_list("values", values)
        document = self.requests.with_data(network, params, data, options)
        dtype = document["dtype"]
        return self.connection.post(
            "/v1/forward", document, lambda answer: to_arrays(answer["values"], dtype)
        )

    def plan(
        self,
        network: Spec,
        batch: int = 1,
        *,
        wrt: Wrt | None = None,
        values: Names = (),
        deltas: Names = (),
        dtype: DTypeLike | None = None,
    ) -> dict[str, Any]:
        """Work out shapes, memory and cost of a call of `gradients`; nothing is computed.

        Args:
            network: A network, a spec, or a published network.
            batch: The number of examples.
            wrt: What to differentiate with respect to, as for `gradients`.
            values: Nodes whose values are returned.
            deltas: Nodes whose deltas are returned.
            dtype: "float64" or "float32"; by default that of a published network, else float64.

        Returns:
            The answer of POST /v1/plan: `nodes` in order with their shapes, `parameters`, `peak_bytes` held
            at once, `limit_bytes`, whether that `fits`, `operations`, …
        """
        options = {
            "batch": batch, "wrt": wrt_document(wrt), "values": name_list("values", values),
            "deltas": name_list("deltas", deltas), "media_type": self.connection.media_type,
        }  # fmt: skip
        document = self.requests.without_data(network, dtype, options)
        return self.connection.post("/v1/plan", document, dict, sends=wire.JSON, accepts=wire.JSON)

    def check(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        *,
        wrt: Wrt | None = None,
        deltas: Names = (),
        reduction: str = "mean",
        samples: int = 10,
    ) -> dict[str, Any]:
        """Compare gradients with the complex step and with central differences.

        Args:
            network: A network, a spec, or a published network.
            params: Parameters by name.
            data: Inputs by name, (batch, *shape).
            wrt: As for `gradients`, but every parameter and every input by default.
            deltas: Nodes whose deltas are checked too.
            reduction: "mean" or "sum" of the loss over the examples.
            samples: Places checked in each array, at most.

        Returns:
            The answer of POST /v1/check: `passed`, and the `worst` places of each of the `arrays`.
        """
        options = {
            "wrt": wrt_document(wrt), "deltas": name_list("deltas", deltas), "reduction": reduction,
            "samples": samples,
        }  # fmt: skip
        document = self.requests.with_data(network, params, data, options)
        return self.connection.post("/v1/check", document, dict, accepts=wire.JSON)
