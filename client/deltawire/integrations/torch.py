"""A served network as a module of torch: its forward and its gradients come from a deltawire service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from deltawire.client import Client
from deltawire.documents import Spec
from deltawire.errors import Fault, Refused
from deltawire.extras import missing
from deltawire.integrations.bridge import served
from deltawire.published import Published
from deltawire.wire import Array

try:
    import torch
except ModuleNotFoundError as error:
    raise missing("torch", error) from error


class RemoteNetwork(torch.nn.Module):
    """y = network(x), computed by a service; trains inside a larger module as any other part of it.

    network: its spec. params: first parameters, by name, `hidden.weight` that of a child `hidden`: they are
    the module's own, and sent with every call. Without them they are drawn from the seed; those of a network
    from `Client.published` stay at the service, and do not learn.
    constants: data of inputs that are the same for every call, statistics of a norm among them.
    outputs: nodes whose values `forward` gives: one a tensor, several a tuple. By default the last node.
    client: of the service; by default one in this process. trainable: False keeps the parameters as buffers.

    `forward` takes the other inputs, by name or in the order of the spec, on the processor, of the dtype of
    the parameters. Derivatives of derivatives are refused: the service's hvp has those.
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
        super().__init__()
        self._served = known = served(network, outputs, client)
        self._constants = dict(constants or {})
        self._inputs = tuple(name for name in known.inputs if name not in self._constants)
        if params is None and isinstance(known.request, Published):
            params = {}
        elif params is None:
            params = known.client.init(known.request, seed, str(dtype).removeprefix("torch."))
        self._names = tuple(params)
        for name, value in params.items():
            node, _, local = name.partition(".")
            if node not in self._modules:
                if hasattr(self, node):
                    detail = f"node '{node}' has parameters, and a torch module something else of this name"
                    raise Refused([Fault("", "name_reserved", f"{detail}: call the node otherwise")])
                self.add_module(node, torch.nn.Module())
            numbers = torch.as_tensor(value).detach().clone()
            if trainable:
                self.get_submodule(node).register_parameter(local, torch.nn.Parameter(numbers))
            else:
                self.get_submodule(node).register_buffer(local, numbers)

    def forward(self, *inputs: torch.Tensor, **named: torch.Tensor) -> Any:
        """The values of the outputs, (batch, *shape) each."""
        given = dict(zip(self._inputs, inputs, strict=False)) | named
        unknown = [name for name in given if name not in self._inputs]
        if unknown or len(inputs) > len(self._inputs) or len(given) < len(inputs) + len(named):
            expected = ", ".join(self._inputs)
            detail = f"expected each of the inputs {expected} once, got {len(inputs)} and {', '.join(named)}"
            raise Refused([Fault("", "unknown_name", detail)])
        params = {name: self._parameter(name) for name in self._names}
        names = (*params, *given)
        values = _Served.apply(self, names, *params.values(), *given.values())
        return values[0] if len(self._served.outputs) == 1 else values

    def extra_repr(self) -> str:
        return f"{', '.join(self._inputs)} -> {', '.join(self._served.outputs)}"

    def _parameter(self, name: str) -> torch.Tensor:
        node, _, local = name.partition(".")
        tensor: torch.Tensor = getattr(self.get_submodule(node), local)
        return tensor

    def arrays(self, names: Iterable[str], tensors: Iterable[torch.Tensor]) -> tuple[Any, Any]:
        """Parameters and data for the client."""
        arrays = {name: _numpy(tensor) for name, tensor in zip(names, tensors, strict=True)}
        params = {name: array for name, array in arrays.items() if "." in name}
        return params, self._constants | {name: array for name, array in arrays.items() if name not in params}


class _Served(torch.autograd.Function):
    """One forward pass and one vector-Jacobian product, each a request."""

    @staticmethod
    def forward(context: Any, module: RemoteNetwork, names: tuple[str, ...], *tensors: torch.Tensor) -> Any:
        context.module, context.names = module, names
        context.save_for_backward(*tensors)
        params, data = module.arrays(names, tensors)
        known = module._served
        values = known.client.forward(known.request, params, data, known.outputs)
        return tuple(torch.from_numpy(values[name]) for name in known.outputs)

    @staticmethod
    def backward(context: Any, *cotangents: torch.Tensor) -> Any:
        module, names, tensors = context.module, context.names, context.saved_tensors
        known = module._served
        asked = [name for name, wanted in zip(names, context.needs_input_grad[2:], strict=True) if wanted]
        params, data = module.arrays(names, tensors)
        by_output = dict(zip(known.outputs, map(_numpy, cotangents), strict=True))
        wrt = {
            "params": [name for name in asked if "." in name] or False,
            "data": [name for name in asked if "." not in name] or False,
        }
        products = known.client.vjp(known.request, params, data, by_output, wrt=wrt)
        given = *tensors, *cotangents
        found = {name: _Constant.apply(torch.from_numpy(products[name]), *given) for name in asked}
        return None, None, *(found.get(name) for name in names)


class _Constant(torch.autograd.Function):
    """A product that depends on what it was made of, in ways that cannot be differentiated.

    torch's own once_differentiable takes what does not come from the cotangents for a constant, so that a
    penalty on a gradient would silently have no gradient.
    """

    @staticmethod
    def forward(context: Any, product: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
        return product

    @staticmethod
    def backward(context: Any, *_: torch.Tensor) -> Any:
        raise RuntimeError(
            "a served network has first derivatives only: Client.hvp has second ones of a loss"
        )


def _numpy(tensor: torch.Tensor) -> Array:
    if tensor.device.type != "cpu":
        detail = f"a tensor is on {tensor.device}: a served network takes those of the processor, x.cpu()"
        raise Refused([Fault("", "tensor_invalid", detail)])
    return np.ascontiguousarray(tensor.detach().numpy())
