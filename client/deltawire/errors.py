"""The errors of deltawire.

    DeltawireError          `code` and `pointer` say what is wrong and where, `errors` lists every place;
    │                       `status` and `request_id` are the answer's, None when there was none
    ├── Refused             the request is wrong: nothing was computed, and repeating it unchanged cannot help
    │                       (a model to import or export that cannot be expressed: `not_expressible`)
    ├── Unreachable         no answer came: `unreachable`; repeating it may help
    │   └── TimedOut        none came in time: `timed_out`
    ├── ServiceFailed       the service failed, or what answered is no deltawire service: `answer_invalid`
    │   └── PluginFailed    a layer's own bug: `plugin_error`; the detail names the node and its kind
    └── NotInstalled        an extra is missing, the service for a client without a URL: `not_installed`

The service's codes are listed in docs/api.md; those above are the client's own. All errors can be pickled.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple, Self

MOST_FAULTS = 20
"""Faults one error lists: enough to mend a request by, and few enough to bound what a hostile one costs."""


class Fault(NamedTuple):
    """One thing wrong: where (a JSON pointer), a stable code, what was expected and what came."""

    pointer: str
    code: str
    detail: str


class DeltawireError(Exception):
    """Anything deltawire raises on purpose.

    faults: what is wrong, most important first; the first 20 are kept.
    status: HTTP status of the answer. request_id: finds the request in the logs of the service.
    """

    def __init__(self, faults: Iterable[Fault], status: int | None = None, request_id: str | None = None):
        self.faults = tuple(islice(faults, MOST_FAULTS))
        self.status = status
        self.request_id = request_id
        super().__init__(
            "; ".join(f"{fault.pointer}: {fault.detail}".removeprefix(": ") for fault in self.faults)
        )

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Fault, ...], int | None, str | None]]:
        return type(self), (self.faults, self.status, self.request_id)

    @property
    def code(self) -> str:
        """The stable code of the first fault."""
        return self.faults[0].code

    @property
    def pointer(self) -> str:
        """Where the first fault is: a JSON pointer into the request, empty when it is not one place."""
        return self.faults[0].pointer

    @property
    def errors(self) -> tuple[Fault, ...]:
        """Every fault found, by the name the service's problem documents give them."""
        return self.faults


class Refused(DeltawireError):
    """The request cannot be computed. `faults` names every place found wrong, most important first."""

    def under(self, prefix: str) -> Self:
        """The same refusal, its pointers moved below `prefix` (`/network`)."""
        moved = (fault._replace(pointer=prefix + fault.pointer) for fault in self.faults)
        return type(self)(moved, self.status, self.request_id)


def other_dtype(name: str, dtype: str, asked: str) -> str:
    """What is said when a network is to be computed in a dtype that its parameters do not have."""
    return f"network '{name}' is {dtype}, not {asked}: leave \"dtype\" out, or bring all its parameters"


def unfit(pointer: str, expected: str, got: Any) -> Refused:
    """The refusal of something that is not what its place takes."""
    return Refused([Fault(pointer, "field_invalid", f"expected {expected}, got {reprlib.repr(got)}")])


class Unreachable(DeltawireError):
    """No answer came: the connection was refused or cut. Gradients can be asked for again without harm."""


class TimedOut(Unreachable):
    """No connection, or no answer, within the timeouts of the client."""


class ServiceFailed(DeltawireError):
    """The service failed, or something else answered in its place. The request itself may be right."""


class PluginFailed(ServiceFailed):
    """A layer broke its contract: its own bug. The detail names the node and the kind."""


class NotInstalled(DeltawireError):
    """A library that an extra brings is missing: for a client without a URL, the service itself."""


def failure(problem: Any, status: int) -> Refused | ServiceFailed:
    """The error a problem document describes. Raises LookupError, TypeError or ValueError when it is none."""
    faults = [Fault(fault["pointer"], fault["code"], fault["detail"]) for fault in problem["errors"]]
    request_id = problem["request_id"]
    if status == 401:
        keys = "Client(…, api_key=…), or DELTAWIRE_API_KEY for the command line"
        faults = [fault._replace(detail=f"{fault.detail}: {keys}") for fault in faults]
    if status < 500:
        return Refused(faults, status, request_id)
    return (PluginFailed if faults[0].code == "plugin_error" else ServiceFailed)(faults, status, request_id)
