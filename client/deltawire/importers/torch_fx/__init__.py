"""A torch module as a network: `from_torch(module, *examples)`."""

from deltawire.importers.torch_fx.importer import from_torch

__all__ = ["from_torch"]
