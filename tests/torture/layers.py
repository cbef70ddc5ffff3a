"""Layers that break the contract, each in one way: twelve ways in each phase of a request.

All of them compute y = w ∘ x otherwise. `python -m gunicorn "torture.layers:app()"` serves them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np
from flask import Flask
from support.layers import registry

from deltawire_layers import Activation, Layer, Parameter
from deltawire_layers.initializers import ones
from deltawire_service.app import create_app

Shape = tuple[int, ...]
Way = Callable[..., Any]
"""Stands in for one call of a layer: gets what the right call would give, then its arguments."""

SECRET = "hunter2-in-/etc/shadow"
BULKY = 2**20
"""Numbers that an example of the bulky layer claims to hold: a few examples make several chunks."""


class Times(Layer):
    """y = w ∘ x, for x and w of one shape (...)."""

    def output_shape(self, x: Shape) -> Any:
        return x

    def parameters(self, x: Shape) -> Any:
        return {"w": Parameter(x, ones)}

    def forward(self, params: Mapping[str, Any], x: Any) -> Any:
        w = params["w"]
        return Activation(
            w * x, deltas=(lambda delta: w * delta,), grads={"w": lambda delta: (x * delta).sum(axis=0)}
        )


class Bulky(Layer):
    """y = x, for x (...), as if it needed a lot of memory."""

    def output_shape(self, x: Shape) -> Shape:
        return x

    def saved(self, x: Shape) -> int:
        return BULKY

    def forward(self, params: Mapping[str, Any], x: Any) -> Activation:
        return Activation(x, deltas=(lambda delta: delta,))


class NoException(BaseException):
    """What nobody expects."""


def raising(error: type[BaseException]) -> Way:
    def way(*_: Any) -> NoReturn:
        raise error(SECRET)

    return way


def recurses(*arguments: Any) -> Any:
    return recurses(*arguments)


def giving(what: Any) -> Way:
    return lambda right, *_: what


def made(how: Callable[[Any], Any]) -> Way:
    """Gives something made of what is right."""
    return lambda right, *_: how(right)


def replaced(**parts: Callable[[Activation], Any]) -> Way:
    """Gives the right activation with parts of it replaced."""
    return lambda right, *_: right._replace(**{part: how(right) for part, how in parts.items()})


def doing(act: Callable[..., Any]) -> Way:
    """Does something with its arguments, and gives what is right: nothing else could show what it did."""

    def way(right: Any, *arguments: Any) -> Any:
        act(*arguments)
        return right

    return way


def writes(array: Any) -> None:
    array += 1


def unlocks(array: Any) -> None:
    array.setflags(write=True)
    array += 1


def reaches_behind(array: Any) -> None:
    array.base[...] = 0


RAISES = raising(RuntimeError)
EXITS = lambda *_: sys.exit(SECRET)  # noqa: E731
INTERRUPTS = raising(KeyboardInterrupt)
OUT_OF_MEMORY = raising(MemoryError)

SHAPE: dict[str, tuple[str, Way]] = {
    "raises": ("output_shape", RAISES),
    "exits": ("parameters", EXITS),
    "interrupts": ("saved", INTERRUPTS),
    "closes a generator": ("integer_inputs", raising(GeneratorExit)),
    "ends an iteration": ("output_shape", raising(StopIteration)),
    "recurses": ("output_shape", recurses),
    "gives None": ("output_shape", giving(None)),
    "gives a list": ("output_shape", made(list)),
    "gives negative sizes": ("output_shape", made(lambda shape: (-1, *shape))),
    "gives sizes that are floats": ("output_shape", made(lambda shape: (2.0, *shape))),
    "gives bare shapes for parameters": ("parameters", giving({"w": (2,)})),
    "takes integers where there is no input": ("integer_inputs", giving({5: range(3)})),
}

FORWARD: dict[str, Way] = {
    "raises": RAISES,
    "exits": EXITS,
    "interrupts": INTERRUPTS,
    "closes a generator": raising(GeneratorExit),
    "recurses": recurses,
    "gives None": giving(None),
    "gives a wrong shape": replaced(value=lambda right: right.value[..., :1]),
    "gives objects": replaced(value=lambda right: right.value.astype(object)),
    "gives a matrix": replaced(value=lambda right: right.value.view(np.matrix)),
    "gives too few equations": replaced(deltas=lambda right: ()),
    "writes into its input": doing(lambda params, x: writes(x)),
    "writes into its parameters": doing(lambda params, x: writes(params["w"])),
}

DELTAS: dict[str, Way] = {
    "raises": RAISES,
    "exits": EXITS,
    "interrupts": INTERRUPTS,
    "ends an iteration": raising(StopIteration),
    "runs out of memory": OUT_OF_MEMORY,
    "gives None": giving(None),
    "gives a wrong shape": made(lambda delta: delta[:, None]),
    "gives bytes the wrong way round": made(lambda delta: delta.astype(delta.dtype.newbyteorder())),
    "gives a masked array": made(np.ma.masked_invalid),
    "writes into delta": doing(lambda delta, value: writes(delta)),
    "unlocks delta": doing(lambda delta, value: unlocks(delta)),
    "writes into the value it gave": doing(lambda delta, value: writes(value)),
}

GRADS: dict[str, Way] = {
    "raises": RAISES,
    "exits": EXITS,
    "interrupts": INTERRUPTS,
    "raises what is no Exception": raising(NoException),
    "runs out of memory": OUT_OF_MEMORY,
    "gives None": giving(None),
    "gives a wrong shape": made(lambda gradient: gradient[None]),
    "gives a list": made(lambda gradient: gradient.tolist()),
    "gives another dtype": made(lambda gradient: gradient.astype(np.float16)),
    "has no equation": giving({}),
    "has one too many": made(lambda grads: {**grads, "v": grads["w"]}),
    "reaches behind its parameter": doing(lambda delta, w: reaches_behind(w)),
}
OF_ALL = ("has no equation", "has one too many")
"""What is wrong with the mapping of gradients, not with one of them."""


def in_shape(method: str, way: Way) -> type[Layer]:
    """A layer that answers one question about shapes in this way."""

    def answer(self: Times, x: Shape) -> Any:
        return way(getattr(super(broken, self), method)(x), x)

    answer.__name__ = method
    broken: type[Times] = type("Broken", (Times,), {method: answer})
    return broken


def in_forward(way: Way) -> type[Layer]:
    class Broken(Times):
        """y = w ∘ x, or what it gives instead."""

        def forward(self, params: Mapping[str, Any], x: Any) -> Any:
            return way(super().forward(params, x), params, x)

    return Broken


def in_deltas(way: Way) -> type[Layer]:
    class Broken(Times):
        """y = w ∘ x, whose delta is sent down in another way."""

        def forward(self, params: Mapping[str, Any], x: Any) -> Any:
            right = super().forward(params, x)
            return right._replace(deltas=(lambda delta: way(right.deltas[0](delta), delta, right.value),))

    return Broken


def in_grads(what: str, way: Way) -> type[Layer]:
    class Broken(Times):
        """y = w ∘ x, whose gradient is another."""

        def forward(self, params: Mapping[str, Any], x: Any) -> Any:
            right = super().forward(params, x)
            if what in OF_ALL:
                return right._replace(grads=way(right.grads))
            gradient = right.grads["w"]
            return right._replace(grads={"w": lambda delta: way(gradient(delta), delta, params["w"])})

    return Broken


class Dies(Times):
    """y = w ∘ x, but the process is gone: nothing in it can help."""

    def forward(self, params: Mapping[str, Any], x: Any) -> NoReturn:
        os._exit(1)


def kind_of(phase: str, what: str) -> str:
    """The kind of the layer that does this in a phase."""
    return f"{phase}_{what.replace(' ', '_')}".lower()


KINDS: dict[str, type[Layer]] = {
    **{kind_of("shape", what): in_shape(*where) for what, where in SHAPE.items()},
    **{kind_of("forward", what): in_forward(way) for what, way in FORWARD.items()},
    **{kind_of("deltas", what): in_deltas(way) for what, way in DELTAS.items()},
    **{kind_of("grads", what): in_grads(what, way) for what, way in GRADS.items()},
}

LAYERS = registry(times=Times, bulky=Bulky, dies=Dies, **KINDS)


def app() -> Flask:
    """The service with all of them, its settings from the environment."""
    return create_app(layers=LAYERS)
