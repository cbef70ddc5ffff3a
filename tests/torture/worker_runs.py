"""Workers are killed while a run learns with them: its model is that of one machine, bit for bit.

    PYTHONPATH=tests python -m torture.worker_runs [--short]

Each step of the run is computed by two workers. At random moments one of them gets SIGKILL, and Dask's nanny
starts another.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from time import monotonic, sleep

from support.cluster import cut_into, running_cluster, settings_for, use_one_blas_thread
from support.killer import Killer
from support.models import create, id_of, numbers_of, same
from support.runs import add_dataset, examples, start, trainer_of
from torture.load import arguments, report
from torture.trainer_kills import is_open, steps_of

from deltawire_service.models.model_store import ModelStore
from deltawire_service.observability.metrics import Metrics
from deltawire_service.settings import Settings
from deltawire_service.training.starting import make_store

BATCH, SEGMENTS = 64, 8
LONGEST_PAUSE = 4.0


def take_run(settings: Settings, steps: int, metrics: Metrics) -> ModelStore:
    """Take a run to its end, and return its store.

    settings: of the service. steps: of the run. metrics: count what it does.
    """
    store = make_store(settings, metrics)
    store.prepare()
    add_dataset(store, examples(3000))
    create(store, "model")
    run, trainer = start(store, steps=steps, batch_size=BATCH), trainer_of(store)
    while is_open(store, run):
        if not trainer.take_turn():  # it waits after lost workers
            sleep(0.1)
    return store


def segments_by(place: str) -> str:
    """Return the series of the segments that were computed in a place."""
    return f'deltawire_cluster_segments_total{{place="{place}"}}'


def count(metrics: Metrics, series: str) -> float:
    """Return the present number of a series."""
    lines = metrics.text("")[0].decode().splitlines()
    found = (float(line.removeprefix(series)) for line in lines if line.startswith(f"{series} "))
    return next(found, 0.0)  # no segment was computed there until now


def main() -> None:
    given = arguments("worker_runs")
    steps, kills, pause = (200, 2, 1.5) if given.short else (5_000, 50, LONGEST_PAUSE)
    use_one_blas_thread()
    began = monotonic()
    with tempfile.TemporaryDirectory() as name, cut_into(SEGMENTS):
        folders = [Path(name) / part for part in ("sharded", "alone")]
        for folder in folders:
            folder.mkdir()
        undisturbed = take_run(Settings(data_dir=str(folders[1])), steps, Metrics(lambda: 0))
        with running_cluster(2, DELTAWIRE_DATA_DIR=str(folders[0])) as cluster:
            metrics = Metrics(lambda: 0)
            killer = Killer(
                cluster,
                kills,
                random.Random(given.seed),
                pause,
                lambda: count(metrics, segments_by("workers")),
            )
            with killer.at_work():
                disturbed = take_run(Settings(**settings_for(cluster, folders[0])), steps, metrics)
        equal = same(numbers_of(disturbed, "model"), numbers_of(undisturbed, "model"))
        ledgers = steps_of(disturbed, "model") == steps_of(undisturbed, "model")
        segments = {place: count(metrics, segments_by(place)) for place in ("workers", "here")}
        figures = {
            "steps": steps,
            "killed": killer.killed,
            "segments": segments | {"recomputed": count(metrics, "deltawire_cluster_recomputed_total")},
            "params_id": id_of(disturbed, "model"),
            "seconds": round(monotonic() - began, 1),
        }
        disturbed.close()
        undisturbed.close()
    report(
        {"seed": given.seed, **figures},
        {
            "the bits of one machine": equal and ledgers,
            "so many kills": killer.killed >= kills,
            "workers computed": segments["workers"] > segments["here"],
        },
    )


if __name__ == "__main__":
    main()
