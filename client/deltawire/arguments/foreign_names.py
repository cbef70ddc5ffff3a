"""Attributes that torch, Keras, scikit-learn and numpy have, and what stands for them here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from deltawire_plugins.foreign_keys import ForeignKeys

P = ParamSpec("P")
T = TypeVar("T")

TRAINING = "optim.fit(client, net, params, data, optimizer)"

ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "Network": {
        "fit train_on_batch train_step": f"{TRAINING} trains it",
        "forward predict call apply": "client.forward(net, params, data) computes its values",
        "evaluate score test": "client.value_and_grad(net, params, data) returns its loss on any data",
        "compile": f"the optimizer goes into {TRAINING}",
        "backward grad gradients": "client.value_and_grad(net, params, data) computes gradients",
        "init parameters weights get_weights trainable_variables state_dict": (
            "the parameters are a dict of arrays of your own; client.init(net) draws the first ones"
        ),
        "set_weights load_state_dict load_weights": "pass the parameters to each call, as a dict of arrays",
        "add add_module append": 'net.layer("linear", x, units=4) adds a layer',
        "train eval": "there are no modes: a network computes what its spec says",
        "to cuda cpu float double half": "the arrays of a call decide the dtype; there are no devices",
    },
    "Handle": {
        "transpose permute t swapaxes": 'x.T, or net.layer("transpose", x, axes=…)',
        "reshape view ravel squeeze unsqueeze": 'net.layer("reshape", x, shape=…)',
        "flatten": 'net.layer("flatten", x)',
        "expand broadcast_to repeat tile": 'net.layer("expand", x, shape=…)',
        "max min amax argmax std var prod norm": (
            "client.layers() lists the layers, and net.layer(kind, x) adds one"
        ),
        "relu tanh sigmoid softmax exp log sqrt dot matmul": (
            'net.layer adds a layer, as in net.layer("tanh", x)'
        ),
        "numpy item detach value values data eval": (
            "a place of a network holds no numbers: client.forward(net, params, data, [x]) computes them"
        ),
        "backward grad": "client.value_and_grad(net, params, data, wrt=…) computes gradients",
        "size ndim": "x.shape is the shape of one example",
        "dtype astype to": "the arrays of a call decide the dtype",
    },
    "Client": {
        "predict call apply predict_proba": "client.forward(net, params, data) computes values",
        "fit train": f"{TRAINING} trains here, and client.create_model(…).fit(data) at the service",
        "hessian": "client.hvp multiplies by it, client.hessian_diagonal estimates its diagonal",
        "jacrev jacfwd": "client.jacobian has them: mode='reverse' or 'forward'",
        "grad backward gradient value_and_gradients": "client.value_and_grad(net, params, data)",
        "loss evaluate score": "client.value_and_grad(net, params, data) returns the loss first",
        "save load": "net.save(path, params) and Network.load(path) keep a network in a file",
        "timeout retries api_key url": "it is an argument of Client(…), and holds for its whole life",
    },
    "ModelVersion": {
        "predict call apply predict_proba": "model.forward(data) computes values",
        "train train_on_batch train_step": "model.step(data) takes a step, model.fit(data) trains",
        "evaluate score": "model.value_and_grad(data) returns the loss first",
        "state_dict parameters weights get_weights": "model.params() returns the parameters",
        "set_weights load_state_dict load_weights": (
            "client.create_model(…, params=…) makes a model with them"
        ),
        "compile": "the optimizer goes into client.create_model(…, optimizer=…)",
        "backward grad": "model.gradients(data) computes gradients",
        "load": "client.model(name) finds a model",
    },
    "Optimizer": {
        "lr": "here it is learning_rate, and optimizer.learning_rate = … changes it",
        "zero_grad": "nothing adds up: a step takes the gradients that it is given",
        "param_groups": (
            "optimizer.learning_rate = … changes the rate; a group of parameters has an optimizer of its own"
        ),
        "minimize apply_gradients apply update": "optimizer.step(params, gradients) takes a step",
        "init": "the first step makes the state",
        "momentum betas eps weight_decay clip_norm clip_value schedule": (
            "it is an argument of the optimizer, and holds for its whole life; optimizer.rule() shows it"
        ),
    },
    "optim": {
        "Adam": "it is optim.adam",
        "AdamW": "it is optim.adamw",
        "SGD Momentum": "it is optim.sgd",
        "RMSprop RMSProp": "it is optim.rmsprop",
        "Adagrad AdaGrad": "it is optim.adagrad",
        "Lion": "it is optim.lion",
        "lr_scheduler": "it is optim.schedules",
        "train minimize": TRAINING,
        "DataLoader": "optim.batches(data, size) yields shuffled batches",
        "clip_grad_norm_ clip_by_global_norm": "it is an argument of optimizers: clip_norm=",
        "clip_grad_value_ clip": "it is an argument of optimizers: clip_value=",
    },
}
"""By class, names of other libraries with what stands for them; a subclass has those of its bases."""


def missing_attribute(owner: str, names: list[str], name: str) -> AttributeError:
    """Return the error about an attribute that is not there.

    Args:
        owner: What has no such attribute, as messages name it.
        names: Keys of `ELSEWHERE` to look in.
        name: Of the attribute.
    """
    known = (entry for key in names for entry in ELSEWHERE.get(key, {}).items())
    mend = next((mend for others, mend in known if name in others.split()), "")
    return AttributeError(f"{owner} has no attribute {name!r}{f': {mend}' if mend else ''}")


def foreign_keywords(keys: ForeignKeys) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator: a keyword that the function does not have is refused with what stands for it."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        known = inspect.signature(function).parameters

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            for key in kwargs.keys() - known.keys():
                raise TypeError(f"{function.__name__}() has no argument {key!r}{keys.hint(key, known)}")
            return function(*args, **kwargs)

        return call

    return decorate


class ForeignNames:
    """Says of an unknown attribute what stands for it; `hasattr` is False for it as ever.

    A class with `__slots__` refuses to set one in the same way. Type checkers see neither, so that they still
    report attributes that are not there.
    """

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if hasattr(
                type(self), name
            ):  # a property that has failed, or a slot that is empty: its own error
                return object.__getattribute__(self, name)
            raise self._missing(name)

        def __setattr__(self, name: str, value: Any) -> None:
            if not hasattr(type(self), name) and not hasattr(self, "__dict__"):
                raise self._missing(name)
            super().__setattr__(name, value)

        def _missing(self, name: str) -> AttributeError:
            kinds = [kind.__name__ for kind in type(self).__mro__]
            return missing_attribute(f"{type(self).__name__!r} object", kinds, name)
