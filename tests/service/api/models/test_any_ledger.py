"""Any sequence of requests, of two API keys: models are what numpy and deltawire.optim make of it.

Requests come again, with the same key or with another body, and expect versions that are right or wrong. What
is refused changes nothing. Every version that was the newest once is read again later, bit for bit.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.ledgers import RULES, SHAPES, SPEC, Arrays, Version, batch, compute, params_id, random_arrays
from support.model_service import caller, lists, model_service

MEMORY = Path("/dev/shm")
"""No process dies here: so it need not be a disk."""

OWNERS, NAMES = ("anna", "ben"), ("a", "b", "c")
PLACES = [(owner, name) for owner in OWNERS for name in NAMES]
CLOSE = {"rtol": 1e-10, "atol": 1e-12}

Place = tuple[str, str]
"""An owner and the name of a model."""

examples = count()


@pytest.fixture(scope="module", autouse=True)
def service() -> Iterator[None]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        with model_service(Path(folder), *OWNERS) as app:
            Ledgers.app = app
            yield


@dataclass
class Model:
    """A model, as it must be."""

    number: int
    versions: list[Version]
    bits: list[dict[str, bytes]] = field(default_factory=list)
    """The parameters of each version as the service gave them when it was the newest."""


@dataclass(frozen=True)
class Request:
    """A request that changes something."""

    owner: str
    method: str
    path: str
    body: str
    key: str | None = None


@dataclass(frozen=True)
class Answered:
    """A request with a key that was answered, the place that it changed, and the number of that model."""

    request: Request
    place: Place
    number: int
    status: int
    answer: dict[str, Any]


class Refusal(Exception):
    """The answer must be a problem of this status and code."""

    def __init__(self, status: int, code: str):
        self.status, self.code = status, code


Change = Callable[[], dict[str, Any]]
"""Makes the change to what is expected, and returns what the answer must have; or raises Refusal."""


class Ledgers(RuleBasedStateMachine):
    """Models of two owners, which are changed and read over HTTP."""

    app: Flask

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.clients = {owner: caller(self.app, owner) for owner in OWNERS}
        self.models = dict[Place, Model]()
        self.answered = dict[tuple[str, str], Answered]()
        self.numbers = count()
        self.prefix = f"example-{next(examples)}"

        for owner in OWNERS:
            for model in self.get(owner, "/v1/models")["models"]:
                assert self.clients[owner].delete(f"/v1/models/{model['name']}").status_code == 200
            self.create((owner, NAMES[0]), data)

    def teardown(self) -> None:
        for owner, name in getattr(self, "models", {}):
            self.check(owner, name)

    # Reading, and comparing.

    def get(self, owner: str, path: str, status: int = 200) -> Any:
        answer = self.clients[owner].get(path)
        assert answer.status_code == status, answer.text
        return answer.json

    def params(self, owner: str, name: str, version: int | None = None) -> Arrays:
        query = "" if version is None else f"?version={version}"
        document = self.get(owner, f"/v1/models/{name}/params{query}")
        return {key: np.array(array) for key, array in document["params"].items()}

    def check(self, owner: str, name: str) -> None:
        """Compare the newest version of a model and its whole ledger with what they must be."""
        model = self.models[owner, name]
        last = model.versions[-1]
        described = self.get(owner, f"/v1/models/{name}")
        assert (described["version"], described["step"]) == (len(model.versions) - 1, last.step)
        assert described["optimizer"] == last.optimizer().rule()
        params = self.params(owner, name)
        assert params.keys() == SHAPES.keys()
        for key, array in params.items():
            np.testing.assert_allclose(array, last.params[key], **CLOSE)
        bits = {key: array.tobytes() for key, array in params.items()}
        if len(model.bits) < len(model.versions):
            model.bits.append(bits)
        assert model.bits[-1] == bits
        state = self.get(owner, f"/v1/models/{name}/optimizer")["state"]
        for key, array in (last.state or {}).items():
            np.testing.assert_allclose(state[key], array, **CLOSE)
        entries = self.get(owner, f"/v1/models/{name}/ledger?limit=1000")["entries"]
        for number, (entry, version) in enumerate(zip(entries, model.versions, strict=True)):
            assert (entry["version"], entry["kind"], entry["step"]) == (number, version.kind, version.step)
            close(entry, version.entry or {})

    @invariant()
    def each_owner_has_the_models_that_were_made(self) -> None:
        for owner in OWNERS if hasattr(self, "models") else ():
            expected = {
                name: (len(model.versions) - 1, model.versions[-1].step)
                for (of, name), model in self.models.items()
                if of == owner
            }
            found = self.get(owner, "/v1/models")["models"]
            assert {each["name"]: (each["version"], each["step"]) for each in found} == expected

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def read_any_version(self, data: st.DataObject) -> None:
        """A version that was the newest once has the same bits now."""
        place = data.draw(st.sampled_from(sorted(self.models)))
        bits = self.models[place].bits
        version = data.draw(st.integers(0, len(bits) - 1))
        params = self.params(*place, version)
        assert {key: array.tobytes() for key, array in params.items()} == bits[version]

    def any_place(self, data: st.DataObject) -> Place:
        """Mostly that of a model."""
        return data.draw(st.sampled_from([*sorted(self.models) * 4, *PLACES]))

    # Changing.

    def send(self, request: Request) -> Any:
        key = {"Idempotency-Key": request.key} if request.key else {}
        return self.clients[request.owner].open(
            request.path, method=request.method, data=request.body, headers=key,
            content_type="application/json",
        )  # fmt: skip

    def make(self, request: Request, place: Place, change: Change, status: int = 200) -> None:
        """Send a request, and compare its answer, and the model, with what they must be."""
        answer = self.send(request)
        try:
            known = self.answered.get((request.owner, request.key or ""))
            if known:
                expected, status = self.again(known, request), known.status
            else:
                expected = change() | {"replayed": False}
        except Refusal as refusal:
            assert (answer.status_code, answer.json["code"]) == (refusal.status, refusal.code), answer.text
        else:
            assert answer.status_code == status, answer.text
            close(answer.json, expected)
            if request.key and not known:
                number = self.models[place].number if place in self.models else self.deleted
                self.answered[request.owner, request.key] = Answered(
                    request, place, number, status, answer.json
                )
        if place in self.models:
            self.check(*place)
            if "params_id" in answer.json:
                known_bits = self.params(*place, version=answer.json["version"])
                assert answer.json["params_id"] == params_id(known_bits)

    def again(self, known: Answered, request: Request) -> dict[str, Any]:
        """The answer to a request whose key was answered before."""
        model = self.models.get(known.place)
        if known.request != request or (model and model.number != known.number):
            raise Refusal(422, "idempotency_key_reused")
        return known.answer | {"replayed": True}

    def request(self, data: st.DataObject, owner: str, method: str, path: str, body: Any) -> Request:
        """A request, perhaps with a key: a new one, or one that came before with another request."""
        known = [key for of, key in self.answered if of == owner]
        fresh = f"{self.prefix}-{len(self.answered)}"
        key = data.draw(st.sampled_from([None, *[fresh] * 6, *known[-1:]]))
        return Request(owner, method, path, json.dumps(body), key)

    def expect(self, place: Place, if_version: int | None = None) -> Model:
        """The model in a place. Raises Refusal where there is none, or another version of it."""
        if place not in self.models:
            raise Refusal(404, "model_not_found")
        model = self.models[place]
        if if_version not in (None, len(model.versions) - 1):
            raise Refusal(412, "version_changed")
        return model

    def any_if_version(self, data: st.DataObject, place: Place) -> dict[str, int]:
        """A version to expect: none, the newest, or one that is not the newest."""
        newest = len(self.models[place].versions) - 1 if place in self.models else 0
        wanted = data.draw(st.sampled_from([None, None, None, newest, newest, newest + 1]))
        return {} if wanted is None else {"if_version": wanted}

    @rule(place=st.sampled_from(PLACES), data=st.data())
    def create(self, place: Place, data: st.DataObject) -> None:
        optimizer = data.draw(st.sampled_from(RULES))
        params = random_arrays(data.draw(st.integers(0, 9)))

        def change() -> dict[str, Any]:
            if place in self.models:
                raise Refusal(409, "model_name_taken")
            self.models[place] = Model(next(self.numbers), [Version(params, optimizer)])
            return {"name": place[1], "version": 0, "step": 0, "params_id": params_id(params)}

        body = {"name": place[1], "network": SPEC, "params": lists(params), "optimizer": optimizer}
        self.make(self.request(data, place[0], "POST", "/v1/models", body), place, change, 201)

    changes = st.sampled_from(
        [
            {},
            {},
            {"config": {"learning_rate": 0.5}},
            {"config": {"learning_rate": 0.01}, "clip": {"norm": 0.1}},
            {"clip": {"value": 0.05}},
            {"schedule": {"kind": "step", "step_size": 1, "gamma": 0.9}},
            {"schedule": None},
        ]
    )

    @rule(
        seed=st.integers(0, 99),
        brought=st.booleans(),
        reduction=st.sampled_from(["mean", "sum"]),
        changes=changes,
        data=st.data(),
    )
    def step(self, seed: int, brought: bool, reduction: str, changes: Any, data: st.DataObject) -> None:
        place = self.any_place(data)
        body: dict[str, Any] = self.any_if_version(data, place)
        arrays = random_arrays(seed) if brought else batch(seed)
        body |= {"gradients" if brought else "data": lists(arrays), "reduction": reduction}
        body |= {"optimizer": changes} if changes else {}
        request = self.request(data, place[0], "POST", f"/v1/models/{place[1]}/steps", body)
        if request.key is None and not brought:  # arrays in answers are not stored under keys
            wanted = {"wrt": {"params": True}, "values": ["f"]}
            request = Request(place[0], request.method, request.path, json.dumps(body | wanted))

        def change() -> dict[str, Any]:
            model = self.expect(place, body.get("if_version"))
            before, answer = model.versions[-1], dict[str, Any]()
            loss, gradients = None, arrays
            if not brought:
                loss, gradients, values = compute(before.params, arrays, reduction)
                if request.key is None:
                    answer = {"gradients": {"params": gradients}, "values": {"f": values}}
            after = before.after_step(gradients, loss, reduction, changes)
            model.versions.append(after)
            numbers = {name: value for name, value in (after.entry or {}).items() if name != "reduction"}
            return (
                answer | numbers | {"version": len(model.versions) - 1, "step": after.step, "durable": True}
            )

        self.make(request, place, change)

    @rule(changes=changes, unfit=st.integers(0, 3), data=st.data())
    def change_hyperparameters(self, changes: dict[str, Any], unfit: int, data: st.DataObject) -> None:
        place = self.any_place(data)
        if unfit == 3:
            changes = {**changes, "kind": "lion"}  # another optimizer: refused
        body = {"optimizer": changes, **self.any_if_version(data, place)}

        def change() -> dict[str, Any]:
            model = self.expect(place, body.get("if_version"))
            if unfit == 3:
                raise Refusal(422, "field_invalid")
            model.versions.append(model.versions[-1].after_change(changes))
            return {"version": len(model.versions) - 1, "step": model.versions[-1].step}

        self.make(self.request(data, place[0], "PATCH", f"/v1/models/{place[1]}", body), place, change)

    def any_version(self, data: st.DataObject, place: Place) -> int:
        """A version that there is, or the one after the newest."""
        versions = len(self.models[place].versions) if place in self.models else 0
        return data.draw(st.sampled_from([*[*range(versions)] * 3, versions]))

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        place = self.any_place(data)
        version = self.any_version(data, place)
        body = {"version": version, **self.any_if_version(data, place)}

        def change() -> dict[str, Any]:
            model = self.expect(place, body.get("if_version"))
            earlier = version_of(model, version)
            restored = Version(
                *(earlier.params, earlier.rule, earlier.step, earlier.state, "restored", {"from": version})
            )
            model.versions.append(restored)
            return {"version": len(model.versions) - 1, "step": earlier.step}

        self.make(self.request(data, place[0], "POST", f"/v1/models/{place[1]}/restore", body), place, change)

    @rule(name=st.sampled_from(NAMES), newest=st.booleans(), data=st.data())
    def fork(self, name: str, newest: bool, data: st.DataObject) -> None:
        place = owner, source = self.any_place(data)
        version = None if newest else self.any_version(data, place)
        body = {"name": name} | ({} if newest else {"version": version})

        def change() -> dict[str, Any]:
            versions = self.expect(place).versions
            at = len(versions) - 1 if version is None else version
            earlier = version_of(self.models[place], at)
            if (owner, name) in self.models:
                raise Refusal(409, "model_name_taken")
            fork = Version(earlier.params, earlier.rule, earlier.step, earlier.state)
            self.models[owner, name] = Model(next(self.numbers), [fork])
            return {"name": name, "version": 0, "step": earlier.step}

        request = self.request(data, owner, "POST", f"/v1/models/{source}/fork", body)
        self.make(request, (owner, name), change, 201)

    @rule(rarely=st.integers(0, 4), data=st.data())
    def delete(self, rarely: int, data: st.DataObject) -> None:
        place = self.any_place(data)

        def change() -> dict[str, Any]:
            model = self.expect(place)
            self.deleted = model.number
            del self.models[place]
            return {"name": place[1], "version": len(model.versions) - 1}

        if rarely == 4:  # else few models would live long
            self.make(self.request(data, place[0], "DELETE", f"/v1/models/{place[1]}", {}), place, change)

    @precondition(lambda self: self.models)
    @rule(seeds=st.lists(st.integers(0, 99), min_size=1, max_size=3), data=st.data())
    def take_plain_steps(self, seeds: list[int], data: st.DataObject) -> None:
        owner, name = place = data.draw(st.sampled_from(sorted(self.models)))
        versions = self.models[place].versions
        for seed in seeds:
            arrays = batch(seed)
            body = json.dumps({"data": lists(arrays)})

            def change(arrays: Arrays = arrays) -> dict[str, Any]:
                loss, gradients, _ = compute(versions[-1].params, arrays, "mean")
                versions.append(versions[-1].after_step(gradients, loss, "mean", {}))
                return {"loss": loss, "version": len(versions) - 1}

            self.make(Request(owner, "POST", f"/v1/models/{name}/steps", body), place, change)

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        known = self.answered[data.draw(st.sampled_from(sorted(self.answered)))]
        self.make(known.request, known.place, lambda: {})

    @rule(data=st.data())
    def send_what_is_refused(self, data: st.DataObject) -> None:
        """A gradient is missing, or a batch has another shape: nothing changes."""
        place = self.any_place(data)
        gradients = lists(random_arrays(1))
        del gradients["f.bias"]
        wrong = {"x": [[1.0]], "y": [[1.0]]}
        for body in ({"gradients": gradients}, {"data": wrong}, {"data": {}}):
            request = Request(place[0], "POST", f"/v1/models/{place[1]}/steps", json.dumps(body))
            answer = self.send(request)
            assert answer.status_code == (422 if place in self.models else 404), answer.text
        if place in self.models:
            self.check(*place)


def version_of(model: Model, version: int) -> Version:
    if version >= len(model.versions):
        raise Refusal(404, "version_not_found")
    return model.versions[version]


def close(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """All that is expected is found: names and counts as they are, numbers but for rounding."""
    for name, value in expected.items():
        if isinstance(value, Mapping):
            close(found[name], value)
        elif isinstance(value, float | np.ndarray):
            np.testing.assert_allclose(found[name], value, **CLOSE)
        else:
            assert found[name] == value, name


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(
    max_examples=max(1, settings.default.max_examples // 5), stateful_step_count=30
)
