"""Import a framework of an extra, or say how to install it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load(module: str, extra: str) -> Any:
    """Import a module of an extra.

    Args:
        module: its dotted name, `jax.numpy`.
        extra: the extra of deltawire that installs it, `jax`.

    Raises:
        ImportError: it is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != package:
            raise  # the framework is there, and something that it needs is not
        needed = f"deltawire_layers.autodiff needs {package}"
        raise ImportError(f"{needed}: pip install 'deltawire[{extra}]'", name=package) from error
