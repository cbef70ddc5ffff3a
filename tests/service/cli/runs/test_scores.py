"""Scores, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score
from support.tables import description_of

from deltawire.tables.columns import assign_roles
from deltawire_service.cli.runs.scores import Split, constant_score, score

STREAM = np.random.default_rng(0)


def test_scores_are_those_of_scikit_learn() -> None:
    wanted, predicted = STREAM.normal(size=(2, 30))
    assert score("regression", predicted, wanted) == pytest.approx(r2_score(wanted, predicted))
    wanted, predicted = STREAM.integers(0, 3, (2, 30))
    assert score("classification", predicted, wanted) == accuracy_score(wanted, predicted)
    assert np.isnan(score("regression", np.zeros(3), np.ones(3)))


def test_a_constant_is_that_of_the_rows_to_learn_from() -> None:
    columns = {"x": np.arange(4.0), "y": np.array([1, 1, 0, 1]), "z": np.array([1.0, 3.0, 2.0, 8.0])}
    split = Split(columns, np.array([0, 1, 2]), np.array([3]))
    roles = assign_roles(description_of(columns), "y")
    assert roles.task == "classification" and constant_score(roles, split) == 1.0
    both = Split(columns, np.array([0, 1]), np.array([2, 3]))
    assert constant_score(assign_roles(description_of(columns), "z"), both) == pytest.approx(
        r2_score(columns["z"][2:], [2.0, 2.0])
    )
