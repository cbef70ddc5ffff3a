"""Steps: compute the gradients of a batch, and move a model's parameters by them, exactly once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, field, replace
from time import monotonic
from typing import Any

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_optimizers import Step
from deltawire_service.datasets.rows import RowsReference
from deltawire_service.engine import BodyCost, DeadlineExceeded, Network
from deltawire_service.models.batches import Batch, storing
from deltawire_service.models.changes import Answer, Change, change_once, commit
from deltawire_service.models.computation import (
    GRADIENTS,
    NOTHING,
    STORED,
    AnswerArrays,
    StepWork,
    compute_gradients,
)
from deltawire_service.models.errors import (
    ModelNotFound,
    VersionChanged,
    VersionExpired,
    VersionNotFound,
    VersionNotReproducible,
)
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import Newest, change_newest
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.parameters import check_parameters
from deltawire_service.models.update_rules import UpdateRule, change_rule, to_json
from deltawire_service.models.versions import open_version
from deltawire_service.store.errors import AnswerExpired
from deltawire_service.store.segments import Stretch
from deltawire_service.store.tables import entries
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.idempotency_keys import RequestKey
from deltawire_service.store.tables.models import ModelRow


@dataclass(frozen=True)
class StepRequest:
    """A step, as it is asked for.

    Attributes:
        arrays: the batch by input, named `data/x`; or gradients that the caller has computed, named
            `gradients/hidden.weight`, one for each parameter.
        rows: the rows of a dataset that the batch has; the ledger keeps them in its place.
        reduction: `mean` or `sum` of the examples' losses.
        optimizer: changes of the optimizer for this step only. A learning rate given here is not scheduled.
        if_version: the version that the step must start from; None for any.
        noise_seed: where the noise inputs start from; None for the number of the step.
        durable: the step is on the disk before it is answered. A step that is not durable is faster; when the
            system crashes, it may be lost until a durable change or a snapshot follows.
        wanted: the arrays that the answer has.
        body_cost: the memory that the bodies of the request take.
    """

    arrays: Mapping[str, Array]
    reduction: str = "mean"
    optimizer: Mapping[str, Any] = field(default_factory=dict)
    if_version: int | None = None
    noise_seed: int | None = None
    wanted: AnswerArrays = NOTHING
    body_cost: BodyCost = STORED
    durable: bool = True
    rows: RowsReference | None = None

    @property
    def recorded(self) -> tuple[dict[str, Any], Mapping[str, Array]]:
        """JSON and arrays that the ledger keeps of its data."""
        return self.rows.record() if self.rows else ({}, self.arrays)

    def network(self, store: ModelStore, row: ModelRow, number: int) -> Network:
        """Return the network of the model, with the noise of the step.

        Args:
            store: the models.
            row: the model.
            number: the number of the step.
        """
        return store.network_of(row).with_noise(number if self.noise_seed is None else self.noise_seed)


def take_step(
    store: ModelStore,
    owner: str,
    name: str,
    request: StepRequest,
    deadline: float,
    key: RequestKey | None = None,
) -> Answer:
    """Take one step with a model.

    Args:
        store: the models.
        owner: whoever asks.
        name: the name of the model.
        request: the step.
        deadline: when to give up, as time.monotonic counts. It is last looked at before anything is written.
        key: the key of the request: with it, a request that comes again is answered as it was the first time.

    Returns:
        The new version, the number of the step, its loss, the norm of its gradients, its learning rate;
        `durable`, and `replayed` when the step was taken by an earlier request. The arrays that are wanted,
        unless it is replayed.

    Raises:
        ModelNotFound, VersionChanged, KeyReused, Refused: the request does not fit; nothing was changed.
        PluginError, DeadlineExceeded: as for `Network.gradients`; nothing was changed.
        QuotaExceeded, LockBusy, StoreFull, StoreUnavailable: nothing was changed.
        OutcomeUnknown: the step may have been taken; with a key, ask again.
    """

    def change(row: ModelRow) -> Answer:
        check_version(row, request.if_version)
        with change_newest(store, row, deadline, request.durable) as newest:
            check_version(newest.row, request.if_version)  # an entry `rebased` may have come before it
            return _step(store, newest, request, deadline, key)

    return change_once(store, owner, name, deadline, key, change)


def recompute_arrays(
    store: ModelStore, owner: str, name: str, request: StepRequest, answer: Answer, deadline: float
) -> Answer:
    """Compute the arrays again that the answer to a step had: they are not stored with it.

    Args:
        store: the models.
        owner: whoever asks.
        name: the name of the model.
        request: the step, as it was asked for the first time.
        answer: the stored answer.
        deadline: when to give up, as time.monotonic counts.

    Returns:
        The arrays, bit for bit as they were, by their names in the answer.

    Raises:
        AnswerExpired: the model is deleted, its version before the step is not kept, or other bits are
            computed here.
        StoreUnavailable, PluginError, DeadlineExceeded: as for a step.
    """
    before = answer["version"] - 1
    try:
        with open_version(store, owner, name, deadline, before) as opened:
            network = request.network(store, opened.row, answer["step"])
            work = StepWork(network, request.reduction, request.arrays, request.wanted, request.body_cost)
            loss, _, arrays = compute_gradients(work, opened.numbers)
            with store.database.reading() as transaction:
                taken = entries.get(transaction, opened.row.id, answer["version"])
    except (ModelNotFound, VersionExpired, VersionNotFound, VersionNotReproducible) as error:
        raise AnswerExpired(f"{error}: the step's arrays follow from it") from error
    if loss != answer["loss"] or taken is None or taken.fingerprint != store.fingerprint:
        raise AnswerExpired("the step was computed with other libraries or another processor")
    return dict(arrays)


def check_version(row: ModelRow, expected: int | None) -> None:
    """Raise VersionChanged unless the newest version is the expected one, or any is."""
    if expected is not None and row.version != expected:
        raise VersionChanged(f"the newest version of model '{row.name}' is {row.version}, not {expected}")


def _step(
    store: ModelStore, newest: Newest, request: StepRequest, deadline: float, key: RequestKey | None
) -> Answer:
    row, number = newest.row, newest.entry.step + 1
    rule, learning_rate = _rule_of_step(store, newest, request, number)
    network = request.network(store, row, number)
    began = monotonic()
    work = StepWork(network, request.reduction, request.arrays, request.wanted, request.body_cost)
    _check_arrays(work, newest.numbers, row.dtype)
    recorded, kept_arrays = request.recorded
    size = sum(array.nbytes for array in kept_arrays.values())
    store.check_room(row.owner, size, size + newest.layout.bytes)
    with ExitStack() as held:
        stored = held.enter_context(_storing(store, row, request, kept_arrays))
        with store.observer.timing("compute"):
            loss, gradients, arrays = compute_gradients(work, newest.numbers)
        if monotonic() > deadline:
            raise DeadlineExceeded()
        slots = store.folder_of(row.id).slots
        slot = held.enter_context(store.slots.free(slots, newest.layout, taken=row.slot))
        numbers = Numbers.split(slot.arrays(writable=True))
        with store.observer.timing("update"):
            norm = rule.apply(newest.numbers, gradients, Step(number, learning_rate), numbers)
        after = replace(row, version=row.version + 1, slot=slot.name, stamp=slot.set_stamp())
        seconds = monotonic() - began
        answer: Answer = {"loss": loss, "gradient_norm": norm, "learning_rate": learning_rate}
        details = answer | {"reduction": request.reduction} | recorded
        if request.optimizer:
            details["rule"] = rule.document
        if network.noise_seed is not None:
            details["noise_seed"] = network.noise_seed
        if request.wanted:
            details["wanted"] = asdict(request.wanted)
        with store.observer.timing("batch"):
            batch = stored()
        entry = Entry(
            after.version,
            "step",
            number,
            newest.entry.optimizer,
            to_json(details),
            store.fingerprint,
            newest.entry.total_seconds + seconds,
            batch,
            _dataset(request, batch, kept_arrays),
        )
        if not entry.has_data:
            after = replace(after, unlogged=after.version)
        answer |= {"version": after.version, "step": number, "durable": request.durable, "replayed": False}
        commit(store, Change(row, after, [entry]), deadline, key, answer, request.durable)
    return {**answer, **arrays}


def _check_arrays(work: StepWork, before: Numbers, dtype: str) -> None:
    """Raise Refused where the data or the gradients of a step do not fit; before: those of the model."""
    arrays = work.arrays
    gradients = {n.removeprefix(GRADIENTS): a for n, a in arrays.items() if n.startswith(GRADIENTS)}
    if gradients and len(gradients) < len(arrays):
        raise Refused([Fault("/data", "field_invalid", "a step has data or gradients, not both")])
    if gradients:
        check_parameters(work.network, gradients, dtype, "/gradients")
    else:
        work.network.check_batch(before.params, work.data(before))


def _rule_of_step(
    store: ModelStore, newest: Newest, request: StepRequest, number: int
) -> tuple[UpdateRule, float]:
    """Return the rule and the learning rate of a step."""
    rule = store.rule_of(newest.entry.optimizer)
    if not request.optimizer:
        return rule, rule.learning_rate(number)
    rule = change_rule(rule, request.optimizer, store.optimizers)
    own_rate = "learning_rate" in request.optimizer.get("config", {})
    return rule, rule.optimizer.learning_rate if own_rate else rule.learning_rate(number)


def _storing(
    store: ModelStore, row: ModelRow, request: StepRequest, arrays: Mapping[str, Array]
) -> AbstractContextManager[Callable[[], Batch]]:
    """Return the context in which the arrays are stored that the ledger keeps of a step."""

    def find_last() -> Stretch | None:
        with store.database.reading() as transaction:
            return entries.last_stretch(transaction, row.id)

    if request.rows and not arrays:
        return nullcontext(lambda: None)
    return storing(store.writers, store.folder_of(row.id), find_last, arrays, request.durable)


def _dataset(request: StepRequest, batch: Batch, arrays: Mapping[str, Array]) -> str | None:
    """Return the dataset of an entry. batch, arrays: what is kept of the step, and was to be kept."""
    if request.rows and (batch is not None or not arrays):
        return request.rows.dataset
    return None
