"""The conformance check: `check_optimizer` checks an optimizer against every rule of the contract."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any

import numpy as np

from deltawire_optimizers.optimizer import Array, Optimizer, Shape, StateArray, Step
from deltawire_optimizers.pieces import PIECE
from deltawire_optimizers.update import init_state, update

RULES = MappingProxyType(
    {
        1: "pure",
        2: "declared state",
        3: "same bits",
        4: "one dtype",
        5: "little memory",
        6: "downhill",
        7: "documented by formula",
    }
)

STEPS = 6
Arrays = dict[str, Array]


class ConformanceError(AssertionError):
    """An optimizer breaks the contract. The arguments are also its attributes.

    Args:
        optimizer: name of the optimizer's class.
        rule: number of the rule; `rule_name` is its name.
        problem: the mistake, as a part of a sentence.
    """

    def __init__(self, optimizer: str, rule: int, problem: str):
        super().__init__(optimizer, rule, problem)
        self.optimizer, self.rule, self.problem = optimizer, rule, problem

    @property
    def rule_name(self) -> str:
        """Return the name of the broken rule."""
        return RULES[self.rule]

    def __str__(self) -> str:
        return f"{self.optimizer} breaks rule {self.rule} ({self.rule_name}): {self.problem}"


def check_optimizer(kind: type[Optimizer], seed: int = 0, **config: Any) -> None:
    """Check an optimizer against all rules of the contract. Try several configs.

    Args:
        kind: the optimizer's class.
        seed: seed of the numbers to try.
        config: the config to check it with.

    Raises:
        ConformanceError: a rule is broken; the error names the rule.
        marshmallow.ValidationError: the config does not fit.

    Example:
        `check_optimizer(Adam, amsgrad=True)` is a whole test.
    """
    trial = _Trial(kind, config, seed)
    trial.check_state()
    trial.check_purity()
    trial.check_bits()
    trial.check_dtypes()
    trial.check_memory()
    trial.check_descent()
    trial.check_documents()


class _Trial:
    """An optimizer's class and config, and parameters to try it on."""

    SHAPES: Mapping[str, Shape] = MappingProxyType(
        {"scalar": (), "none": (0, 3), "matrix": (3, 4), "long": (PIECE + 5,)}
    )

    def __init__(self, kind: type[Optimizer], config: dict[str, Any], seed: int):
        self.kind, self.config, self.optimizer = kind, config, kind(**config)
        stream = np.random.default_rng(seed)
        self.params = {name: np.asarray(stream.normal(size=shape)) for name, shape in self.SHAPES.items()}
        self.gradients = [
            {name: np.asarray(stream.normal(size=shape)) for name, shape in self.SHAPES.items()}
            for _ in range(STEPS)
        ]

    def broken(self, rule: int, problem: str) -> ConformanceError:
        return ConformanceError(self.kind.__name__, rule, problem)

    def copies(self, arrays: Mapping[str, Array], dtype: Any = np.float64, order: Any = "C") -> Arrays:
        return {name: array.astype(dtype, order=order) for name, array in arrays.items()}

    def start(self, dtype: Any = np.float64) -> tuple[Arrays, Arrays]:
        params = self.copies(self.params, dtype)
        return params, init_state(self.optimizer, params)

    def take(
        self, optimizer: Optimizer, params: Arrays, state: Arrays, first: int, stop: int, **out: Any
    ) -> None:
        """Take the steps with the numbers from `first` to below `stop`."""
        for number in range(first, stop):
            gradients = {
                name: gradient.astype(params[name].dtype)
                for name, gradient in self.gradients[number - 1].items()
            }
            for gradient in gradients.values():
                gradient.flags.writeable = False
            try:
                update(optimizer, params, gradients, state, Step(number, optimizer.learning_rate), **out)
            except ValueError as error:
                if "read-only" in str(error):
                    raise self.broken(1, f"it writes to a gradient ({error})") from error
                raise
            except KeyError as error:
                raise self.broken(2, f"it needs a state array that it does not declare ({error})") from error

    def check_state(self) -> None:
        for shape in self.SHAPES.values():
            state = self.optimizer.state(shape)
            if state != self.kind(**self.config).state(shape):
                raise self.broken(2, f"state{shape} differs between two optimizers with one config")
            for name, array in state.items():
                if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
                    raise self.broken(
                        2, f"the state array {name!r} is not named in letters, digits and underscores"
                    )
                if not isinstance(array, StateArray) or not isfinite(array.start):
                    raise self.broken(
                        2, f"the state array {name!r} is {array!r}, expected StateArray(shape, start)"
                    )
                if self.optimizer.elementwise and array.shape != shape:
                    raise self.broken(
                        2, f"it is elementwise, but {name!r} has shape {array.shape} for a parameter {shape}"
                    )

    def check_purity(self) -> None:
        before = {name: repr(value) for name, value in vars(self.optimizer).items()}
        params, state = self.start()
        self.take(self.optimizer, params, state, 1, STEPS + 1)
        if before != {name: repr(value) for name, value in vars(self.optimizer).items()}:
            raise self.broken(1, "it keeps something on itself")

    def check_bits(self) -> None:
        params, state = self.start()
        self.take(self.optimizer, params, state, 1, STEPS + 1)
        right = _bits(params, state)

        resumed, kept = self.start()
        self.take(self.optimizer, resumed, kept, 1, 3)
        resumed, kept = self.copies(resumed), self.copies(kept)
        self.take(self.kind(**self.config), resumed, kept, 3, STEPS + 1)
        if _bits(resumed, kept) != right:
            raise self.broken(3, "a training that is resumed from its arrays ends elsewhere")

        slots = [self.start(), self.start()]
        for number in range(1, STEPS + 1):
            (here, held), (there, new) = slots
            before = _bits(here, held)
            for array in (*there.values(), *new.values()):
                array.fill(np.nan)
            self.take(self.optimizer, here, held, number, number + 1, out_params=there, out_state=new)
            if _bits(here, held) != before:
                raise self.broken(1, "it writes to what it reads, when there are other arrays to write to")
            slots.reverse()
        if _bits(*slots[0]) != right:
            raise self.broken(3, "a step into other arrays differs from one in place")

        if self.optimizer.elementwise:
            self.check_parts()
        turned, kept = self.start()
        turned, kept = self.copies(turned, order="F"), self.copies(kept, order="F")
        self.take(self.optimizer, turned, kept, 1, STEPS + 1)
        if _bits(turned, kept) != right:
            raise self.broken(3, "arrays in Fortran order change the result")

    def check_parts(self) -> None:
        """Check that each number is updated alone: a parameter and its parts end with the same bits."""
        halves = {"first": slice(None, 7), "second": slice(7, None)}
        parts = {name: self.params["long"][half] for name, half in halves.items()}
        params, state = self.start()
        divided, kept = self.copies(parts), init_state(self.optimizer, parts)
        for number in range(1, STEPS + 1):
            self.take(self.optimizer, params, state, number, number + 1)
            gradients = {name: self.gradients[number - 1]["long"][half] for name, half in halves.items()}
            update(self.optimizer, divided, gradients, kept, Step(number, self.optimizer.learning_rate))
        if np.concatenate([*divided.values()]).tobytes() != params["long"].tobytes():
            raise self.broken(3, "it is elementwise, but a part of a parameter ends elsewhere alone")

    def check_dtypes(self) -> None:
        params, state = self.start()
        self.take(self.optimizer, params, state, 1, STEPS + 1)
        narrow, kept = self.start(np.float32)
        self.take(self.optimizer, narrow, kept, 1, STEPS + 1)
        for name, array in narrow.items():
            moved = np.abs(params[name] - self.params[name]).max(initial=0)
            if not np.allclose(array, params[name], rtol=1e-5, atol=1e-5 + 1e-3 * moved):
                raise self.broken(4, f"float32 gives other numbers than float64 for {name!r}")

    def check_memory(self) -> None:
        if not self.optimizer.elementwise:
            return
        params = {"weight": np.ones(64 * PIECE)}
        state, gradients = init_state(self.optimizer, params), {"weight": np.ones(64 * PIECE)}
        tracing = tracemalloc.is_tracing()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        update(self.optimizer, params, gradients, state, Step(1, self.optimizer.learning_rate))
        _, peak = tracemalloc.get_traced_memory()
        if not tracing:
            tracemalloc.stop()
        if peak - before > params["weight"].nbytes / 4:
            raise self.broken(
                5, f"a step allocates {peak - before} bytes, for {params['weight'].nbytes} of parameters"
            )

    def check_descent(self) -> None:
        """Check a first step on the loss Σθ²/2, whose gradient is θ."""
        params, state = self.start()
        update(self.optimizer, params, self.copies(self.params), state, Step(1, 1e-4))
        for name, array in params.items():
            if array.size and not (array**2).sum() < (self.params[name] ** 2).sum():
                raise self.broken(6, f"a small first step does not lower the loss θ²/2 of {name!r}")

    def check_documents(self) -> None:
        if "←" not in (self.kind.__doc__ or "").partition("\n")[0]:
            raise self.broken(7, "the docstring does not start with its rule, θ ← …")
        for name, field in self.kind.Config().fields.items():
            if not field.metadata.get("description"):
                raise self.broken(7, f"the config {name!r} has no description")


def _bits(*groups: Arrays) -> dict[str, bytes]:
    return {
        f"{place} {name}": array.tobytes()
        for place, group in enumerate(groups)
        for name, array in group.items()
    }
