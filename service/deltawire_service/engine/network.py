"""The facade: a network, and everything it computes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltawire_layers import Array, Shape
from deltawire_service.engine.derivatives import (
    directions,
    gradient_check,
    gradients,
    hessian,
    jacobian,
    jvp,
    vjp,
)
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.gradient_check import CheckedArray
from deltawire_service.engine.derivatives.gradients import Gradients
from deltawire_service.engine.derivatives.hessian import Diagonal, HessianProducts
from deltawire_service.engine.derivatives.jacobian import Jacobian
from deltawire_service.engine.derivatives.jvp import Tangents
from deltawire_service.engine.derivatives.per_example import per_example_gradients
from deltawire_service.engine.derivatives.vjp import Products
from deltawire_service.engine.first_parameters import draw_parameters
from deltawire_service.engine.graph import Arrays
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.body_cost import NO_BODY_COST, BodyCost
from deltawire_service.engine.plan.memory_plan import Plan, make_drawing_plan
from deltawire_service.engine.plan.targets import Which, Wrt, value_targets
from deltawire_service.engine.prepared import Options, Prepared


@dataclass(frozen=True, eq=False)
class Network(Prepared):
    """A network ready to compute, made by `compile_network`. Immutable, and shared between threads.

    Every method that computes takes these arguments, or some of them:

    - params: arrays by parameter.
    - data: arrays by input, (batch, *shape), or (*shape) when shared.
    - wrt_params, wrt_data: the parameters and inputs to differentiate with respect to: True for all, False
      for none, or globs of parameters and names of inputs.
    - reduction: `mean` (divided by the number of examples) or `sum`.
    - non_finite: `error`, or `return` to return numbers that are not finite.
    - body_cost: the cost of reading the request's body and of writing its answer, for the plan.

    It raises Refused, its pointers relative to the request, when an argument is wrong, the plan exceeds the
    memory limit, or a result is not finite; PluginError when a layer breaks its contract; DeadlineExceeded
    when the runner sets a deadline and it passes.
    """

    def check_outputs(self, cotangents: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the nodes that cotangents are for. Raises Refused unless these are nodes, at least one."""
        return directions.check_outputs(self, cotangents)

    def init(
        self,
        seed: int,
        dtype: Any = np.float64,
        body_cost: BodyCost = NO_BODY_COST,
        out: Mapping[str, Array] | None = None,
    ) -> dict[str, Array]:
        """Draw parameters from a seed, each from a stream of its own: the same numbers on every machine.

        The stream is PCG64, keyed by the seed and the SHA-256 of the parameter's name.

        Args:
            seed: the seed.
            dtype: float32 or float64.
            body_cost: the cost of writing the parameters into an answer.
            out: arrays of this dtype that the parameters are written to, by name; new ones by default.

        Raises:
            Refused: the parameters, and their answer, would not fit in the planned memory.
        """
        plan = make_drawing_plan(self, np.dtype(dtype).itemsize, body_cost, in_place=out is not None)
        input_checks.check_parameter_bytes(self, plan)
        return self.runner(lambda: draw_parameters(self, seed, dtype, out), plan)

    def plan(
        self,
        batch: int,
        dtype: Any = np.float64,
        *,
        wrt_params: Which = True,
        wrt_data: Which = False,
        values: Iterable[str] = (),
        deltas: Iterable[str] = (),
        body_cost: BodyCost = NO_BODY_COST,
    ) -> Plan:
        """Return the plan of a request for gradients (for values, without a loss), computing nothing.

        Args:
            batch: number of examples.
            dtype: float32 or float64.
            wrt_params, wrt_data, body_cost: see `Network`.
            values: nodes whose values are asked for.
            deltas: nodes whose deltas are asked for.

        Raises:
            Refused: a name does not exist. A plan above the memory limit is returned.
        """
        if self.loss:
            targets = self.targets(Wrt(wrt_params, wrt_data), values, deltas)
        else:
            targets = value_targets(self, list(values) or list(self.nodes)[-1:])
        return self.memory_plan(targets, batch, np.dtype(dtype), body_cost)

    def gradients(
        self,
        params: Arrays,
        data: Arrays,
        *,
        wrt_params: Which = True,
        wrt_data: Which = False,
        reduction: str = "mean",
        values: Iterable[str] = (),
        deltas: Iterable[str] = (),
        non_finite: str = "error",
        body_cost: BodyCost = NO_BODY_COST,
        trace: bool = False,
        per_example: bool = False,
    ) -> Gradients:
        """Compute the loss and gradients of a batch.

        Args:
            params, data, wrt_params, wrt_data, reduction, non_finite, body_cost: see `Network`.
            values: nodes whose values are asked for.
            deltas: nodes whose deltas are asked for.
            trace: every array of both passes is asked for, or its summary, in the order of computation.
            per_example: ask for gradients, (batch, *shape), and deltas of each example's own loss, undivided
                and without the regularization.

        Raises:
            Refused, PluginError, DeadlineExceeded: see `Network`.
        """
        targets = self.targets(Wrt(wrt_params, wrt_data), values, deltas, trace)
        options = Options(reduction, non_finite, body_cost)
        compute = per_example_gradients if per_example else gradients.gradients
        return compute(self, params, data, targets, options)

    def forward(
        self,
        params: Arrays,
        data: Arrays,
        values: Iterable[str],
        *,
        non_finite: str = "error",
        body_cost: BodyCost = NO_BODY_COST,
    ) -> dict[str, Array]:
        """Compute the values of nodes on a batch, (batch, *shape) by name.

        Args:
            params, data, non_finite, body_cost: see `Network`.
            values: the nodes; only the parameters and inputs that lead to them are needed.

        Raises:
            Refused, PluginError, DeadlineExceeded: see `Network`.
        """
        options = Options(non_finite=non_finite, body_cost=body_cost)
        return gradients.forward(self, params, data, values, options)

    def vjp(
        self,
        params: Arrays,
        data: Arrays,
        cotangents: Arrays,
        *,
        wrt_params: Which = True,
        wrt_data: Which = False,
        values: Iterable[str] = (),
        non_finite: str = "error",
        body_cost: BodyCost = NO_BODY_COST,
    ) -> Products:
        """Compute vector-Jacobian products, Σ cotangent · ∂output/∂(parameter, input) over outputs and batch.

        What does not lead to the outputs has zeros.

        Args:
            params, data, wrt_params, wrt_data, non_finite, body_cost: see `Network`. Only the parameters and
                inputs that lead to the outputs, or to `values`, are needed.
            cotangents: by node, (batch, *shape) each, or (count, batch, *shape) for so many products at once,
                which share one forward pass.
            values: nodes whose values are asked for.

        Raises:
            Refused, PluginError, DeadlineExceeded: see `Network`.
        """
        options = Options(non_finite=non_finite, body_cost=body_cost)
        return vjp.vjp(self, params, data, cotangents, Wrt(wrt_params, wrt_data), values, options)

    def jvp(
        self,
        params: Arrays,
        data: Arrays,
        tangents: Direction,
        outputs: Iterable[str],
        *,
        non_finite: str = "error",
        body_cost: BodyCost = NO_BODY_COST,
    ) -> Tangents:
        """Compute Jacobian-vector products, Σ ∂output/∂(parameter, input) · tangent, by the complex step.

        Everything is computed in complex128. At kinks the branch taken is differentiated.

        Args:
            params, data, non_finite, body_cost: see `Network`. Only the parameters and inputs that lead to
                the outputs are needed.
            tangents: arrays shaped like the parameters and data they are named after, or with one leading
                axis more for several products.
            outputs: nodes.

        Raises:
            Refused, PluginError, DeadlineExceeded: see `Network`.
        """
        options = Options(non_finite=non_finite, body_cost=body_cost)
        return jvp.jvp(self, params, data, tangents, outputs, options)

    def jacobian(
        self,
        params: Arrays,
        data: Arrays,
        outputs: Iterable[str],
        *,
        wrt_params: Which = True,
        wrt_data: Which = False,
        mode: str | None = None,
        made: Iterable[Shape] = (),
        non_finite: str = "error",
        body_cost: BodyCost = NO_BODY_COST,
    ) -> Jacobian:
        """Compute ∂output/∂(parameter, input) of each example, (batch, *output shape, *shape).

        Examples are independent, so an output of one has no derivative by the data of another.

        Args:
            params, data, wrt_params, wrt_data, non_finite, body_cost: see `Network`. Only the parameters and
                inputs that lead to the outputs are needed.
            outputs: nodes.
            mode: `reverse`, one backward pass for each number of an output; `forward`, one forward pass in
                complex numbers for each number of a parameter and of an example's data; None: the cheaper.
            made: shapes of arrays that will be made of the result and written in its place, for the plan.

        Raises:
            Refused, PluginError, DeadlineExceeded: see `Network`.
        """
        wrt, options = Wrt(wrt_params, wrt_data), Options(non_finite=non_finite, body_cost=body_cost)
        return jacobian.jacobian(self, params, data, outputs, wrt, mode, made, options)

    def hvp(
        self,
        params: Arrays,
        data: Arrays,
        vectors: Direction,
        *,
        wrt_params: Which | None = None,
        wrt_data: Which | None = None,
        quadratic: bool = False,
        cotangents: Arrays | None = None,
        reduction: str = "mean",
        non_finite: str = "error",
        body_cost: BodyCost = NO_BODY_COST,
    ) -> HessianProducts:
        """Compute Hessian-vector products of the reduced loss, its regularization included.

        Everything is computed in complex128, by the complex step: a product takes three to five times as long
        as a gradient in float64. At kinks the branch taken is differentiated.

        Args:
            params, data, reduction, non_finite, body_cost: see `Network`.
            vectors: arrays shaped like the parameters and data they are named after, zero for all others; or
                with one leading axis more for several products.
            wrt_params, wrt_data: the rows of the products that are asked for; None: those that vectors name.
            quadratic: vᵀHv is asked for, too.
            cotangents: (batch, *shape) by node: Σ cotangent · node takes the place of the loss.

        Raises:
            Refused, PluginError, DeadlineExceeded: see `Network`.
        """
        wrt = Wrt(
            tuple(vectors.params) if wrt_params is None else wrt_params,
            tuple(vectors.data) if wrt_data is None else wrt_data,
        )
        options = Options(reduction, non_finite, body_cost)
        return hessian.hvp(self, params, data, vectors, wrt, quadratic, cotangents, options)

    def hessian_diagonal(
        self,
        params: Arrays,
        data: Arrays,
        *,
        wrt_params: Which = True,
        wrt_data: Which = False,
        samples: int = 10,
        seed: int = 0,
        before: tuple[Direction, HessianProducts] | None = None,
        cotangents: Arrays | None = None,
        reduction: str = "mean",
        non_finite: str = "error",
        body_cost: BodyCost = NO_BODY_COST,
    ) -> Diagonal:
        """Estimate the diagonal of the loss's Hessian, and its trace, from random products.

        The estimate is unbiased, and exact where the Hessian is diagonal (derivatives/hessian.py).

        Args:
            params, data, wrt_params, wrt_data, reduction, non_finite, body_cost: see `Network`.
            samples: number of products.
            seed: seed of the random vectors: the same on every machine.
            before: vectors that the same request brought, and their products, for the plan.
            cotangents: as for `hvp`.

        Raises:
            Refused, PluginError, DeadlineExceeded: see `Network`.
        """
        wrt, options = Wrt(wrt_params, wrt_data), Options(reduction, non_finite, body_cost)
        return hessian.hessian_diagonal(self, params, data, wrt, samples, seed, before, cotangents, options)

    def check(
        self,
        params: Arrays,
        data: Arrays,
        *,
        wrt_params: Which = True,
        wrt_data: Which = True,
        deltas: Iterable[str] = (),
        reduction: str = "mean",
        samples: int = 10,
        body_cost: BodyCost = NO_BODY_COST,
    ) -> list[CheckedArray]:
        """Check gradients against the complex step and central differences.

        Everything is computed in float64. Over all arrays, at most 5,000 places are checked.

        Args:
            params, data, wrt_params, wrt_data, reduction, body_cost: see `Network`.
            deltas: nodes whose deltas are checked, too, by moving the nodes' values.
            samples: places of each array.

        Raises:
            Refused, PluginError, DeadlineExceeded: see `Network`.
        """
        wrt, options = Wrt(wrt_params, wrt_data), Options(reduction, body_cost=body_cost)
        return gradient_check.check(self, params, data, wrt, deltas, samples, options)
