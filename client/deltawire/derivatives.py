"""The derivatives beside the gradient of the loss, named as jax names them; arrays go in and out by name.

Names of parameters have a dot (`hidden.weight`), those of inputs have none: one dict may hold both.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from deltawire import wire
from deltawire.arrays import to_arrays
from deltawire.calls import TRUSTED
from deltawire.documents import Arrays, Names, Requests, Spec, Wrt, asked_wrt, by_name, listed
from deltawire.errors import unfit
from deltawire.wire import Array


class Derivatives(Requests):
    """Vector-Jacobian, Jacobian-vector and Hessian-vector products, Jacobians, gradients per example.

    network, params, data, wrt, non_finite: as for `Client.gradients`. Only the parameters and inputs that
    lead to the outputs named are needed.
    """

    def vjp(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        cotangents: Arrays,
        *,
        wrt: Wrt | None = None,
        non_finite: str = "error",
    ) -> dict[str, Array]:
        """Vector-Jacobian products Σ cotangent · ∂output/∂(parameter, input), by name.

        cotangents: by node, (batch, *shape) each; or (count, batch, *shape), for `count` products from one
        forward pass: then the products have this leading axis too.
        """
        document = self._on_batch(network, params, data, {"cotangents": cotangents}) | {
            "wrt": asked_wrt(wrt), "non_finite": non_finite,
        }  # fmt: skip
        return self._by_name("vjp", document, "products")

    def jvp(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        tangents: Arrays,
        outputs: Names,
        *,
        non_finite: str = "error",
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Values of the outputs, and their Jacobian-vector products Σ ∂output/∂(parameter, input) · tangent.

        tangents: by parameter and input, shaped like these, all others do not move; or each with one leading
        axis more, for several products, which then have it too. outputs: names of nodes.
        """
        document = self._on_batch(network, params, data, _directions("tangents", tangents)) | {
            "outputs": listed("outputs", outputs), "non_finite": non_finite,
        }  # fmt: skip
        dtype = document["dtype"]

        def read(answer: Any) -> tuple[dict[str, Array], dict[str, Array]]:
            values, moved = (to_arrays(answer[part], dtype, TRUSTED) for part in ("values", "tangents"))
            return values, moved

        return self.call("POST", "/v1/jvp", document, read, self._media_type, self._media_type)

    def jacobian(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        outputs: Names,
        *,
        wrt: Wrt | None = None,
        way: str | None = None,
        non_finite: str = "error",
    ) -> dict[str, dict[str, Array]]:
        """∂output/∂(parameter, input) of each example, (batch, *output shape, *shape), by output and name.

        way: "rows" (backward, like jax.jacrev), "columns" (forward, like jax.jacfwd), or the cheaper one.
        """
        document = self._on_batch(network, params, data) | {
            "outputs": listed("outputs", outputs), "wrt": asked_wrt(wrt), "way": way,
            "non_finite": non_finite,
        }  # fmt: skip
        dtype = document["dtype"]

        def read(answer: Any) -> dict[str, dict[str, Array]]:
            return {name: _merged(block, dtype) for name, block in answer["jacobian"].items()}

        return self.call("POST", "/v1/jacobian", document, read, self._media_type, self._media_type)

    def hvp(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        vectors: Arrays,
        *,
        wrt: Wrt | None = None,
        cotangents: Arrays = MappingProxyType({}),
        reduction: str = "mean",
        non_finite: str = "error",
    ) -> dict[str, Array]:
        """Hessian-vector products of the reduced loss, its regularization included, by name.

        vectors: by parameter and input, shaped like these, zero for all others; or each with one leading axis
        more, for several products, which then have it too. wrt: the rows wanted, those of `vectors` by
        default. cotangents: by node, (batch, *shape): Σ cotangent · node is differentiated twice in place of
        the loss.
        """
        more = _directions("vectors", vectors) | {"cotangents": cotangents}
        document = self._on_batch(network, params, data, more) | {
            "reduction": reduction, "non_finite": non_finite, **_rows(wrt),
        }  # fmt: skip
        return self._by_name("hvp", document, "products")

    def quadratic_form(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        vectors: Arrays,
        *,
        reduction: str = "mean",
        non_finite: str = "error",
    ) -> Array:
        """vᵀHv, the curvature of the reduced loss along vectors: () or, for several, (count,)."""
        document = self._on_batch(network, params, data, _directions("vectors", vectors)) | {
            "reduction": reduction, "non_finite": non_finite, "quadratic": True,
            "wrt": {"params": False, "data": False},
        }  # fmt: skip
        dtype = document["dtype"]

        def read(answer: Any) -> Array:
            return wire.read_tensor(answer["quadratic"], dtype, limits=TRUSTED).copy()

        return self.call("POST", "/v1/hvp", document, read, self._media_type, self._media_type)

    def hessian_diagonal(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        *,
        wrt: Wrt | None = None,
        samples: int = 10,
        seed: int = 0,
        reduction: str = "mean",
        non_finite: str = "error",
    ) -> dict[str, Array]:
        """Estimates of ∂²loss/∂θ², by name, from so many Hessian-vector products with random signs.

        Unbiased; exact where the Hessian is diagonal. The same seed gives the same estimates. Their sum
        estimates the Hessian's trace.
        """
        document = self._on_batch(network, params, data) | {
            "diagonal": {"samples": samples, "seed": seed}, "reduction": reduction, "non_finite": non_finite,
            **_rows(wrt),
        }  # fmt: skip
        return self._by_name("hvp", document, "diagonal")

    def per_example_gradients(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        *,
        wrt: Wrt | None = None,
        non_finite: str = "error",
    ) -> dict[str, Array]:
        """Gradients of each example's own loss, (batch, *shape) by name: not divided, not regularized."""
        document = self._on_batch(network, params, data) | {
            "wrt": asked_wrt(wrt), "per_example": True, "non_finite": non_finite,
        }  # fmt: skip
        return self._by_name("gradients", document, "gradients")

    def _by_name(self, route: str, document: Mapping[str, Any], part: str) -> dict[str, Array]:
        """What a route answers for parameters and inputs, in one dict."""

        def read(answer: Any) -> dict[str, Array]:
            return _merged(answer[part], document["dtype"])

        return self.call("POST", f"/v1/{route}", document, read, self._media_type, self._media_type)


def _merged(answer: Mapping[str, dict[str, Any]], dtype: str) -> dict[str, Array]:
    parts = (to_arrays(answer.get(part, {}), dtype, TRUSTED) for part in ("params", "data"))
    return {name: array for part in parts for name, array in part.items()}


def _rows(wrt: Wrt | None) -> dict[str, Any]:
    return {} if wrt is None else {"wrt": asked_wrt(wrt)}


def _directions(argument: str, arrays: Arrays) -> dict[str, Arrays]:
    """Arrays of parameters and of inputs, apart: each to its place in the request."""
    found = by_name(argument, arrays)
    if any(isinstance(found.get(part), Mapping) for part in ("params", "data")):
        expected = f"arrays by name, not below params and data: {argument}={{'hidden.weight': …, 'x': …}}"
        raise unfit(f"/{argument}", expected, arrays)
    params = {name: array for name, array in found.items() if "." in str(name)}
    data = {name: array for name, array in found.items() if name not in params}
    return {f"{argument}/params": params, f"{argument}/data": data}
