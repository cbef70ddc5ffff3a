"""Networks scikit-learn has fitted: the same predictions, and the gradients it computes itself."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

from deltawire import Client, Refused
from deltawire.importers.sklearn import from_sklearn


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def fitted(estimator: Any, x: Any, y: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x, y)


def own_loss_and_gradients(estimator: Any, x: Any, y: Any) -> tuple[float, list[Any], list[Any]]:
    """By scikit-learn's own backward pass, without the penalty."""
    estimator.alpha = 0.0
    activations = [x] + [None] * len(estimator.coefs_)
    deltas = [None] * len(estimator.coefs_)
    weights = [np.empty_like(w) for w in estimator.coefs_]
    biases = [np.empty_like(b) for b in estimator.intercepts_]
    return estimator._backprop(x, y, None, activations, deltas, weights, biases)  # type: ignore[no-any-return]


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier(activation: str, classes: int, client: Client) -> None:
    x, y = make_classification(60, 5, n_informative=4, n_redundant=0, n_classes=classes, random_state=0)
    estimator = fitted(MLPClassifier((7, 4), activation=activation, max_iter=20, random_state=0), x, y)
    network, params, constants, outputs = from_sklearn(estimator)
    found = client.forward(network, params, constants | {"x": x}, outputs)["probabilities"]
    theirs = estimator.predict_proba(x)
    np.testing.assert_allclose(found, theirs if classes > 2 else theirs[:, 1:], rtol=1e-12)

    one_hot = estimator._label_binarizer.transform(y)
    target = y if classes > 2 else one_hot.astype(float)
    agree(client, network, params, {"x": x, "y": target}, own_loss_and_gradients(estimator, x, one_hot))


@pytest.mark.parametrize("targets", [1, 3])
def test_a_regressor(targets: int, client: Client) -> None:
    x, y = make_regression(60, 5, n_targets=targets, random_state=0)
    estimator = fitted(MLPRegressor(hidden_layer_sizes=(6,), max_iter=20, random_state=0), x, y)
    network, params, _, outputs = from_sklearn(estimator)
    found = client.forward(network, params, {"x": x}, outputs)["prediction"]
    np.testing.assert_allclose(found, estimator.predict(x).reshape(60, -1), rtol=1e-12)
    y = y.reshape(60, -1)
    loss, *gradients = own_loss_and_gradients(estimator, x, y)
    # Its loss is a mean over the targets, what it calls the gradient is not divided by their number.
    halves = ([array / targets for array in arrays] for arrays in gradients)
    agree(client, network, params, {"x": x, "y": y}, (loss, *halves))


def agree(client: Client, network: Any, params: Any, data: Any, theirs: Any) -> None:
    loss, gradients = client.value_and_grad(network, params, data)
    assert loss == pytest.approx(theirs[0], rel=1e-9)
    for name, place in network.metadata.items():
        if name.startswith("params/"):
            of = theirs[1] if place.startswith("coefs_") else theirs[2]
            expected = of[int(place.partition("[")[2].rstrip("]"))]
            np.testing.assert_allclose(
                gradients[name.removeprefix("params/")].T, expected, rtol=1e-9, atol=1e-12
            )


@pytest.mark.parametrize(
    "estimator, told",
    [
        (LogisticRegression(), "LogisticRegression: of scikit-learn, MLPClassifier and MLPRegressor"),
        (MLPClassifier(), "this MLPClassifier is not fitted yet"),
        (
            fitted(
                MLPRegressor(hidden_layer_sizes=(2,), loss="poisson", max_iter=2), [[0.0], [1.0]], [1.0, 2.0]
            ),
            "loss='poisson'",
        ),
    ],
)
def test_what_is_no_such_network_is_refused(estimator: Any, told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        from_sklearn(estimator)
    assert refused.value.code == "not_expressible"
