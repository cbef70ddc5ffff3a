"""A classifier and a regressor for scikit-learn whose gradients come from a deltawire service."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, Self
from uuid import uuid4

import numpy as np

from deltawire import optim
from deltawire.arguments.kinds import is_whole_number
from deltawire.client import Client
from deltawire.errors import missing_extra
from deltawire.network import Handle, Network
from deltawire.runs.run import OPEN

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data
except ModuleNotFoundError as error:
    raise missing_extra("sklearn", error) from error

ARGUMENTS = {
    "l2": (Real, 0),
    "learning_rate": (Real, 0),
    "epochs": (Integral, 1),
    "batch_size": (Integral, 1),
}
"""Type and least value of each argument that is a number."""

PLACES = ("client", "server")
"""Places that the steps are taken at."""

TYPE_NAMES = {Real: "a number", Integral: "an integer"}


class GradientService(BaseEstimator):
    """A network of linear layers and activations, trained with Adam: what both estimators share.

    Args:
        hidden_layer_sizes: Units of each hidden layer.
        activation: Kind of the layer after each hidden one: "relu", "tanh", "sigmoid", …
        l2: λ of the penalty (λ/2)·ΣW² that is added to the mean loss.
        learning_rate: Of Adam.
        epochs: Passes through the data.
        batch_size: Examples in a step.
        random_state: Of the first parameters and of the order of the examples.
        url: Address of the service; without one it runs in this process.
        on: "client" for steps of this process, with gradients of the service; or "server" for a run of the
            service, which needs a folder for its data and sees the examples once.

    Attributes:
        network_: The spec of the fitted network.
        params_: Its parameters by name.
        losses_: The mean loss of each epoch.
    """

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = (32,),
        *,
        activation: str = "relu",
        l2: float = 1e-4,
        learning_rate: float = 0.01,
        epochs: int = 100,
        batch_size: int = 64,
        random_state: Any = None,
        url: str | None = None,
        on: str = "client",
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.l2 = l2
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state
        self.url = url
        self.on = on

    def __getstate__(self) -> Any:
        """Return what is pickled: everything but the connection to the service."""
        return {name: value for name, value in super().__getstate__().items() if name != "_client"}

    def _check(self) -> None:
        """Raise ValueError, as scikit-learn requires, for an argument of another type or range."""
        sizes, activation = self.hidden_layer_sizes, self.activation
        if not isinstance(sizes, Iterable) or not all(map(is_whole_number, sizes)):
            raise ValueError(f"hidden_layer_sizes: expected units of each layer, as (8,), got {sizes!r}")
        if not isinstance(activation, str):
            raise ValueError(f'activation: expected the kind of a layer, as "relu", got {activation!r}')
        if self.on not in PLACES:
            raise ValueError(f"on: expected {' or '.join(map(repr, PLACES))}, got {self.on!r}")
        for name, (kind, least) in ARGUMENTS.items():
            value = getattr(self, name)
            if isinstance(value, bool | np.bool_) or not isinstance(value, kind) or not float(value) >= least:
                raise ValueError(f"{name}: expected {TYPE_NAMES[kind]} of at least {least}, got {value!r}")

    def _hidden_layers(self, net: Network) -> Handle:
        """Add the input and the hidden layers, and return the last one."""
        x = net.input("x", (self.n_features_in_,))
        for place, units in enumerate(self.hidden_layer_sizes):
            x = net.layer("linear", x, units=int(units), name=f"hidden_{place}")
            x = net.layer(self.activation, x, name=f"active_{place}")
        if self.l2:
            net.regularize(float(self.l2))
        return x

    def _train(self, net: Network, X: Any, y: Any) -> Self:
        """Train a network whose inputs are x and y, and keep it."""
        random = check_random_state(self.random_state)
        self.network_ = net.spec()
        self._client = Client(self.url)
        if self.on == "server":
            self.params_, self.losses_ = self._train_at_server(X, y, *map(int, random.randint(2**31, size=2)))
            return self
        self.params_ = self._client.init(self.network_, seed=int(random.randint(2**31)))
        self.losses_ = optim.fit(
            self._client,
            self.network_,
            self.params_,
            {"x": X, "y": y},
            optim.adam(learning_rate=float(self.learning_rate)),
            epochs=int(self.epochs),
            batch_size=int(self.batch_size),
            seed=random,
        )
        return self

    def _train_at_server(self, X: Any, y: Any, seed: int, order: int) -> tuple[dict[str, Any], list[float]]:
        """Train by a run of the service; return the parameters, and the mean loss of each epoch.

        Args:
            X: Numbers, (n, features).
            y: Targets, (n, …).
            seed: Of the first parameters.
            order: Seed of the order of the examples.
        """
        epochs, size = int(self.epochs), int(self.batch_size)
        model = self._client.create_model(
            self.network_, name=f"sklearn-{uuid4().hex}", optimizer=optim.adam(float(self.learning_rate)),
            seed=seed,
        )  # fmt: skip
        dataset, run = None, None
        try:
            dataset = self._client.upload_dataset(model.name, {"x": X, "y": y})
            run = model.fit(dataset, epochs=epochs, batch_size=size, seed=order, wait=False)
            run.wait()
            steps = [each.loss for each in run.metrics() if each.loss is not None]
            sizes = np.diff([*range(0, len(X), size), len(X)])
            losses = [float(each) for each in np.reshape(steps, (epochs, -1)) @ sizes / len(X)]
            return model.params(), losses
        finally:
            if run is not None and run.state in OPEN:  # it was interrupted
                run.cancel()
            model.delete()
            if dataset is not None:
                dataset.delete()

    def _values(self, X: Any, node: str) -> Any:
        """Return the values of a node of the fitted network, (n, *shape)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        client = getattr(self, "_client", None) or Client(self.url)
        return client.forward(self.network_, self.params_, {"x": X}, [node])[node]


class GradientServiceClassifier(ClassifierMixin, GradientService):
    """Classify with linear layers, activations and a softmax; a deltawire service computes the gradients.

    Its arguments are those of `GradientService`.

    Attributes:
        classes_: The classes, sorted; beside the attributes of `GradientService`.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to examples.

        Args:
            X: Numbers, (n, features).
            y: Classes, (n,).

        Raises:
            ValueError: An argument or the data does not fit.
            DeltawireError: As by `Client.gradients`.
        """
        self._check()
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"expected at least 2 classes, got 1 class, {self.classes_[0]!r}")
        net = Network()
        scores = net.layer("linear", self._hidden_layers(net), units=len(self.classes_), name="scores")
        net.layer("softmax", scores, name="probabilities")
        net.loss = net.layer("softmax_nll", scores, net.input("y", dtype="int64"), name="loss")
        return self._train(net, X, labels.astype(np.int64))

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class, (n, classes), in the order of `classes_`."""
        return self._values(X, "probabilities")

    def predict(self, X: Any) -> Any:
        """Return the most probable class of each example, (n,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]


class GradientServiceRegressor(RegressorMixin, GradientService):
    """Predict numbers with linear layers and activations; a deltawire service computes the gradients.

    Its arguments and attributes are those of `GradientService`. The network learns targets of mean 0 and
    variance 1, and predictions are scaled back, so that the step size does not depend on their unit.

    Attributes:
        mean_: Of the targets, () or (targets,).
        scale_: Standard deviation of the targets, 1 where they are all the same; of the same shape.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to examples, by the squared error.

        Args:
            X: Numbers, (n, features).
            y: Numbers, (n,), or (n, targets).

        Raises:
            ValueError: An argument or the data does not fit.
            DeltawireError: As by `Client.gradients`.
        """
        self._check()
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        y = np.asarray(y, np.float64)
        self.mean_, spread = y.mean(axis=0), y.std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        net = Network()
        units = y.shape[1] if y.ndim == 2 else 1
        out = net.layer("linear", self._hidden_layers(net), units=units, name="out")
        values = net.layer("identity" if y.ndim == 2 else "sum", out, name="values")
        net.loss = net.layer("squared_error", values, net.input("y", y.shape[1:]), name="loss")
        return self._train(net, X, (y - self.mean_) / self.scale_)

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn may expect: several targets for each example, too."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> Any:
        """Return the prediction for each example, (n,), or (n, targets)."""
        return self._values(X, "values") * self.scale_ + self.mean_
