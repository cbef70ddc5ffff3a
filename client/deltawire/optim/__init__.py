"""Optimizers for training loops: they change plain dicts of arrays in place.

optimizer = deltawire.optim.adam(learning_rate=1e-3)
loss, gradients = client.value_and_grad(net, params, batch)
optimizer.step(params, gradients)
"""

from deltawire.optim import schedules
from deltawire.optim.factories import adagrad, adam, adamw, lion, rmsprop, sgd
from deltawire.optim.optimizer import Optimizer

__all__ = ["Optimizer", "adagrad", "adam", "adamw", "lion", "rmsprop", "schedules", "sgd"]
