"""Any history of models: each version has the numbers that a plain recomputation gives, whatever happened.

The recomputation keeps nothing but lists of arrays in memory: it has no ledger, no slots and no snapshots.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from support.dying import dies_before_line
from support.engine import compiled
from support.models import ADAM, OPTIMIZERS, OWNER, SPEC, batch, numbers_of, open_store, same

from deltawire_optimizers import Step, init_state, update
from deltawire_service.models import alterations, creations, newest, steps
from deltawire_service.models.creations import CreateRequest
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.steps import StepRequest
from deltawire_service.models.versions import describe, read_ledger
from deltawire_service.store.errors import KeyReused
from deltawire_service.store.tables.idempotency_keys import RequestKey

MEMORY = Path("/dev/shm")
"""Processes die here, the system does not: so it need not be a disk."""

SGD = {"kind": "sgd", "config": {"learning_rate": 0.1, "momentum": 0.9}}
NETWORK = compiled(SPEC)

Answer = dict[str, Any]
Change = Callable[[ModelStore, RequestKey], Answer]


@dataclass(frozen=True)
class Expected:
    """A version, as it must be."""

    numbers: Numbers
    step: int
    kind: str
    config: dict[str, Any]

    def after_step(self, arrays: dict[str, Any], learning_rate: float | None) -> Expected:
        optimizer = OPTIMIZERS[self.kind](**self.config)
        data = {name.removeprefix("data/"): array for name, array in arrays.items()}
        params, state = (
            {name: array.copy() for name, array in part.items()}
            for part in (self.numbers.params, self.numbers.state)
        )
        gradients = NETWORK.gradients(params, data).params
        rate = optimizer.learning_rate if learning_rate is None else learning_rate
        update(optimizer, params, gradients, state, Step(self.step + 1, rate))
        return replace(self, numbers=Numbers(params, state), step=self.step + 1)


def beginning(optimizer: dict[str, Any], seed: int) -> Expected:
    params = NETWORK.init(seed)
    config = dict(optimizer["config"])
    state = init_state(OPTIMIZERS[optimizer["kind"]](**config), params)
    return Expected(Numbers(params, state), 0, optimizer["kind"], config)


@dataclass(frozen=True)
class Request:
    """A request that was answered; model: the number of the model that it changed."""

    name: str
    model: int
    key: RequestKey
    change: Change
    answer: Answer


class Histories(RuleBasedStateMachine):
    """Models that are changed, and processes that die while they change them."""

    answered = Bundle("answered")

    @initialize()
    def begin(self) -> None:
        self.often = newest.REPLAY_SECONDS, newest.REPLAY_SNAPSHOTS
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.path = Path(self.folder.name) / "store"
        self.store = open_store(self.path)
        self.expected = dict[str, list[Expected]]()
        self.keys = 0
        self.models = dict[str, int]()

    def teardown(self) -> None:
        self.store.database.close()
        self.folder.cleanup()
        newest.REPLAY_SECONDS, newest.REPLAY_SNAPSHOTS = self.often

    def reopen(self) -> None:
        self.store.database.close()
        self.store = open_store(self.path)

    def make(self, name: str, change: Change, line: int | None) -> Request:
        """Make a change, perhaps in a process that dies; then its request comes again."""
        self.keys += 1
        key = RequestKey(OWNER, str(self.keys), str(self.keys).encode())
        if line is not None:
            self.store.database.close()
            dies_before_line(lambda: change(open_store(self.path), key), line)
            self.reopen()
        answer = change(self.store, key) | {"replayed": True}
        return Request(name, self.models[name], key, change, answer)

    lines = st.none() | st.integers(1, 900)

    @rule(target=answered, name=st.sampled_from("ab"), optimizer=st.sampled_from([ADAM, SGD]), line=lines)
    def create(self, name: str, optimizer: dict[str, Any], line: int | None) -> Any:
        if name in self.expected:
            return multiple()
        self.expected[name], self.models[name] = [beginning(optimizer, self.keys)], self.keys
        request = CreateRequest(SPEC, optimizer, seed=self.keys)
        return self.make(
            name, lambda store, key: creations.create(store, OWNER, name, request, inf, key), line
        )

    @rule(
        target=answered,
        name=st.sampled_from("ab"),
        seeds=st.lists(st.integers(0, 9), min_size=1, max_size=4),
        learning_rate=st.none() | st.just(0.5),
        line=lines,
    )
    def steps(self, name: str, seeds: list[int], learning_rate: float | None, line: int | None) -> Any:
        if name not in self.expected:
            return multiple()
        versions = self.expected[name]
        for seed in seeds[:-1]:
            versions.append(versions[-1].after_step(batch(seed), None))
            steps.take_step(self.store, OWNER, name, StepRequest(batch(seed)), inf)
        arrays = batch(seeds[-1])
        changes = {} if learning_rate is None else {"config": {"learning_rate": learning_rate}}
        request = StepRequest(arrays, optimizer=changes)
        versions.append(versions[-1].after_step(arrays, learning_rate))
        return self.make(
            name, lambda store, key: steps.take_step(store, OWNER, name, request, inf, key), line
        )

    @rule(target=answered, name=st.sampled_from("ab"), data=st.data(), line=lines)
    def restore(self, name: str, data: st.DataObject, line: int | None) -> Any:
        if name not in self.expected:
            return multiple()
        versions = self.expected[name]
        version = data.draw(st.integers(0, len(versions) - 1))
        versions.append(versions[version])
        return self.make(
            name, lambda store, key: alterations.restore(store, OWNER, name, version, inf, key=key), line
        )

    @rule(
        target=answered, name=st.sampled_from("ab"), other=st.sampled_from("ab"), data=st.data(), line=lines
    )
    def fork(self, name: str, other: str, data: st.DataObject, line: int | None) -> Any:
        if name not in self.expected or other in self.expected:
            return multiple()
        version = data.draw(st.integers(0, len(self.expected[name]) - 1))
        self.expected[other], self.models[other] = [self.expected[name][version]], self.keys
        return self.make(
            other, lambda store, key: creations.fork(store, OWNER, name, other, inf, version, key), line
        )

    @rule(target=answered, name=st.sampled_from("ab"), learning_rate=st.sampled_from([0.01, 0.2]), line=lines)
    def change_optimizer(self, name: str, learning_rate: float, line: int | None) -> Any:
        if name not in self.expected:
            return multiple()
        versions, changes = self.expected[name], {"config": {"learning_rate": learning_rate}}
        versions.append(replace(versions[-1], config=versions[-1].config | changes["config"]))
        return self.make(
            name,
            lambda store, key: alterations.change_optimizer(store, OWNER, name, changes, inf, key=key),
            line,
        )

    @rule(name=st.sampled_from("ab"), line=lines)
    def delete(self, name: str, line: int | None) -> None:
        if self.expected.pop(name, None) is not None:
            self.make(name, lambda store, key: alterations.delete(store, OWNER, name, inf, key), line)

    @rule(request=consumes(answered))
    def repeat(self, request: Request) -> None:
        if request.name in self.expected and request.model != self.models[request.name]:
            with pytest.raises(KeyReused):
                request.change(self.store, request.key)
        else:
            assert request.change(self.store, request.key) == request.answer

    @rule()
    def another_process(self) -> None:
        self.reopen()

    @rule(name=st.sampled_from("ab"), scribble=st.booleans())
    def lose_the_slots(self, name: str, scribble: bool) -> None:
        if name in self.expected:
            for slot in self.store.folder_of(self.store.find(OWNER, name).id).slots.iterdir():
                if scribble:
                    slot.write_bytes(b"\x55" * slot.stat().st_size)
                else:
                    slot.unlink()

    @rule(seconds=st.sampled_from([0.0, 1e6]))
    def snapshot_more_or_less(self, seconds: float) -> None:
        newest.REPLAY_SECONDS, newest.REPLAY_SNAPSHOTS = seconds, 0

    @rule(name=st.sampled_from("ab"), data=st.data())
    def read(self, name: str, data: st.DataObject) -> None:
        if name in self.expected:
            version = data.draw(st.integers(0, len(self.expected[name]) - 1))
            assert same(numbers_of(self.store, name, version), self.expected[name][version].numbers)

    @invariant()
    def newest_versions_are_right(self) -> None:
        for name, versions in getattr(self, "expected", {}).items():
            assert same(numbers_of(self.store, name), versions[-1].numbers)
            description = describe(self.store, OWNER, name)
            assert (description["version"], description["step"]) == (len(versions) - 1, versions[-1].step)
            assert len(read_ledger(self.store, OWNER, name, -1, 1000)) == len(versions)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=25, stateful_step_count=20)
