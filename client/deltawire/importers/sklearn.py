"""Import a fitted MLPClassifier or MLPRegressor of scikit-learn, with the loss it was fitted with."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.errors import Fault, Refused, missing_extra

try:
    from sklearn.neural_network import MLPClassifier, MLPRegressor
except ModuleNotFoundError as error:
    raise missing_extra("sklearn", error) from error

from deltawire.importers.builder import Imported
from deltawire.network import Handle, Network

ACTIVATIONS = {"identity": None, "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


def from_sklearn(estimator: MLPClassifier | MLPRegressor) -> Imported:
    """Import a fitted estimator: its input is `x`, its target `y`, its last parameter `output.bias`.

    The output is `probabilities` for a classifier and `prediction` for a regressor. For a classifier, `y` is
    the index of the class in `classes_`; for a binary one, a floating-point number of shape (1,).
    The loss is scikit-learn's without the penalty alpha/(2·samples)·ΣW², which depends on the number of
    samples; `network.regularize(alpha / samples)` adds it.

    Raises:
        Refused: It is another estimator, is not fitted, or has another loss (code `not_expressible`).
    """
    if not isinstance(estimator, MLPClassifier | MLPRegressor):
        _refuse(f"{type(estimator).__name__}: of scikit-learn, MLPClassifier and MLPRegressor are imported")
    if not hasattr(estimator, "coefs_"):
        _refuse(f"this {type(estimator).__name__} is not fitted yet: call fit first")
    if getattr(estimator, "loss", "squared_error") not in ("squared_error", "log_loss"):
        _refuse(f"loss='{estimator.loss}': no layer does this")
    net = Network()
    net.metadata["source"] = "sklearn"
    params: dict[str, Any] = {}
    x = net.input("x", (estimator.n_features_in_,))
    last = len(estimator.coefs_) - 1
    for place, (weight, bias) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        name = "output" if place == last else f"hidden_{place}"
        x = net.layer("linear", x, units=weight.shape[1], name=name)
        params |= {f"{name}.weight": np.ascontiguousarray(weight.T), f"{name}.bias": bias.copy()}
        net.metadata |= {
            f"params/{name}.weight": f"coefs_[{place}]",
            f"layout/params/{name}.weight": "transposed",
        }
        net.metadata[f"params/{name}.bias"] = f"intercepts_[{place}]"
        if place < last and (kind := ACTIVATIONS[estimator.activation]):
            x = net.layer(kind, x, name=f"active_{place}")
    outputs = _with_loss(net, x, estimator.out_activation_, estimator.n_outputs_)
    return Imported(net, params, {}, (outputs,))


def _with_loss(net: Network, scores: Handle, activation: str, count: int) -> str:
    """Add the output and the loss; return the name of the output's node."""
    if activation == "softmax":
        net.layer("softmax", scores, name="probabilities")
        net.loss = net.layer("softmax_nll", scores, net.input("y", dtype="int64"), name="loss")
        return "probabilities"
    y = net.input("y", (count,))
    if activation == "logistic":
        net.layer("sigmoid", scores, name="probabilities")
        net.loss = net.layer("binary_nll", scores, y, name="loss")
        return "probabilities"
    net.layer("identity", scores, name="prediction")
    net.loss = {net.layer("squared_error", scores, y, name="loss"): 0.5 / count}
    return "prediction"


def _refuse(why: str) -> None:
    raise Refused([Fault("", "not_expressible", why)])
