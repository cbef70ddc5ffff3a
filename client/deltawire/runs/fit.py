"""Train a model in the background: a method of `Model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deltawire.arguments.kinds import boolean
from deltawire.arrays import plain_json
from deltawire.datasets.catalogue import Uploads
from deltawire.datasets.dataset import Dataset
from deltawire.datasets.rows import Sources, column_sources
from deltawire.datasets.sources import read_columns
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.models.version import ModelVersion
from deltawire.optim.schedules import schedule_document
from deltawire.runs.run import UNDER_WAY, Run
from deltawire.tables.table import Table
from deltawire_optimizers import Schedule


def fit(
    model: ModelVersion,
    data: Any,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 32,
    shuffle: bool = True,
    seed: int = 0,
    validation: Any = None,
    validate_every: int | None = None,
    early_stopping: int | Mapping[str, Any] | None = None,
    schedule: Schedule | Mapping[str, Any] | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    reduction: str = "mean",
    columns: Sources | None = None,
    wait: bool = True,
    progress: bool = True,
    key: str | None = None,
) -> Run:
    """Train the model by a run of the service, which goes on whatever becomes of this program.

    While it is waited for, Ctrl-C pauses the run.

    Args:
        model: The model.
        data: A dataset or its name; or arrays by input, a structured array or a frame, which are uploaded.
        epochs: How often all rows are taken; by default once.
        steps: In place of epochs: how many steps are taken.
        batch_size: Rows of a step.
        shuffle: Whether each epoch takes the rows in another order.
        seed: Of the order of the rows.
        validation: Rows that the model does not learn from: a fraction of the data, 0.1 for example; or as
            for `data`.
        validate_every: Steps from one validation to the next; by default those of an epoch.
        early_stopping: Validations in a row without a better loss, after which the run ends and the model
            goes back to its best version; or {"patience": …, "min_delta": …, "restore_best": …}.
        schedule: Of the learning rate, one of `optim.schedules`, counted from the first step of the run; by
            default that of the model.
        clip_norm: Gradients whose norm, all of them together, is larger are scaled down to it.
        clip_value: Numbers of gradients are brought into [−clip_value, clip_value].
        reduction: "mean" or "sum" of the loss over the examples of a step.
        columns: By input: its column, or several of one number in each row. By default those of the table
            that the network was made of, else the columns of the inputs' names.
        wait: Whether to wait until the run has ended.
        progress: Whether to show a bar while waiting, where `rich` is installed.
        key: The Idempotency-Key; by default a new one.

    Returns:
        The run.

    Raises:
        Refused: An argument does not fit, or the model learns in another run.
        ServiceFailed: The run has failed.
    """
    wait, progress = boolean("/wait", wait), boolean("/progress", progress)
    sources = column_sources(columns) or _table_columns(model, data)
    document: dict[str, Any] = {
        "columns": sources, "epochs": epochs, "steps": steps, "batch_size": batch_size,
        "shuffle": shuffle, "seed": seed, "reduction": reduction,
        "early_stopping": {"patience": early_stopping} if isinstance(early_stopping, int) else early_stopping,
        "schedule": schedule_document(schedule), "clip": _clip(clip_norm, clip_value),
    }  # fmt: skip
    with Uploads(model.client) as uploads:
        document["dataset"] = _dataset(uploads, model.name, data, "data")
        document["validation"] = _validation(uploads, model.name, validation, validate_every)
        document = {
            name: plain_json(value, f"/{name}") for name, value in document.items() if value is not None
        }
        answer = model.client.connection.change("POST", f"{model.path}/runs", document, dict, key=key)
    run = Run(model.client, answer["id"])
    if wait:
        wait_or_pause(run, progress=progress)
    return run


def wait_or_pause(run: Run, *, progress: bool) -> dict[str, Any]:
    """Wait for a run and return its description; on Ctrl-C pause it, and say how it goes on.

    Args:
        run: The run.
        progress: Whether to show a bar.

    Raises:
        KeyboardInterrupt: The run is paused.
        ServiceFailed: The run has failed.
    """
    try:
        return run.wait(progress=progress)
    except KeyboardInterrupt as stop:
        if run.state in UNDER_WAY:
            run.pause()
            stop.add_note(f"the run is paused: client.run({run.id!r}).resume() lets it go on")
        raise


def _dataset(uploads: Uploads, model: str, data: Any, argument: str) -> str:
    """Return the name of the dataset that data are, or are uploaded as.

    Args:
        uploads: Uploads what is no dataset.
        model: The name of the model.
        data: The data.
        argument: Where they came.
    """
    if isinstance(data, Dataset):
        return data.name
    if isinstance(data, str):
        return data
    if isinstance(data, bool | int | float) or data is None:
        raise wrong_argument(f"/{argument}", "a dataset, arrays by input or a frame", data)
    return uploads.arrays(f"{model}-{argument}", read_columns(data, argument)).name


def _table_columns(model: ModelVersion, data: Any) -> dict[str, Any]:
    """Return the columns of the table that the network was made of; none where data has them by input."""
    table = Table.read(model.spec)
    if table is None or (isinstance(data, Mapping) and table.columns.keys() <= data.keys()):
        return {}
    return dict(table.columns)


def _validation(uploads: Uploads, model: str, validation: Any, every: int | None) -> dict[str, Any] | None:
    if validation is None:
        if every is not None:
            detail = "say which rows the run is validated with, as in validation=0.1"
            raise Refused([Fault("/validation", "field_missing", detail)])
        return None
    rows: dict[str, Any]
    if isinstance(validation, float):
        rows = {"fraction": validation}
    else:
        rows = {"dataset": _dataset(uploads, model, validation, "validation")}
    return rows if every is None else {**rows, "every": every}


def _clip(norm: float | None, value: float | None) -> dict[str, float] | None:
    bounds = {name: bound for name, bound in (("norm", norm), ("value", value)) if bound is not None}
    return bounds or None
