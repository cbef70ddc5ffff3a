"""Run the original module and its gradients, to compare an import with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from deltawire.errors import Fault, Refused
from deltawire.exporters.torch import to_state_dict
from deltawire.importers.builder import Imported
from deltawire.importers.comparison import FLOAT32, FLOAT64
from deltawire.importers.torch_fx.outputs import named_outputs
from deltawire.wire import Array


class Original:
    """A module that takes data by the names of the imported network's inputs.

    Args:
        module: The module, in eval mode.
        imported: The network imported from it.
        examples: One tensor for each argument of its forward, (batch, ...).
    """

    within: Mapping[str, float] = {"float32": FLOAT32, "float64": FLOAT64}

    def __init__(self, module: nn.Module, imported: Imported, examples: tuple[torch.Tensor, ...]):
        self._module = module
        self._imported = imported
        inputs = imported.network.spec()["inputs"]
        names = [
            name
            for name, slot in inputs.items()
            if name not in imported.constants and "parameter" not in slot
        ]
        self._dtypes = dict(zip(names, (example.dtype for example in examples), strict=True))
        self.examples: Mapping[str, Array] = {
            name: example.detach().numpy() for name, example in zip(names, examples, strict=True)
        }
        parameters = dict(module.named_parameters(remove_duplicate=False))
        self._learned = {name: one for name, one in parameters.items() if one.requires_grad}

    def run(self, data: Mapping[str, Array]) -> list[Array]:
        """Return the module's outputs for a batch, in order."""
        with torch.no_grad():
            return [tensor.numpy() for tensor in self._outputs(self._tensors(data))]

    def gradients(self, data: Mapping[str, Array], cotangents: list[Array]) -> dict[str, Array]:
        """Return Σ cotangent · ∂output/∂(parameter, input), zeros where no output depends on one.

        Args:
            data: A batch, by the names of the network's inputs.
            cotangents: One array for each output, of its shape.

        Raises:
            Refused: The output depends on a parameter that the network would not learn, or the network learns
                an array that is no parameter of the module.
        """
        tensors = self._tensors(data)
        leaves = {
            f"the gradient of input '{name}'": tensor.requires_grad_()
            for name, tensor in zip(self._dtypes, tensors, strict=True)
            if tensor.is_floating_point()
        }
        wanted = leaves | {gradient_of(name): one for name, one in self._learned.items()}
        with torch.enable_grad():
            # autograd allows operations in place on a copy of a leaf, but not on the leaf itself.
            outputs = self._outputs([tensor.clone() for tensor in tensors])
            total = torch.zeros((), dtype=outputs[0].dtype)
            for tensor, cotangent in zip(outputs, cotangents, strict=True):
                total = total + (tensor * torch.from_numpy(cotangent)).sum()
        if not total.requires_grad:
            return {}
        products = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
        depends = {what for what, product in zip(wanted, products, strict=True) if product is not None}
        self._check_learned(depends)
        return {
            what: (torch.zeros_like(leaf) if product is None else product.to_dense()).detach().numpy()
            for (what, leaf), product in zip(wanted.items(), products, strict=True)
        }

    def _check_learned(self, depends: set[str]) -> None:
        """Raise Refused unless the network and the module learn the same parameters."""
        named = to_state_dict(self._imported.network, self._imported.params, {})
        ours = {id(self._learned[name]) for name in named if name in self._learned}
        reasons = [
            f"the output depends on the parameter '{name}', which would not be learned"
            for name, parameter in self._learned.items()
            if gradient_of(name) in depends and id(parameter) not in ours
        ]
        known = dict(self._module.named_parameters(remove_duplicate=False))
        reasons += [
            f"'{name}' would be learned, which is no parameter" for name in named if name not in known
        ]
        if reasons:
            raise Refused([Fault("", "not_expressible", why) for why in reasons])

    def named(self, products: Mapping[str, Array]) -> dict[str, Array]:
        """Return the network's products under the names and in the layout of the module's parameters."""
        params = {name: array for name, array in products.items() if name in self._imported.params}
        state = to_state_dict(self._imported.network, params, {})
        numbers = {gradient_of(name): tensor.numpy() for name, tensor in state.items()}
        inputs = {name: array for name, array in products.items() if name not in params}
        return numbers | {f"the gradient of input '{name}'": array for name, array in inputs.items()}

    def _outputs(self, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
        return list(named_outputs(self._module(*tensors)).values())

    def _tensors(self, data: Mapping[str, Array]) -> list[torch.Tensor]:
        return [torch.from_numpy(np.array(data[name])).to(dtype) for name, dtype in self._dtypes.items()]


def gradient_of(name: str) -> str:
    return f"the gradient of '{name}'"
