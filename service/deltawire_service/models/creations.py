"""Creations: a new model from a network and parameters, or from a version of another model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.engine import Network
from deltawire_service.models.changes import Answer, find_answer
from deltawire_service.models.errors import NameTaken
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import take_snapshot
from deltawire_service.models.numbers import Numbers, copy_arrays, make_layout
from deltawire_service.models.parameters import check_constants, check_parameters
from deltawire_service.models.update_rules import UpdateRule, read_rule, to_json
from deltawire_service.models.versions import open_version
from deltawire_service.store.errors import OutcomeUnknown
from deltawire_service.store.file_locks import shared_lock
from deltawire_service.store.folders import new_id
from deltawire_service.store.names import check_name
from deltawire_service.store.quotas import check_quota
from deltawire_service.store.retention import SLOTS
from deltawire_service.store.slot_files import Layout
from deltawire_service.store.stored_answers import read_answer
from deltawire_service.store.tables import entries, idempotency_keys, models, snapshots
from deltawire_service.store.tables.entries import Entry
from deltawire_service.store.tables.idempotency_keys import RequestKey
from deltawire_service.store.tables.models import ModelRow


@dataclass(frozen=True)
class CreateRequest:
    """A new model, as it is asked for.

    Attributes:
        network: its network, or the spec of it.
        optimizer: JSON of its optimizer, `{"kind": "adam", "config": {"learning_rate": 0.001}}`.
        params: its parameters; None to draw them.
        constants: the inputs that it keeps, by name.
        seed: what the parameters are drawn from.
        dtype: float32 or float64.
        notes: the metadata of its spec, which is kept with it; None for none.
    """

    network: Any
    optimizer: Any
    params: Mapping[str, Array] | None = None
    seed: int = 0
    dtype: str = "float64"
    notes: Mapping[str, str] | None = None
    constants: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class _Beginning:
    """The first version of a model."""

    network: Network
    spec: str
    rule: UpdateRule
    dtype: str
    write: Callable[[Numbers], None]
    """Writes its numbers into the slot."""
    step: int
    details: Mapping[str, Any]


def create(
    store: ModelStore,
    owner: str,
    name: str,
    request: CreateRequest,
    deadline: float,
    key: RequestKey | None = None,
) -> Answer:
    """Make a model.

    Args:
        store: the models.
        owner: whoever makes it.
        name: its name.
        request: the model.
        deadline: when to give up, as time.monotonic counts.
        key: the key of the request: with it, a request that comes again is answered as it was the first time.

    Raises:
        Refused, NameTaken, KeyReused: the request does not fit; nothing was made.
        QuotaExceeded, LockBusy, StoreFull, StoreUnavailable: nothing was made.
        OutcomeUnknown: the model may have been made; with a key, ask again.
    """
    if answer := find_answer(store, key, name):
        return answer
    check_name(name)
    rule = read_rule(request.optimizer, store.optimizers)
    network = store.compile_network(request.network)
    if not network.parameters:
        raise Refused([Fault("/network", "field_invalid", "a model has parameters, this network has none")])
    params = request.params
    if params is not None:
        check_parameters(network, params, request.dtype, "/params")
    check_constants(network, request.constants, request.dtype)

    def write(numbers: Numbers) -> None:
        if params is None:
            network.init(request.seed, request.dtype, out=numbers.params)
        else:
            copy_arrays(params, numbers.params)
        copy_arrays(request.constants, numbers.constants)
        numbers.begin_state(rule.optimizer)

    noted = {"metadata": dict(request.notes)} if request.notes else {}
    spec = orjson.dumps({**network.spec, **noted}).decode()
    details = {"seed": request.seed} if request.params is None else {}
    beginning = _Beginning(network, spec, rule, request.dtype, write, 0, details)
    return _make(store, owner, name, beginning, deadline, key)


def fork(
    store: ModelStore,
    owner: str,
    source: str,
    name: str,
    deadline: float,
    version: int | None = None,
    key: RequestKey | None = None,
) -> Answer:
    """Make a model from a version of another one: its parameters, its optimizer with its state, its step.

    Args:
        store: the models.
        owner: whoever has the one and makes the other.
        source: the name of the model that there is.
        name: the name of the new one.
        deadline: when to give up, as time.monotonic counts.
        version: the version; None for the newest.
        key: the key of the request.

    Raises:
        ModelNotFound, VersionNotFound, VersionNotReproducible: there is nothing to fork.
        Refused, NameTaken, KeyReused, QuotaExceeded: as for `create`.
        LockBusy, StoreFull, StoreUnavailable, OutcomeUnknown: as for `create`.
    """
    if answer := find_answer(store, key, name):
        return answer
    check_name(name)
    with open_version(store, owner, source, deadline, version) as opened:
        row, entry = opened.row, opened.entry
        details = {"from": {"model": row.id, "name": source, "version": entry.version}}
        rule = store.rule_of(entry.optimizer)
        beginning = _Beginning(
            *(
                store.network_of(row),
                row.network,
                rule,
                row.dtype,
                opened.numbers.copy_to,
                entry.step,
                details,
            )
        )
        return _make(store, owner, name, beginning, deadline, key)


def _make(
    store: ModelStore,
    owner: str,
    name: str,
    beginning: _Beginning,
    deadline: float,
    key: RequestKey | None,
) -> Answer:
    layout = make_layout(beginning.network, beginning.rule.optimizer, beginning.dtype)
    store.check_room(owner, (SLOTS + 1) * layout.bytes, 2 * layout.bytes, more_models=1)
    model_id = new_id()
    with shared_lock(store.folder.making_lock, deadline):
        store.folder.make_model(model_id)
        try:
            answer = _fill(store, model_id, owner, name, beginning, layout, deadline, key)
        except OutcomeUnknown:
            raise  # the row may still come to light, after a crash
        except BaseException:
            store.folder.remove_model(model_id)
            raise
        if answer["replayed"]:
            store.folder.remove_model(model_id)
    return answer


def _fill(
    store: ModelStore,
    model_id: str,
    owner: str,
    name: str,
    beginning: _Beginning,
    layout: Layout,
    deadline: float,
    key: RequestKey | None,
) -> Answer:
    """Write the files of a new model and commit its row; or return the answer that its key got meanwhile."""
    slots = store.folder_of(model_id).slots
    with store.slots.free(slots, layout, None) as slot:
        numbers = Numbers.split(slot.arrays(writable=True))
        beginning.write(numbers)
        entry = Entry(
            *(0, "created", beginning.step, to_json(beginning.rule.document)),
            *(to_json(beginning.details), store.fingerprint, 0.0),
        )
        row = ModelRow(
            *(model_id, owner, name, beginning.spec, beginning.dtype, new_id(), entry.version),
            *(slot.name, slot.set_stamp()),
        )
        snapshot = take_snapshot(store, row, entry, numbers)
        row = replace(row, bytes=(SLOTS + 1) * snapshot.bytes)
        answer: Answer = {
            "name": name,
            "version": entry.version,
            "step": entry.step,
            "params_id": snapshot.params_id,
            "network_id": beginning.network.id,
            "replayed": False,
        }
        with store.database.writing(deadline) as transaction:
            taken = models.find(transaction, owner, name)
            if key and (answered := idempotency_keys.find(transaction, key)):
                answer = read_answer(key, answered, taken)
                store.observer.on_replayed_answer()
                return answer
            if taken:
                raise NameTaken(f"there is a model '{name}' already")
            check_quota(transaction, owner, store.limits, row.bytes, more_models=1)
            models.insert(transaction, row)
            entries.append(transaction, model_id, entry)
            snapshots.insert(transaction, model_id, snapshot)
            if key:
                store.answers.insert(transaction, key, model_id, to_json(answer))
    store.observer.on_change(entry.kind)
    return answer
