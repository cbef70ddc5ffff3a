"""A torch module as a pure function: its parameters are arguments, and every call has a copy of it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.autodiff.extras import load
from deltawire_layers.layer import Array, Initializer, LayerError, Parameter, Shape

torch = load("torch", "torch")

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
"""Names that parameters of a layer may have."""

_drawing = Lock()
"""torch has one stream of random numbers, which is put aside while a module is made."""


class PureModule(NamedTuple):
    """A module whose tensors are arguments of each call.

    module:     the module; calls use copies of it
    parameters: torch's name of each parameter, by the layer's name
    constants:  buffers and frozen parameters, by torch's name
    keywords:   names by which the inputs are passed; empty when they are passed by position
    choose:     picks the value from what the module returns
    """

    module: Any
    parameters: Mapping[str, str]
    constants: Mapping[str, Any]
    keywords: tuple[str, ...]
    choose: Callable[[Any], Any]

    def call(self, params: Mapping[str, Any], constants: Mapping[str, Any], inputs: tuple[Any, ...]) -> Any:
        """Call a copy of the module, and return the value.

        Args:
            params: tensors by the layer's names.
            constants: tensors by torch's names.
            inputs: tensors, batch first.

        Raises:
            LayerError: the module returns something else than one tensor.
        """
        tensors = {self.parameters[name]: tensor for name, tensor in params.items()} | dict(constants)
        names = dict(zip(self.keywords, inputs, strict=True)) if self.keywords else {}
        args = () if names else inputs
        result = self.choose(torch.func.functional_call(self._copy(), tensors, args, names))
        if not isinstance(result, torch.Tensor):
            shown = type(result).__name__
            problem = f"returns a {shown}: from_torch(module, value=…) picks the tensor that is the value"
            raise LayerError(f"{type(self.module).__name__} {problem}")
        return result

    def _copy(self) -> Any:
        """Return a copy that shares the tensors: a call replaces them, and may store things on the module."""
        owned = [*self.module.parameters(), *self.module.buffers()]
        return copy.deepcopy(self.module, {id(tensor): tensor for tensor in owned})

    def shapes(self) -> dict[str, tuple[Shape, Any]]:
        """Return the shape and dtype of each parameter, by the layer's name."""
        owned = dict(self.module.named_parameters())
        return {name: (tuple(owned[path].shape), owned[path].dtype) for name, path in self.parameters.items()}

    def numbers(self, name: str) -> Array:
        """Return the module's own numbers of a parameter, in float64."""
        tensor = dict(self.module.named_parameters())[self.parameters[name]]
        return np.array(tensor.detach().to(torch.float64).numpy())


def pure_module(module: Any, keywords: tuple[str, ...], choose: Callable[[Any], Any]) -> PureModule:
    """Check a module, and return it as a pure function.

    Args:
        module: a torch.nn.Module on the CPU.
        keywords: names by which the inputs are passed; empty when they are passed by position.
        choose: picks the value from what the module returns.

    Raises:
        TypeError: it is no module.
        ValueError: it cannot be a layer; the message names the part at fault, with the mend.
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"expected a torch.nn.Module, got {type(module).__name__}")
    _refuse_batch_axis(module)
    parameters: dict[str, str] = {}
    constants = {path: buffer.detach() for path, buffer in module.named_buffers()}
    for path, parameter in module.named_parameters():
        if isinstance(parameter, torch.nn.parameter.UninitializedParameter):
            raise ValueError(f"'{path}' has no shape yet: call the lazy module once before")
        if not parameter.requires_grad:
            constants[path] = parameter.detach()
            continue
        name = layer_name(path)
        if name in parameters:
            raise ValueError(f"'{path}' and '{parameters[name]}' are both named '{name}': rename one")
        if not parameter.is_floating_point():
            raise ValueError(f"'{path}' is {parameter.dtype}: parameters are real numbers")
        parameters[name] = path
    for path, tensor in constants.items():
        if tensor.device.type not in ("cpu", "meta"):
            raise ValueError(f"'{path}' is on {tensor.device}: move the module by .cpu()")
    return PureModule(module, parameters, constants, keywords, choose)


def layer_name(path: str) -> str:
    """Return the layer's name of a parameter: `0.weight` becomes `module_0_weight`.

    Raises:
        ValueError: the name is too long, or has other characters than letters, digits and underscores.
    """
    name = path.replace(".", "_")
    name = f"module_{name}" if name[0].isdigit() else name
    if not NAME.fullmatch(name):
        raise ValueError(f"'{path}' cannot name a parameter: at most 64 letters, digits and underscores")
    return name


def _refuse_batch_axis(module: Any) -> None:
    """Refuse modules whose examples depend on each other."""
    if getattr(module, "batch_first", True) is False:
        kind = type(module).__name__
        raise ValueError(f"{kind} takes the batch as its second axis: make it with batch_first=True")
    norms = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d, torch.nn.SyncBatchNorm)
    for path, part in module.named_modules():
        if isinstance(part, norms) and (part.training or part.running_mean is None):
            name = f"'{path}' ({type(part).__name__})" if path else type(part).__name__
            raise ValueError(f"{name} computes statistics of the batch: call .eval() on a trained module")


def made(make: Callable[[], Any], seed: int) -> Any:
    """Call a function that makes a module, with torch's random numbers started from a seed."""
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def own_numbers(module: PureModule) -> dict[str, Parameter]:
    """Return the parameters of a finished module, which start from its own numbers."""

    def start(name: str) -> Initializer:
        return lambda stream, shape: module.numbers(name)

    return {name: Parameter(shape, start(name)) for name, (shape, _) in module.shapes().items()}


def drawn_numbers(module: PureModule, make: Callable[[], PureModule]) -> dict[str, Parameter]:
    """Return the parameters of a module that is made for each seed, which start as torch draws them.

    Args:
        module: one such module.
        make: makes another.
    """

    def start(name: str) -> Initializer:
        def draw(stream: np.random.Generator, shape: Shape) -> Array:
            seed = int(stream.integers(2**63))
            return made(make, seed).numbers(name)  # type: ignore[no-any-return]

        return draw

    return {name: Parameter(shape, start(name)) for name, (shape, _) in module.shapes().items()}
