"""A served network as a module of torch: its values and gradients come from a deltawire service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deltawire import computations
from deltawire.arguments.kinds import boolean
from deltawire.arrays import as_numbers
from deltawire.client import Client
from deltawire.errors import Fault, Refused, missing_extra
from deltawire.integrations.bridge import ServedNetwork, serve_network
from deltawire.integrations.untraced import untraced
from deltawire.models.model import Model
from deltawire.models.results import StepResult
from deltawire.request_builder import Spec, parameters_among
from deltawire.wire import Array

try:
    import torch
except ModuleNotFoundError as error:
    raise missing_extra("torch", error) from error


class RemoteNetwork(torch.nn.Module):
    """y = network(x), computed by a service; trains inside a larger module like any other part of it.

    The parameters of a model stay at the service. Backward passes collect their gradients, as torch does in
    `.grad`, and `step` takes a step of the model with them.

    Noise inputs are drawn while the module trains, and have their means after `eval()`.

    Derivatives of derivatives raise RuntimeError: `Client.hvp` computes those of a loss.
    """

    def __init__(
        self,
        network: Spec,
        params: Mapping[str, Any] | None = None,
        *,
        constants: Mapping[str, Array] | None = None,
        outputs: Iterable[str] = (),
        client: Client | None = None,
        trainable: bool = True,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ):
        """Have the service plan the network, and take or draw its first parameters.

        Args:
            network: A network, a spec, a published network, or a model.
            params: First parameters by name, `hidden.weight` that of a child `hidden`. They become the
                module's own, and go with every request. By default they are drawn from the seed. Those of a
                published network or a model stay at the service.
            constants: Data of inputs that is the same for every call, such as statistics of a norm.
            outputs: Nodes whose values `forward` returns: one as a tensor, several as a tuple. By default
                the last node.
            client: Of the service; by default that of the model, or one in this process.
            trainable: Whether parameters learn; otherwise they are buffers, or no gradients are collected.
            seed: Of the first parameters.
            dtype: Of the first parameters, and so of the tensors that `forward` takes.

        Raises:
            Refused: The network is wrong, has no such node, or a node or learned input has a name of torch's.
        """
        super().__init__()
        trainable = boolean("/trainable", trainable)
        served = serve_network(network, outputs, client)
        self._calls = _Calls(served, dict(constants or {}))
        self._inputs = tuple(name for name in served.inputs if name not in self._calls.constants)
        if params is None:
            params = self._calls.first_parameters(seed, str(dtype).removeprefix("torch."))
        self._model = served.network if isinstance(served.network, Model) and not params else None
        # torch differentiates what depends on a tensor that requires grad. Parameters at a service are none.
        self._anchor = torch.zeros((), requires_grad=True) if self._model and trainable else None
        self._names = tuple(params)
        for name, value in params.items():
            self._add_parameter(name, torch.as_tensor(value).detach().clone(), trainable)

    def _add_parameter(self, name: str, numbers: torch.Tensor, trainable: bool) -> None:
        """Register a parameter of a node in a module of that name, and a learned input in this module."""
        node, _, local = name.rpartition(".")
        own = node or local
        if own not in self._modules:
            if hasattr(self, own):
                what = f"node '{node}' has parameters" if node else f"input '{local}' is a parameter"
                detail = f"{what}, and a torch module has an attribute of that name: rename it"
                raise Refused([Fault("", "name_reserved", detail)])
            if node:
                self.add_module(node, torch.nn.Module())
        if trainable:
            self.get_submodule(node).register_parameter(local, torch.nn.Parameter(numbers))
        else:
            self.get_submodule(node).register_buffer(local, numbers)

    @untraced
    def forward(self, *inputs: torch.Tensor, **named: torch.Tensor) -> Any:
        """Return the values of the outputs, (batch, *shape) each. torch.compile leaves it as it is.

        Args:
            inputs: CPU tensors (batch, *shape) of the parameters' dtype, in the order of the spec.
            named: Further inputs, by name.

        Raises:
            Refused: An input is missing, unknown, passed twice, or not on the CPU.
        """
        arguments = dict(zip(self._inputs, inputs, strict=False)) | named
        unknown = [name for name in arguments if name not in self._inputs]
        if unknown or len(inputs) > len(self._inputs) or len(arguments) < len(inputs) + len(named):
            expected = ", ".join(self._inputs)
            detail = f"expected each of the inputs {expected} once, got {len(inputs)} and {', '.join(named)}"
            raise Refused([Fault("", "unknown_name", detail)])
        params = {name: self._parameter(name) for name in self._names}
        names = (*params, *arguments)
        calls = self._calls.pinned(self.training)
        values = _Served.apply(calls, names, self._anchor, *params.values(), *arguments.values())
        return values[0] if len(values) == 1 else values

    @property
    def gradients(self) -> dict[str, Array]:
        """The gradients of a model's parameters that backward passes have added up since the last step."""
        return self._calls.gradients

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget gradients, those of a model's parameters too."""
        super().zero_grad(set_to_none)
        self.gradients.clear()

    def step(
        self, *, learning_rate: float | None = None, if_version: int | None = None, key: str | None = None
    ) -> StepResult:
        """Take a step of the model with the gradients of the backward passes, and forget them.

        Args:
            learning_rate: For this step alone.
            if_version: The version that the step must start from; None for any.
            key: The Idempotency-Key; by default a new one.

        Raises:
            Refused: The network is no model, there are no gradients, or the model refuses the step.
        """
        if self._model is None:
            detail = "only a model takes steps; torch.optim trains the parameters of this module"
            raise Refused([Fault("/network", "field_invalid", detail)])
        if not self.gradients:
            detail = "there are no gradients: call backward() on a loss of the module's values first"
            raise Refused([Fault("/gradients", "field_missing", detail)])
        result = self._model.step(
            gradients=self.gradients, learning_rate=learning_rate, if_version=if_version, key=key
        )
        self.gradients.clear()
        return result

    def extra_repr(self) -> str:
        return f"{', '.join(self._inputs)} -> {', '.join(self._calls.served.outputs)}"

    def _parameter(self, name: str) -> torch.Tensor:
        node, _, local = name.rpartition(".")
        tensor: torch.Tensor = getattr(self.get_submodule(node), local)
        return tensor


@dataclass(frozen=True)
class _Calls:
    """The calls of one module.

    Attributes:
        served: The network.
        constants: Data that goes with every call.
        gradients: Of a model's parameters, added up.
    """

    served: ServedNetwork
    constants: Mapping[str, Array]
    gradients: dict[str, Array] = field(default_factory=dict)

    def pinned(self, training: bool) -> _Calls:
        """Return the calls of a forward and a backward pass: with one version of a model, and one noise.

        training: Whether noise is drawn; its seed comes from the generator of torch.
        """
        served = self.served.pinned()
        if training and served.has_noise:
            served = replace(served, noise_seed=int(torch.randint(2**63 - 1, ())))
        return replace(self, served=served)

    def first_parameters(self, seed: int, dtype: str) -> Mapping[str, Any]:
        """Draw parameters; none where the service has them."""
        served = self.served
        return {} if served.has_parameters else computations.init(served.client, served.network, seed, dtype)

    def values(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return the values of the outputs for parameters and data by name."""
        return self.served.values(*self._split(arrays))

    def products(
        self,
        arrays: Mapping[str, Array],
        cotangents: Mapping[str, Array],
        wrt: Iterable[str],
        of_model: bool,
    ) -> dict[str, Array]:
        """Return vector-Jacobian products by name.

        Args:
            arrays: Parameters and data by name.
            cotangents: By output.
            wrt: Parameters and inputs.
            of_model: Add the products with respect to a model's parameters to `gradients`.
        """
        wrt = list(wrt)
        own = parameters_among(self.served.network, wrt)
        data = [name for name in wrt if name not in own]
        products = self.served.products(
            *self._split(arrays), cotangents, {"params": of_model or own or False, "data": data or False}
        )
        for name in parameters_among(self.served.network, products) if of_model else ():
            product = products.pop(name)
            self.gradients[name] = self.gradients[name] + product if name in self.gradients else product
        return products

    def _split(self, arrays: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        params = {name: arrays[name] for name in parameters_among(self.served.network, arrays)}
        data = {name: array for name, array in arrays.items() if name not in params}
        return params, {**self.constants, **data}


class _Served(torch.autograd.Function):
    """One forward pass and one vector-Jacobian product, each a request.

    The anchor is a tensor that requires grad where the gradients of a model's parameters are collected.
    """

    @staticmethod
    def forward(
        context: Any, calls: _Calls, names: tuple[str, ...], anchor: Any, *tensors: torch.Tensor
    ) -> Any:
        context.calls, context.names = calls, names
        context.save_for_backward(*tensors)
        values = calls.values(_arrays(names, tensors))
        return tuple(torch.from_numpy(values[name]) for name in calls.served.outputs)

    @staticmethod
    @untraced
    def backward(context: Any, *cotangents: torch.Tensor) -> Any:
        calls, names, tensors = context.calls, context.names, context.saved_tensors
        of_model, *needs = context.needs_input_grad[2:]
        needed = [name for name, needs_it in zip(names, needs, strict=True) if needs_it]
        arrays = _arrays(names, tensors)
        products = calls.products(arrays, _arrays(calls.served.outputs, cotangents), needed, of_model)
        sources = *tensors, *cotangents
        gradients = {name: _Constant.apply(torch.from_numpy(products[name]), *sources) for name in needed}
        return None, None, None, *(gradients.get(name) for name in names)


class _Constant(torch.autograd.Function):
    """A product that depends on its sources in ways that cannot be differentiated.

    torch's own once_differentiable treats what does not come from the cotangents as a constant, so that a
    penalty on a gradient would silently have no gradient.
    """

    @staticmethod
    def forward(context: Any, product: torch.Tensor, *sources: torch.Tensor) -> torch.Tensor:
        return product

    @staticmethod
    def backward(context: Any, *_: torch.Tensor) -> Any:
        raise RuntimeError("a served network has first derivatives only: Client.hvp computes second ones")


def _arrays(names: Iterable[str], tensors: Iterable[torch.Tensor]) -> dict[str, Array]:
    """Return arrays by name; raises Refused for a tensor that is not on the CPU, or has no numbers."""
    return {
        name: np.ascontiguousarray(as_numbers(tensor.detach(), f"/{name}"))
        for name, tensor in zip(names, tensors, strict=True)
    }
