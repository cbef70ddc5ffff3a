"""The client: a network and a batch out, numbers back, numpy on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import DTypeLike

from deltawire import wire
from deltawire.arrays import to_arrays, to_trace
from deltawire.calls import TRUSTED
from deltawire.derivatives import Derivatives
from deltawire.documents import Arrays, Names, Spec, Wrt, asked_wrt, listed
from deltawire.wire import Array


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
    params_id: str | None = None
    """That of a published network's parameters, when the answer comes of just these."""
    trace: dict[str, Any] | None = None
    """Both passes in the order of computation, as POST /v1/gradients answers it, its numbers as arrays."""


class Client(Derivatives):
    """Computes gradients with a deltawire service: `with Client("http://127.0.0.1:8000") as client: ...`

    url: address of the service. Without one the service runs embedded, in this process, which needs the extra
    `deltawire[service]` (else NotInstalled is raised).
    timeout: seconds to connect, and seconds to wait for bytes of the answer.
    session: a requests.Session to use (proxies, certificates, headers); the client leaves it open.
    retries: how often a call is repeated when the connection fails or the service says "not now".
    api_key: sent as a bearer token. `https://user:key@host` sends it with HTTP Basic.
    media_type: of bodies with tensors, "application/vnd.safetensors" or "application/json": the same bits.

    Networks are `Network` objects, specs as plain dicts, or what `published` gives; {"name": "digits"} stands
    for the latter, and is looked up anew by every call. Where names go, so do handles. Every method raises
    Refused when the request is wrong, Unreachable (TimedOut) when no answer comes, ServiceFailed
    (PluginFailed) when the service fails.
    """

    def layers(self) -> list[dict[str, Any]]:
        """The layers installed at the service, one dict each: `kind`, `summary`, `inputs`, `config`, …"""
        return self.call("GET", "/v1/layers", None, lambda answer: list(answer["layers"]))

    def networks(self) -> list[dict[str, Any]]:
        """The networks that are published at the service, one dict each: `name`, `inputs`, `values`, …"""
        return self.call("GET", "/v1/networks", None, lambda answer: list(answer["networks"]))

    def init(self, network: Spec, seed: int = 0, dtype: DTypeLike | None = None) -> dict[str, Array]:
        """First parameters of a network, by name: the same numbers for the same seed on every machine.

        seed: 0 up to 2^64 − 1. dtype: "float64" or "float32"; that of a published network, else "float64".
        """
        document = self._about(network, dtype) | {"seed": seed, "tensors": "base64"}
        return self.call(
            "POST",
            "/v1/init",
            document,
            lambda answer: to_arrays(answer["params"], document["dtype"], TRUSTED),
            accepts=self._media_type,
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
        """The loss of a batch, and its gradients by name.

        Gradients of parameters are under `node.parameter`, those of inputs under the input's name; no name
        can mean both, since an input's has no dot.

        wrt: what to differentiate by, as for `gradients`; every parameter and no input by default.
        """
        answer = self.gradients(network, params, data, wrt=wrt, reduction=reduction)
        return answer.loss, answer.params | answer.data

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
        """Loss, gradients, and whatever else is asked for, of a network on a batch.

        params: by name (`hidden.weight`). data: by input name, the batch as leading axis.
        Floating-point arrays must share one dtype, float32 or float64, which the answer keeps; lists, numbers
        and integers take it on (float64 when there is no such array). Inputs of dtype "int64" take integers.
        wrt: {"params": True, False or a list of globs, "data": True, False or a list of names}; by default
        True and False. reduction: "mean" over the examples, or "sum". losses: each example's loss too.
        values, deltas: names of nodes. non_finite: "error", or "return" to get results that are not finite.
        trace: every value and every delta on its way too; the whole answer then comes as JSON.
        """
        document = self._on_batch(network, params, data) | {
            "wrt": asked_wrt(wrt), "reduction": reduction, "losses": losses, "non_finite": non_finite,
            "values": listed("values", values), "deltas": listed("deltas", deltas), "trace": trace,
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
                params_id=answer.get("params_id"),
                trace=to_trace(answer["trace"], dtype, TRUSTED) if trace else None,
            )

        sends = self._media_type
        return self.call("POST", "/v1/gradients", document, read, sends, wire.JSON if trace else sends)

    def limits(self) -> dict[str, Any]:
        """What is in force at the service: `limits`, `dtypes`, `media_types`, `threads`, `versions`."""
        return self.call("GET", "/v1/limits", None, dict)

    def forward(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        values: Names | None = None,
        *,
        non_finite: str = "error",
    ) -> dict[str, Array]:
        """Values of chosen nodes on a batch, (batch, *shape) by name.

        Only the parameters and inputs that lead to these nodes are needed: predictions need no labels.
        values: names of nodes; a published network may be asked without, for the values that it offers.
        params, data, non_finite: as for `gradients`.
        """
        document = self._on_batch(network, params, data) | {"non_finite": non_finite}
        if values is not None:
            document["values"] = listed("values", values)
        dtype = document["dtype"]
        return self.call(
            "POST",
            "/v1/forward",
            document,
            lambda answer: to_arrays(answer["values"], dtype, TRUSTED),
            self._media_type,
            self._media_type,
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
        """What `gradients` of this client would take for so many examples; nothing is computed.

        The answer of POST /v1/plan: `nodes` in order, with their shapes; `parameters`; `peak_bytes`, the most
        memory held at once, of at most `limit_bytes`, and whether that `fits`; `cost_bytes`, …
        """
        document = self._about(network, dtype) | {
            "batch": batch, "wrt": asked_wrt(wrt), "values": listed("values", values),
            "deltas": listed("deltas", deltas), "media_type": self._media_type,
        }  # fmt: skip
        return self.call("POST", "/v1/plan", document, dict)

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
        """Whether gradients agree with the complex step and with central differences.

        wrt: as for `gradients`, but every parameter and input by default. deltas: nodes whose deltas are
        checked too. samples: most places checked in each array. The answer of POST /v1/check: `passed`, and
        for each of the `arrays` its `worst` places.
        """
        document = self._on_batch(network, params, data) | {
            "wrt": asked_wrt(wrt), "deltas": listed("deltas", deltas), "reduction": reduction,
            "samples": samples,
        }  # fmt: skip
        return self.call("POST", "/v1/check", document, dict, self._media_type)
