"""A model that learns at a service: each change of it is made exactly once, and kept in its ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self, TypeVar

from deltawire.arguments.names import name_list, wrt_document
from deltawire.connection import Connection
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.models.results import (
    Checkpoint,
    ModelChange,
    StepResult,
    checkpoint_reader,
    read_change,
    step_reader,
)
from deltawire.models.rules import Rule, rule_changes
from deltawire.models.version import ModelVersion
from deltawire.network.files import FilePath, write
from deltawire.request_builder import Arrays, Data, Names, Wrt
from deltawire.responses import to_arrays
from deltawire.runs.fit import fit
from deltawire.wire import Array

DEFAULTS: dict[str, Any] = {
    "reduction": "mean", "losses": False, "durable": True, "wrt": {}, "values": [], "deltas": [],
    "optimizer": {}, "noise_seed": None,
}  # fmt: skip
"""The options of a step that asks for nothing beside it."""

T = TypeVar("T")


class Model(ModelVersion):
    """A model at a service: a network, parameters and an optimizer, changed step by step.

    It computes with its newest version, and `at` returns an earlier one. `Client.create_model` makes a model,
    `Client.model` finds one.

    Every change takes a `key`, the Idempotency-Key of the request: a call with the key of an earlier one
    returns its result, and changes nothing more. Without one each call has its own, which its retries keep.
    """

    def at(self, version: int) -> ModelVersion:
        """Return a version of the model, to compute with its parameters."""
        return ModelVersion(self.client, self.name, self.dtype, self.spec, version)

    def describe(self) -> dict[str, Any]:
        """Return the description of the model: `version`, `step`, `optimizer`, `bytes`, `network`, …"""
        return self._connection.get(self.path, dict)

    def step(
        self,
        data: Data | None = None,
        *,
        gradients: Arrays | None = None,
        reduction: str = "mean",
        learning_rate: float | None = None,
        optimizer: Rule | None = None,
        if_version: int | None = None,
        noise_seed: int | None = None,
        durable: bool = True,
        wrt: Wrt | None = None,
        values: Names = (),
        deltas: Names = (),
        losses: bool = False,
        key: str | None = None,
    ) -> StepResult:
        """Take one optimizer step, from a batch or from gradients.

        Args:
            data: Inputs by name, (batch, *shape), or rows of a dataset; or None, with `gradients`.
            gradients: One for each parameter, by name, of its shape, computed by the caller.
            reduction: "mean" or "sum" of the loss over the examples.
            learning_rate: For this step alone; it is not scheduled.
            optimizer: What changes in the optimizer for this step alone, as for `change_optimizer`.
            if_version: The version that the step must start from; None for any.
            noise_seed: Where the noise inputs start from; None for the number of the step.
            durable: Whether the step must outlive a crash of the machine before it is answered.
            wrt: The gradients to return, as for `Client.gradients`; by default none.
            values: Nodes whose values to return.
            deltas: Nodes whose deltas to return.
            losses: Return each example's loss too.
            key: The Idempotency-Key; by default a new one.

        Raises:
            Refused: An argument does not fit, or the newest version is not `if_version`.
        """
        options = {
            "reduction": reduction, "losses": losses, "durable": durable, "wrt": wrt_document(wrt),
            "values": name_list("values", values), "deltas": name_list("deltas", deltas),
            "optimizer": rule_changes(optimizer, learning_rate), "noise_seed": noise_seed,
        }  # fmt: skip
        # Defaults are left out: a step by gradients is refused with any option of a batch.
        chosen = {name: option for name, option in options.items() if option != DEFAULTS[name]}
        chosen |= {"tensors": "base64", **_expected(if_version)}
        request = self.client.requests.with_arrays(self, _batch_or_gradients(data, gradients), chosen)
        binary = self._connection.media_type
        return self._connection.change(
            "POST", request.path("steps"), request.document, step_reader(self.dtype), key=key,
            sends=binary, accepts=binary,
        )  # fmt: skip

    fit = fit  # in a file of its own, as what computes is

    def change_optimizer(
        self,
        optimizer: Rule | None = None,
        *,
        learning_rate: float | None = None,
        if_version: int | None = None,
        key: str | None = None,
    ) -> ModelChange:
        """Change the hyperparameters from the next step on; the optimizer keeps its state.

        Args:
            optimizer: An optimizer of the same kind, whose whole rule counts; or JSON of what changes. A
                `config` changes key by key, a `schedule` and a `clip` as a whole.
            learning_rate: The learning rate, beside what `optimizer` changes.
            if_version: The version that is changed; None for any.
            key: The Idempotency-Key; by default a new one.

        Raises:
            Refused: The changes do not fit the optimizer, or the newest version is not `if_version`.
        """
        changes = rule_changes(optimizer, learning_rate)
        if not changes:
            raise wrong_argument("/optimizer", "what changes, as in learning_rate=1e-4", optimizer)
        document = {"optimizer": changes, **_expected(if_version)}
        return self._connection.change("PATCH", self.path, document, read_change, key=key)

    def restore(self, version: int, *, if_version: int | None = None, key: str | None = None) -> ModelChange:
        """Bring back the parameters and the optimizer of an earlier version, as a new version.

        Args:
            version: The earlier version.
            if_version: The version that the model must have before; None for any.
            key: The Idempotency-Key; by default a new one.

        Raises:
            Refused: There is no such version, or the newest one is not `if_version`.
        """
        document = {"version": version, **_expected(if_version)}
        return self._connection.change("POST", f"{self.path}/restore", document, read_change, key=key)

    def fork(self, name: str, *, version: int | None = None, key: str | None = None) -> Self:
        """Make a new model from a version of this one: its parameters, its optimizer and its state.

        Args:
            name: The name of the new model.
            version: The version; None for the newest.
            key: The Idempotency-Key; by default a new one.

        Raises:
            Refused: The name is taken, or there is no such version.
        """
        document = {"name": name, **_version(version)}
        self._connection.change("POST", f"{self.path}/fork", document, dict, key=key)
        return type(self)(self.client, name, self.dtype, self.spec)

    def delete(self, *, key: str | None = None) -> None:
        """Delete the model with its ledger.

        Raises:
            Refused: There is no such model.
        """
        self._connection.change("DELETE", self.path, None, dict, key=key)

    def ledger(self, after: int = -1) -> Iterator[dict[str, Any]]:
        """Yield the entries of the ledger: `version`, `kind`, `step`, and what belongs to the kind.

        Args:
            after: The version that the first entry follows.
        """
        following: int | None = after
        while following is not None:
            page = self._connection.get(f"{self.path}/ledger?after={following}", dict)
            yield from page["entries"]
            following = page["next"]

    def checkpoint(self, version: int | None = None) -> Checkpoint:
        """Return the parameters of a version, and where they come from.

        Args:
            version: The version; None for the newest.

        Raises:
            Refused: There is no such version, or its bits cannot be computed again here.
        """
        return self._read("params", version, checkpoint_reader(self.dtype))

    def params(self, version: int | None = None) -> dict[str, Array]:
        """Return the parameters of a version by name; the newest by default. See `checkpoint`."""
        return self.checkpoint(version).params

    def optimizer_state(self, version: int | None = None) -> dict[str, Any]:
        """Return the state of the optimizer, as `load_state_dict` of `deltawire.optim` takes it.

        Args:
            version: The version; None for the newest.

        Returns:
            `kind`, `steps`, and `state`: arrays by name, `hidden.weight.exp_avg` for example.

        Raises:
            Refused: There is no such version, or its bits cannot be computed again here.
        """

        def read(answer: Any) -> dict[str, Any]:
            state = to_arrays(answer["state"], self.dtype)
            return {"kind": answer["optimizer"]["kind"], "steps": answer["origin"]["step"], "state": state}

        return self._read("optimizer", version, read)

    def save(self, path: FilePath, version: int | None = None) -> None:
        """Write network, parameters and constants to a file that `Network.load` and `deltawire publish` read.

        Args:
            path: Of the file, which is replaced in one step.
            version: The version; None for the newest.

        Raises:
            Refused: There is no such version, or its bits cannot be computed again here.
            OSError: The file cannot be written.
        """
        checkpoint = self.checkpoint(version)
        write(path, checkpoint.network, checkpoint.params, checkpoint.constants)

    @property
    def _connection(self) -> Connection:
        return self.client.connection

    def _read(self, part: str, version: int | None, read: Callable[[Any], T]) -> T:
        query = "" if version is None else f"?version={version}"
        return self._connection.get(f"{self.path}/{part}{query}", read, accepts=self._connection.media_type)


def _batch_or_gradients(data: Data | None, gradients: Arrays | None) -> dict[str, Data]:
    if gradients is None and data is not None:
        return {"data": data}
    if data is None and gradients is not None:
        return {"gradients": gradients}
    raise Refused([Fault("/data", "field_invalid", "a step takes either data or gradients=…")])


def _expected(version: int | None) -> dict[str, int]:
    return {} if version is None else {"if_version": version}


def _version(version: int | None) -> dict[str, int]:
    return {} if version is None else {"version": version}
