"""The classifier and the regressor keep scikit-learn's rules, and learn."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, make_regression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from support.service import running_service

from deltawire import Client, Run
from deltawire.errors import Refused
from deltawire.integrations.sklearn import GradientServiceClassifier, GradientServiceRegressor


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_check_estimator_passes() -> None:
    done = check_estimator(GradientServiceClassifier(epochs=30, random_state=0), on_skip=None)
    skipped = {check["check_name"] for check in done if check["status"] == "skipped"}
    assert skipped <= {
        "check_array_api_input",
        "check_classifier_data_not_an_array",
    }  # pandas, …
    assert {check["status"] for check in done if check["check_name"] not in skipped} == {"passed"}
    assert len(done) > 40


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_check_estimator_passes_for_the_regressor() -> None:
    done = check_estimator(GradientServiceRegressor(epochs=30, random_state=0), on_skip=None)
    skipped = {check["check_name"] for check in done if check["status"] == "skipped"}
    assert skipped <= {"check_array_api_input", "check_regressor_data_not_an_array"}  # pandas, …
    assert {check["status"] for check in done if check["check_name"] not in skipped} == {"passed"}
    assert len(done) > 40


@pytest.mark.parametrize("targets", [1, 3])
def test_the_regressor_is_as_good_as_scikit_learns(targets: int) -> None:
    X, y = make_regression(400, 6, n_targets=targets, noise=5.0, random_state=0)
    ours = GradientServiceRegressor((16,), epochs=60, random_state=0).fit(X[:300], y[:300])
    theirs = MLPRegressor(
        hidden_layer_sizes=(16,), max_iter=60, learning_rate_init=0.01, batch_size=64, random_state=0
    )
    with warnings.catch_warnings(action="ignore"):  # it says that it has not converged
        theirs.fit(StandardScaler().fit_transform(X[:300]), y[:300] / y[:300].std())
    assert ours.predict(X[300:]).shape == y[300:].shape
    assert ours.score(X[300:], y[300:]) > 0.97
    assert ours.score(X[300:], y[300:]) > theirs.score(X[300:], y[300:] / y[:300].std()) - 0.03


def test_targets_of_any_unit_are_learned_alike() -> None:
    X, y = make_regression(100, 4, random_state=0)
    one, other = (
        GradientServiceRegressor(epochs=5, random_state=0).fit(X, y * unit + 7) for unit in (1, 1024)
    )
    np.testing.assert_allclose((other.predict(X) - 7) / 1024, one.predict(X) - 7, rtol=1e-6, atol=1e-6)
    again = pickle.loads(pickle.dumps(one))
    assert np.array_equal(again.predict(X), one.predict(X))


def test_it_learns_in_a_pipeline() -> None:
    pipeline = make_pipeline(StandardScaler(), GradientServiceClassifier((16,), epochs=40, random_state=0))
    pixels, digits = load_digits(return_X_y=True)
    pipeline.fit(pixels[:1200], digits[:1200])
    assert pipeline.score(pixels[1200:], digits[1200:]) > 0.88
    losses = pipeline[-1].losses_
    assert losses[-1] < losses[0] / 10


def test_names_of_classes_and_a_search() -> None:
    measures, kinds = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[kinds]
    search = GridSearchCV(
        GradientServiceClassifier(epochs=60, random_state=0),
        {"hidden_layer_sizes": [(), (8,)], "activation": ["tanh"]},
        cv=3,
    )
    search.fit(measures, names)
    assert search.best_score_ > 0.9
    assert set(search.predict(measures)) == set(names)
    assert cross_val_score(search.best_estimator_, measures, names, cv=3).min() > 0.85


def test_served_or_embedded_the_same_and_pickled() -> None:
    measures, kinds = load_iris(return_X_y=True)
    with running_service() as url:
        served = GradientServiceClassifier(epochs=5, random_state=1, url=str(url)).fit(measures, kinds)
        embedded = GradientServiceClassifier(epochs=5, random_state=1).fit(measures, kinds)
        assert served.losses_ == embedded.losses_
        again = pickle.loads(pickle.dumps(served))
        assert np.array_equal(again.predict_proba(measures), embedded.predict_proba(measures))


@pytest.mark.parametrize("wrong", [{"activation": "rellu"}])
def test_a_network_that_is_none_is_refused_by_the_service(wrong: dict[str, Any]) -> None:
    measures, kinds = load_iris(return_X_y=True)
    with pytest.raises(Refused):
        GradientServiceClassifier(**wrong).fit(measures, kinds)


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"hidden_layer_sizes": 8}, r"hidden_layer_sizes: expected units of each layer, as \(8,\), got 8"),
        ({"hidden_layer_sizes": "88"}, "hidden_layer_sizes: "),
        ({"hidden_layer_sizes": (8, 2.7)}, "hidden_layer_sizes: "),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes: "),
        ({"epochs": 0}, "epochs: expected an integer of at least 1, got 0"),
        ({"epochs": True}, "epochs: expected an integer of at least 1, got True"),
        ({"l2": float("nan")}, "l2: expected a number of at least 0, got nan"),
        ({"batch_size": 0}, "batch_size: expected an integer of at least 1, got 0"),
        ({"batch_size": 2.5}, "batch_size: expected an integer"),
        ({"learning_rate": -1}, "learning_rate: expected a number of at least 0, got -1"),
        ({"activation": None}, 'activation: expected the kind of a layer, as "relu", got None'),
        ({"epochs": -1}, "epochs: "),
        ({"l2": "0"}, "l2: "),
    ],
)
def test_arguments_that_cannot_be_are_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        GradientServiceClassifier(**wrong).fit(np.eye(2), [0, 1])


@pytest.mark.parametrize("kind", [GradientServiceClassifier, GradientServiceRegressor])
def test_a_run_of_the_service_learns_as_well_and_leaves_nothing(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path))
    X, y = load_iris(return_X_y=True)
    options: dict[str, Any] = {"hidden_layer_sizes": (8,), "epochs": 40, "random_state": 0}
    here, there = kind(**options).fit(X, y), kind(**options, on="server").fit(X, y)
    assert there.score(X, y) > here.score(X, y) - 0.03
    assert len(there.losses_) == 40 and there.losses_[-1] < there.losses_[0]
    assert there.params_.keys() == here.params_.keys()
    client = Client()
    assert client.models() == client.datasets() == client.runs() == []


def test_a_run_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(run: Run) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(Run, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        GradientServiceClassifier(epochs=100_000, on="server").fit(*load_iris(return_X_y=True))
    client = Client()
    assert client.models() == client.datasets() == client.runs() == []


def test_steps_are_taken_at_two_places() -> None:
    with pytest.raises(ValueError, match="on: expected 'client' or 'server', got 'cloud'"):
        GradientServiceClassifier(on="cloud").fit([[0.0], [1.0]], [0, 1])
