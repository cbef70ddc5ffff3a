"""The errors of deltawire.

    DeltawireError          `code` and `pointer` say what is wrong and where, `errors` lists every place;
    │                       `status` and `request_id` are those of the response, None without one
    ├── Refused             the request is wrong: nothing was computed, and repeating it unchanged cannot help
    │                       (a model that cannot be imported or exported: `not_expressible`)
    ├── Unreachable         no response came: `unreachable`; repeating the request may help
    │   ├── ConnectionLost  the service was connected, and sent no whole response: `unreachable`
    │   └── TimedOut        the service took too long: `timed_out`
    ├── ServiceFailed       the service failed, or something else answered: `answer_invalid`
    │   └── PluginFailed    a layer's own bug: `plugin_error`; the detail names the node and its kind
    └── NotInstalled        an extra is missing, the service for a client without a URL: `not_installed`

The service's codes are listed in docs/api.md; those above are the client's own. All errors can be pickled.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Self

MOST_FAULTS = 20
"""Faults that one error lists: enough to mend a request, few enough to bound what a hostile one costs."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong.

    Attributes:
        pointer: JSON pointer into the request; empty when the fault is not at one place.
        code: Stable, for programs.
        detail: For people: what was expected, and what came.
        mend: For people: an option of the caller's own call that helps. A service names a field of the
            request, the SDK an argument, and a command a line of its file.
    """

    pointer: str
    code: str
    detail: str
    mend: str = ""

    @property
    def message(self) -> str:
        """The detail, and the mend after it."""
        return f"{self.detail}: {self.mend}" if self.mend else self.detail

    def document(self) -> dict[str, str]:
        """Return the fault as JSON has it, without an empty mend."""
        document = {"pointer": self.pointer, "code": self.code, "detail": self.detail}
        return document | ({"mend": self.mend} if self.mend else {})


class DeltawireError(Exception):
    """The base of every error that deltawire raises on purpose."""

    def __init__(
        self,
        faults: Iterable[Fault],
        status: int | None = None,
        request_id: str | None = None,
        key: str | None = None,
    ):
        """Keep what is wrong.

        Args:
            faults: Most important first; the first 20 are kept.
            status: HTTP status of the response.
            request_id: Finds the request in the logs of the service.
            key: The Idempotency-Key of a change that was made, or may have been.
        """
        self.faults = tuple(islice(faults, MOST_FAULTS))
        self.status = status
        self.request_id = request_id
        self.key = key
        super().__init__(
            "; ".join(f"{fault.pointer}: {fault.message}".removeprefix(": ") for fault in self.faults)
        )

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Fault, ...], int | None, str | None, str | None]]:
        return type(self), (self.faults, self.status, self.request_id, self.key)

    def with_faults(self, faults: Iterable[Fault]) -> Self:
        """Return the same error with other faults."""
        return type(self)(faults, self.status, self.request_id, self.key)

    def with_mends(self, mends: Mapping[str, str]) -> Self:
        """Return the same error with the mends for these codes; faults of other codes stay as they are."""
        return self.with_faults(
            replace(fault, mend=mends.get(fault.code, fault.mend)) for fault in self.faults
        )

    def of_change(self, key: str, mends: Mapping[str, str]) -> Self:
        """Return the same error of a change that was made, or may have been.

        Args:
            key: The Idempotency-Key of the change.
            mends: By code. Those that say `call with key=…` say `command with --key …` on the command line.
        """
        error = self.with_mends(mends)
        error.key = key
        return error

    @property
    def code(self) -> str:
        """The stable code of the first fault."""
        return self.faults[0].code

    @property
    def pointer(self) -> str:
        """The place of the first fault: a JSON pointer into the request, empty when it is not one place."""
        return self.faults[0].pointer

    @property
    def errors(self) -> tuple[Fault, ...]:
        """Every fault, under the name that the service's problem documents use."""
        return self.faults


class Refused(DeltawireError):
    """The request cannot be computed. `faults` names every wrong place, most important first."""

    def under(self, prefix: str) -> Self:
        """Return the same refusal with its pointers below `prefix` (`/network`)."""
        return self.with_faults(replace(fault, pointer=prefix + fault.pointer) for fault in self.faults)


class Unreachable(DeltawireError):
    """No response came: the connection failed. A call that computes changed nothing, and may come again."""

    def after(self, attempts: int, seconds: float) -> Self:
        """Return the same failure, its detail with the number of attempts and the seconds they took."""
        tried = f"{attempts} attempts in {seconds:.1f} s" if attempts > 1 else "1 attempt"
        first = replace(self.faults[0], detail=f"{self.faults[0].detail} ({tried})")
        return self.with_faults([first, *self.faults[1:]])


class ConnectionLost(Unreachable):
    """The service was connected, and the connection ended before a whole response came."""


class TimedOut(Unreachable):
    """The service was connected, and sent no response within the client's timeout."""


class ServiceFailed(DeltawireError):
    """The service failed, or something else answered in its place. The request itself may be right."""

    def because(self, error: BaseException) -> Self:
        """Return the same failure, its detail with the exception that a service in this process raised."""
        reason = f"{error}: {error.__cause__!r}" if error.__cause__ else str(error) or repr(error)
        first = replace(self.faults[0], detail=f"{self.faults[0].detail}: {reason}")
        return self.with_faults([first, *self.faults[1:]])


class PluginFailed(ServiceFailed):
    """A layer broke its contract: its own bug. The detail names the node and the kind."""


class NotInstalled(DeltawireError):
    """A library that an extra brings is missing: for a client without a URL, the service itself."""


def missing_extra(extra: str, error: ModuleNotFoundError) -> NotInstalled:
    """Return the error for an import that failed; it names the extra to install."""
    detail = f"{error.name} is not installed: pip install 'deltawire[{extra}]'"
    return NotInstalled([Fault("", "not_installed", detail)])


def other_dtype(name: str, dtype: str, requested: str) -> str:
    """Return the message for a request whose dtype differs from the published network's.

    Args:
        name: Of the network.
        dtype: Of its parameters.
        requested: The dtype of the request.
    """
    return f"network '{name}' is {dtype}, not {requested}: leave \"dtype\" out, or bring all its parameters"


def wrong_argument(pointer: str, expected: str, got: Any) -> Refused:
    """Return the refusal of an argument of another kind.

    Args:
        pointer: JSON pointer to the argument.
        expected: What belongs there, in words.
        got: What was passed.
    """
    return Refused([Fault(pointer, "field_invalid", f"expected {expected}, got {reprlib.repr(got)}")])


def failure(problem: Any, status: int) -> Refused | ServiceFailed:
    """Return the error that a problem document describes.

    Raises:
        LookupError, TypeError, ValueError: The document is not a problem document.
    """
    faults = [Fault(fault["pointer"], fault["code"], fault["detail"]) for fault in problem["errors"]]
    request_id = problem["request_id"]
    if status < 500:
        return Refused(faults, status, request_id)
    return (PluginFailed if faults[0].code == "plugin_error" else ServiceFailed)(faults, status, request_id)
