"""The client: a network and a batch out, numbers back, numpy on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from uuid import uuid4

import requests
from numpy.typing import ArrayLike

from deltawire import embedded, wire
from deltawire.arrays import common_dtype, input_dtype, to_arrays, to_tensor, to_trace
from deltawire.body import received, to_send
from deltawire.credentials import credentials
from deltawire.errors import Fault, Refused, ServiceFailed, TimedOut, Unreachable, failure
from deltawire.network import Network
from deltawire.retries import Retries
from deltawire.wire import Array

TRUSTED = wire.Limits(
    depth=64, members=2**62, lists=2**62, rank=64, elements=2**62, tensors=2**20, tensor_header_bytes=2**27
)
"""What an answer may hold: the limits on requests are not for the service one asked."""

LARGEST_HEADER = wire.DEFAULT.tensor_header_bytes
"""Bytes of a binary body's header that services read; the spec of a large network has more."""

Wrt = Mapping[str, bool | Iterable[str]]
T = TypeVar("T")


@dataclass(frozen=True)
class Gradients:
    """An answer of the service: the loss of a batch and what was asked for beside it."""

    loss: float
    params: dict[str, Array]
    """∂loss/∂parameter, by the parameters' names."""
    data: dict[str, Array]
    """∂loss/∂input, by the inputs' names."""
    losses: Array | None
    """Each example's loss, (batch,)."""
    values: dict[str, Array]
    deltas: dict[str, Array]
    network_id: str
    """SHA-256 of the canonical spec, in hex."""
    trace: dict[str, Any] | None = None
    """Both passes in the order of computation, as POST /v1/gradients answers it, its numbers as arrays."""


class Client:
    """Computes gradients with a deltawire service: `with Client("http://127.0.0.1:8000") as client: ...`

    url: address of the service. Without one the service runs embedded, in this process, which needs the extra
    `deltawire[service]` (else NotInstalled is raised).
    timeout: seconds to connect, and seconds to wait for bytes of the answer.
    session: a requests.Session to use (proxies, certificates, headers); the client leaves it open.
    retries: how often a call is repeated when the connection fails or the service says "not now".
    api_key: sent as a bearer token. `https://user:key@host` sends it with HTTP Basic.
    media_type: of bodies with tensors, "application/vnd.safetensors" or "application/json": the same bits.

    Networks are `Network` objects or specs as plain dicts. Every method raises Refused when the request is
    wrong, Unreachable (TimedOut) when no answer comes, ServiceFailed (PluginFailed) when the service fails.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: tuple[float, float] = (5.0, 60.0),
        session: requests.Session | None = None,
        retries: Retries = Retries(),  # noqa: B008 (immutable)
        api_key: str | None = None,
        media_type: str = wire.SAFETENSORS,
    ):
        if media_type not in wire.MEDIA_TYPES:
            raise ValueError(f"expected one of {', '.join(wire.MEDIA_TYPES)}, got {media_type!r}")
        self._media_type = media_type
        self._session = session or requests.Session()
        self._owns_session = session is None
        self._settings: Any = None
        self._timeout = timeout
        self._retries = retries
        self._url, self._auth = credentials((url or embedded.URL).rstrip("/"), api_key)
        if url is None:
            self._session.mount(embedded.URL, embedded.EmbeddedAdapter())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless the session came from outside."""
        if self._owns_session:
            self._session.close()

    def layers(self) -> list[dict[str, Any]]:
        """The layers installed at the service, one dict each: `kind`, `summary`, `inputs`, `config`, …"""
        return self._call("GET", "/v1/layers", None, lambda answer: list(answer["layers"]))

    def init(
        self, network: Network | Mapping[str, Any], seed: int = 0, dtype: str = "float64"
    ) -> dict[str, Array]:
        """First parameters of a network, by name: the same numbers for the same seed on every machine.

        seed: 0 up to 2^64 − 1. dtype: "float64" or "float32".
        """
        document = {"network": _spec(network), "seed": seed, "dtype": dtype, "tensors": "base64"}
        return self._call(
            "POST",
            "/v1/init",
            document,
            lambda answer: to_arrays(answer["params"], dtype, TRUSTED),
            accepts=self._media_type,
        )

    def value_and_grad(
        self,
        network: Network | Mapping[str, Any],
        params: Mapping[str, ArrayLike],
        data: Mapping[str, ArrayLike],
        *,
        wrt: Wrt | None = None,
        reduction: str = "mean",
    ) -> tuple[float, dict[str, Array]]:
        """The loss of a batch, and its gradients by name.

        Gradients of parameters are under `node.parameter`, those of inputs under the input's name; no name
        can mean both, since an input's has no dot.

        wrt: what to differentiate by, as for `gradients`; every parameter and no input by default.
        """
        answer = self.gradients(network, params, data, wrt=wrt, reduction=reduction)
        return answer.loss, answer.params | answer.data

    def gradients(
        self,
        network: Network | Mapping[str, Any],
        params: Mapping[str, ArrayLike],
        data: Mapping[str, ArrayLike],
        *,
        wrt: Wrt | None = None,
        reduction: str = "mean",
        losses: bool = False,
        values: Iterable[str] = (),
        deltas: Iterable[str] = (),
        non_finite: str = "error",
        trace: bool = False,
    ) -> Gradients:
        """Loss, gradients, and whatever else is asked for, of a network on a batch.

        params: by name (`hidden.weight`). data: by input name, the batch as leading axis.
        Floating-point arrays must share one dtype, float32 or float64, which the answer keeps; lists, numbers
        and integers take it on (float64 when there is no such array). Inputs of dtype "int64" take integers.
        wrt: {"params": True, False or a list of globs, "data": True, False or a list of names}; by default
        True and False. reduction: "mean" over the examples, or "sum". losses: each example's loss too.
        values, deltas: names of nodes. non_finite: "error", or "return" to get results that are not finite.
        trace: every value and every delta on its way too; the whole answer then comes as JSON.
        """
        document = _on_batch(network, params, data) | {
            "wrt": _wrt(wrt), "reduction": reduction, "losses": losses, "values": _listed(values),
            "deltas": _listed(deltas), "non_finite": non_finite, "trace": trace, "tensors": "base64",
        }  # fmt: skip
        dtype = document["dtype"]

        def read(answer: Any) -> Gradients:
            return Gradients(
                loss=float(answer["loss"]),  # a string when it is not finite
                params=to_arrays(answer["gradients"]["params"], dtype, TRUSTED),
                data=to_arrays(answer["gradients"]["data"], dtype, TRUSTED),
                losses=wire.read_tensor(answer["losses"], dtype, limits=TRUSTED) if losses else None,
                values=to_arrays(answer.get("values", {}), dtype, TRUSTED),
                deltas=to_arrays(answer.get("deltas", {}), dtype, TRUSTED),
                network_id=answer["network_id"],
                trace=to_trace(answer["trace"], dtype, TRUSTED) if trace else None,
            )

        sends = self._media_type
        return self._call("POST", "/v1/gradients", document, read, sends, wire.JSON if trace else sends)

    def limits(self) -> dict[str, Any]:
        """What is in force at the service: `limits`, `dtypes`, `media_types`, `threads`, `versions`."""
        return self._call("GET", "/v1/limits", None, dict)

    def forward(
        self,
        network: Network | Mapping[str, Any],
        params: Mapping[str, ArrayLike],
        data: Mapping[str, ArrayLike],
        values: Iterable[str],
        *,
        non_finite: str = "error",
    ) -> dict[str, Array]:
        """Values of chosen nodes on a batch, (batch, *shape) by name.

        Only the parameters and inputs that lead to these nodes are needed: predictions need no labels.
        params, data, non_finite: as for `gradients`.
        """
        document = _on_batch(network, params, data) | {
            "values": _listed(values), "non_finite": non_finite, "tensors": "base64",
        }  # fmt: skip
        dtype = document["dtype"]
        return self._call(
            "POST",
            "/v1/forward",
            document,
            lambda answer: to_arrays(answer["values"], dtype, TRUSTED),
            self._media_type,
            self._media_type,
        )

    def plan(
        self,
        network: Network | Mapping[str, Any],
        batch: int = 1,
        *,
        wrt: Wrt | None = None,
        values: Iterable[str] = (),
        deltas: Iterable[str] = (),
        dtype: str = "float64",
    ) -> dict[str, Any]:
        """What `gradients` of this client would take for so many examples; nothing is computed.

        The answer of POST /v1/plan: `nodes` in order, with their shapes; `parameters`; `peak_bytes`, the most
        memory held at once, of at most `limit_bytes`, and whether that `fits`; `cost_bytes`, …
        """
        document = {
            "network": _spec(network), "batch": batch, "wrt": _wrt(wrt), "values": _listed(values),
            "deltas": _listed(deltas), "dtype": dtype, "media_type": self._media_type,
        }  # fmt: skip
        return self._call("POST", "/v1/plan", document, dict)

    def check(
        self,
        network: Network | Mapping[str, Any],
        params: Mapping[str, ArrayLike],
        data: Mapping[str, ArrayLike],
        *,
        wrt: Wrt | None = None,
        deltas: Iterable[str] = (),
        reduction: str = "mean",
        samples: int = 10,
    ) -> dict[str, Any]:
        """Whether gradients agree with the complex step and with central differences.

        wrt: as for `gradients`, but every parameter and input by default. deltas: nodes whose deltas are
        checked too. samples: most places checked in each array. The answer of POST /v1/check: `passed`, and
        for each of the `arrays` its `worst` places.
        """
        document = _on_batch(network, params, data) | {
            "wrt": _wrt(wrt), "deltas": _listed(deltas), "reduction": reduction, "samples": samples,
        }  # fmt: skip
        return self._call("POST", "/v1/check", document, dict, self._media_type)

    def _call(
        self,
        method: str,
        path: str,
        document: Any,
        read: Callable[[Any], T],
        sends: str = wire.JSON,
        accepts: str = wire.JSON,
    ) -> T:
        """What `read` makes of the document the service answers.

        sends, accepts: the media types of the request and of its answer.
        """
        request_id = uuid4().hex  # made here: a call without an answer can be found in the service's logs too
        headers = {"X-Request-Id": request_id, "Accept": f"{accepts}, application/problem+json"}
        body = None
        if document is not None:
            try:
                parts = wire.encode_in_parts(document, sends, "base64")
                if sends == wire.SAFETENSORS and len(parts[0]) - 8 > LARGEST_HEADER:
                    sends = wire.JSON  # which has no header, and so no limit on it
                    parts = wire.encode_in_parts(document, sends, "base64")
            except TypeError as error:  # an integer over 64 bits, an object in a layer's config
                raise Refused([Fault("", "json_invalid", f"the request cannot be JSON: {error}")]) from error
            headers["Content-Type"] = sends
            body = to_send(parts)
        content: bytes | memoryview = b""

        def exchange() -> requests.Response:
            nonlocal content
            request = requests.Request(method, self._url + path, headers, data=body, auth=self._auth)
            response = self._session.send(
                self._session.prepare_request(request),
                timeout=self._timeout,
                allow_redirects=False,
                **self._environment(),
            )
            content = received(response)
            return response

        try:
            response = self._retries.send(exchange)
        except requests.Timeout as error:
            fault = Fault("", "timed_out", f"no answer in time: {error}")
            raise TimedOut([fault], None, request_id) from error
        except requests.RequestException as error:
            fault = Fault("", "unreachable", f"no service answers at {self._url}")
            raise Unreachable([fault], None, request_id) from error
        try:
            if response.status_code == 200:
                return read(wire.decode(content, accepts, TRUSTED, "response"))
            failed = failure(wire.decode(content, wire.JSON, TRUSTED), response.status_code)
        except (Refused, LookupError, TypeError, ValueError, AttributeError) as error:
            kind = response.headers.get("Content-Type", "no content type")
            detail = f"{self._url} answered {response.status_code} ({kind}), but not as a deltawire service"
            fault = Fault("", "answer_invalid", detail)
            raise ServiceFailed([fault], response.status_code, request_id) from error
        raise failed

    def _environment(self) -> Any:
        """Proxies and certificates. To find them takes 0.2 ms, and for a session of our own they stay."""
        if self._settings is None or not self._owns_session:
            self._settings = self._session.merge_environment_settings(self._url, {}, True, None, None)
        return self._settings


def _spec(network: Network | Mapping[str, Any]) -> Mapping[str, Any]:
    return network.spec() if isinstance(network, Network) else network


def _on_batch(
    network: Network | Mapping[str, Any], params: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
) -> dict[str, Any]:
    """What every request for numbers has: the spec, and arrays of one dtype."""
    spec = _spec(network)
    dtype = common_dtype([*params.values(), *data.values()])
    return {
        "network": spec,
        "params": {name: to_tensor(value, dtype, f"/params/{name}") for name, value in params.items()},
        "data": {
            name: to_tensor(value, input_dtype(spec, name, dtype), f"/data/{name}")
            for name, value in data.items()
        },
        "dtype": dtype,
    }


def _wrt(wrt: Wrt | None) -> dict[str, Any]:
    return {place: _listed(asked) for place, asked in (wrt or {}).items()}


def _listed(names: bool | Iterable[str]) -> Any:
    """Names as a list. A single string stays one: the service says that it wants a list, not its letters."""
    return names if isinstance(names, (bool, str)) else list(names)
