"""Optimizers for training loops: they change plain dicts of arrays in place.

optimizer = deltawire.optim.adam(learning_rate=1e-3)
for batch in deltawire.optim.batches(data, 32):
    loss, gradients = client.value_and_grad(net, params, batch)
    optimizer.step(params, gradients)

`fit` is this loop, for some epochs.
"""

from typing import TYPE_CHECKING, Any

from deltawire.arguments.foreign_names import missing_attribute
from deltawire.optim import schedules
from deltawire.optim.factories import adagrad, adam, adamw, lion, rmsprop, sgd
from deltawire.optim.optimizer import Optimizer
from deltawire.optim.training import batches, fit

__all__ = [
    "Optimizer",
    "adagrad",
    "adam",
    "adamw",
    "batches",
    "fit",
    "lion",
    "rmsprop",
    "schedules",
    "sgd",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Say of an unknown name, as `Adam`, what stands for it."""
        raise missing_attribute(f"module {__name__!r}", ["optim"], name)
