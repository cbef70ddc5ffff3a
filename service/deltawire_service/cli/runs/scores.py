"""How well predictions fit, and what scikit-learn's network of the same sizes makes of the same rows."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from deltawire import Model
from deltawire.datasets.dataset import Dataset
from deltawire.tables.columns import CLASSIFICATION, Roles
from deltawire.tables.table import Table
from deltawire.wire import Array
from deltawire_service.training.batch_sampler import BatchSampler
from deltawire_service.training.recipes import read_recipe

MODEL, SCIKIT_LEARN, CONSTANT = "model", "scikit-learn", "constant"
"""What predicts: the model, scikit-learn's network of the same sizes, or the same for every row."""


class Split(NamedTuple):
    """The rows of a table, those to learn from and those that are held out.

    Attributes:
        columns: All rows by column, texts as texts.
        learned: The numbers of the rows to learn from.
        held_out: The numbers of the others.
    """

    columns: dict[str, Array]
    learned: Array
    held_out: Array


class Learning(NamedTuple):
    """How a network learns.

    Attributes:
        hidden: Units of each hidden layer.
        epochs: How often all rows are taken.
        batch_size: Rows of a step.
        learning_rate: Of Adam.
        l2: λ of the penalty (λ/2)·ΣW².
        seed: Of the first parameters and the order of the rows.
    """

    hidden: Sequence[int]
    epochs: int
    batch_size: int
    learning_rate: float
    l2: float
    seed: int


def score(task: str, predicted: Array, wanted: Array) -> float:
    """Return the share of right classes, or R², which is 1 − Σ(y − ŷ)² / Σ(y − mean)².

    Args:
        task: "classification" or "regression".
        predicted: (rows,).
        wanted: (rows,).
    """
    if task == CLASSIFICATION:
        return float(np.mean(predicted == wanted))
    left = float(np.sum((wanted - predicted) ** 2))
    whole = float(np.sum((wanted - wanted.mean()) ** 2))
    return 1 - left / whole if whole else float("nan")


def constant_score(roles: Roles, split: Split) -> float:
    """Return the score of the most frequent class, or of the mean, of the rows to learn from."""
    target = split.columns[roles.target.name]
    learned, wanted = target[split.learned], target[split.held_out]
    if roles.task == CLASSIFICATION:
        values, counts = np.unique(learned, return_counts=True)
        return score(roles.task, np.full(len(wanted), values[counts.argmax()]), wanted)
    return score(roles.task, np.full(len(wanted), learned.mean()), wanted)


def baseline_score(roles: Roles, split: Split, fit: Learning) -> float | None:
    """Return the score of scikit-learn's network of the same sizes; None where it is not installed.

    Args:
        roles: The columns by their roles.
        split: The rows.
        fit: How the network learns.
    """
    if find_spec("sklearn") is None:
        return None
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kind = MLPClassifier if roles.task == CLASSIFICATION else MLPRegressor
    learned = len(split.learned)
    batch = min(fit.batch_size, learned)
    # Its penalty is alpha/(2·batch)·ΣW², and its squared error has a factor of ½.
    penalty = fit.l2 * batch * (1 if roles.task == CLASSIFICATION else 0.5)
    network: Any = kind(
        hidden_layer_sizes=tuple(fit.hidden), batch_size=batch,
        learning_rate_init=fit.learning_rate, max_iter=fit.epochs, n_iter_no_change=fit.epochs,
        alpha=penalty, random_state=fit.seed,
    )  # fmt: skip
    features, target = _features(roles, split.columns), split.columns[roles.target.name]
    mean, spread = (0, 1) if kind is MLPClassifier else (roles.target.mean or 0, roles.target.spread)
    wanted = target if kind is MLPClassifier else (target - mean) / spread
    model = make_pipeline(StandardScaler(), network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it takes as many epochs as ours, and no more
        model.fit(features[split.learned], wanted[split.learned])
    predicted = model.predict(features[split.held_out])
    if kind is MLPRegressor:
        predicted = predicted * spread + mean
    return score(roles.task, predicted, target[split.held_out])


def _features(roles: Roles, columns: dict[str, Array]) -> Array:
    """Return all columns but the target as numbers, (rows, features), with a column for each category."""
    parts = [
        columns[column.name].reshape(len(columns[column.name]), -1)
        for column in (*roles.numbers, *roles.arrays)
    ]
    for column in roles.categories:
        values = columns[column.name]
        parts.append((values[:, None] == np.unique(values)[None, :]).astype(np.float64))
    return np.concatenate(parts, axis=1)


def read_split(dataset: Dataset, roles: Roles, description: dict[str, Any]) -> Split:
    """Return the rows of a dataset as a run has split them.

    Args:
        dataset: The dataset.
        roles: Its columns by their roles.
        description: The run.
    """
    used = (roles.target, *roles.numbers, *roles.arrays, *roles.categories)
    columns = dataset.read(columns=[column.name for column in used])
    count = len(columns[roles.target.name])
    sampler = BatchSampler(read_recipe(json.dumps(description["recipe"])), count)
    chosen = sampler.held_out(0, sampler.held_out_count)
    held_out = np.sort(np.arange(count)[chosen])
    return Split(columns, np.setdiff1d(np.arange(count), held_out), held_out)


def score_model(model: Model, roles: Roles, split: Split, how: Learning) -> dict[str, float]:
    """Return the scores on the rows that are held out: of the model, and of what it is compared with.

    Args:
        model: The model.
        roles: The columns by their roles.
        split: The rows.
        how: How the model learned.
    """
    noted = Table.read(model.spec)
    assert noted is not None, "the network was made of a table"
    rows = {name: column[split.held_out] for name, column in split.columns.items()}
    values = model.forward(noted.inputs(rows), [noted.output])[noted.output]
    wanted = rows[roles.target.name]
    scores = {MODEL: score(roles.task, noted.labels(values), wanted)}
    if (baseline := baseline_score(roles, split, how)) is not None:
        scores[SCIKIT_LEARN] = baseline
    return scores | {CONSTANT: constant_score(roles, split)}


def example_of(model: Model, split: Split) -> tuple[dict[str, Any], Table]:
    """Return the inputs of one row that is held out, as JSON has them, and the table of the network."""
    noted = Table.read(model.spec)
    assert noted is not None, "the network was made of a table"
    first = split.held_out[:1]
    inputs = noted.inputs({name: column[first] for name, column in split.columns.items()})
    return {name: array.tolist() for name, array in inputs.items()}, noted
