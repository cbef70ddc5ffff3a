"""The steps of a run: each is computed like the step of a request, and replayed like one."""

from __future__ import annotations

from hashlib import sha256
from time import monotonic
from typing import Any

from deltawire_optimizers import Step
from deltawire_service.datasets.fault_places import naming_rows
from deltawire_service.models.computation import compute_gradients
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.replay import find_origin
from deltawire_service.models.update_rules import to_json
from deltawire_service.schemas.run_requests import Recipe
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.runs import RunRow
from deltawire_service.training.recipes import rule_of_run
from deltawire_service.training.run_data import RunData


def noise_seed(seed: int, number: int) -> int:
    """Return where the noise of a step starts from: another place for each step of each epoch.

    Args:
        seed: the seed of the run.
        number: the number of the step in the run; the first is 0.
    """
    digest = sha256(f"{seed} {number}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 11  # 53 bits: JSON in JavaScript has them all


class RunSteps:
    """Takes the steps of a run, one after the other.

    Args:
        store: the models.
        run: the run.
        row: its model, whose rule does not change while the run is open.
        recipe: the recipe of the run.
        data: the data of the run.

    Raises:
        Refused: a layer or an optimizer is not installed any more.
    """

    def __init__(self, store: ModelStore, run: RunRow, row: ModelRow, recipe: Recipe, data: RunData):
        self._store = store
        self._recipe = recipe
        self._data = data
        self._network = store.network_of(row)
        own_rule = store.rule_of(find_origin(store, row, row.version).entry.optimizer)
        self._rule = rule_of_run(own_rule, recipe, store.optimizers)
        self._details: dict[str, Any] = {"reduction": recipe.reduction, "run": run.id}
        if self._rule is not own_rule:
            self._details["rule"] = self._rule.document

    def take(self, number: int, previous: Entry, before: Numbers, after: Numbers) -> Entry:
        """Take a step, and return its entry.

        Args:
            number: the number of the step in the run; the first is 0.
            previous: the entry of the version before it.
            before: the numbers of that version.
            after: where the numbers after the step are written.

        Raises:
            Refused: the data does not fit, or a result is not finite.
            PluginError: a layer or the optimizer fails.
        """
        began, step = monotonic(), previous.step + 1
        data = self._data.step(number)
        with self._store.observer.timing("compute"), naming_rows(data.rows, data.arrays, ""):
            network = self._network.with_noise(noise_seed(self._recipe.seed, number))
            work = data.work(network, self._recipe.reduction)
            loss, gradients, _ = compute_gradients(work, before)
        learning_rate = self._rule.learning_rate(number + 1 if self._recipe.schedule else step)
        with self._store.observer.timing("update"):
            norm = self._rule.apply(before, gradients, Step(step, learning_rate), after)
        numbers: dict[str, Any] = {"loss": loss, "gradient_norm": norm, "learning_rate": learning_rate}
        if network.noise_seed is not None:
            numbers["noise_seed"] = network.noise_seed
        return Entry(
            version=previous.version + 1,
            kind="step",
            step=step,
            optimizer=previous.optimizer,
            details=to_json(numbers | self._details | data.record),
            fingerprint=self._store.fingerprint,
            total_seconds=previous.total_seconds + monotonic() - began,
            dataset=self._data.dataset,
        )
