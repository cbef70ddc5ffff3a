"""How every command ends: errors are shown, and become exit codes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from errno import EPIPE
from shlex import quote
from typing import Any

import click
from environs import EnvError
from rich.padding import Padding

from deltawire.errors import (
    ConnectionLost,
    DeltawireError,
    NotInstalled,
    Refused,
    ServiceFailed,
    TimedOut,
    Unreachable,
)
from deltawire_layers import RegistryError
from deltawire_service.cli.terminal import console, print_json
from deltawire_service.faults import of_class


class Exit(IntEnum):
    """Exit codes of the commands, documented in group.py."""

    DONE = 0
    NO = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    FAILED = 5
    INTERRUPTED = 130


OUTCOMES: dict[type[BaseException], tuple[Exit, str]] = {
    Refused: (Exit.REFUSED, "refused"),
    Unreachable: (Exit.UNREACHABLE, "no service"),
    ServiceFailed: (Exit.FAILED, "failed"),
    NotInstalled: (Exit.USAGE, "not installed"),
}
"""Exit code and title of each error."""


MENDS = {
    "non_finite": '"non_finite": "return" in FILE returns it',
    "unauthorized": "set DELTAWIRE_API_KEY to the key",
    "not_found": "is --url the address of the service alone, without /v1?",
    "store_missing": "set DELTAWIRE_DATA_DIR=models, or pass --url of a service that keeps some",
}
"""What a user of a command can do about an error, by its code."""


ADVICE = {"model_name_taken": "choose another name, or `deltawire models delete NAME` first"}
"""The same, for errors that the SDK has no mend for."""

UNSURE = "the change may have been made: look with `deltawire models list` and `deltawire datasets list`"
"""The mend of a command without --key."""


class Command(click.Command):
    """A command that shows the errors of deltawire, and exits with their codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; never raises an error of deltawire."""
        try:
            return super().invoke(ctx)
        except DeltawireError as failed:
            error = for_commands(failed, ctx.params)
            code, title = of_class(OUTCOMES, type(error))
            if ctx.params.get("as_json"):
                print_json(error_document(error))
            else:
                show_error(title, error)
        except EnvError as error:
            code = Exit.USAGE
            click.echo(f"a setting does not fit: {error}", err=True)
        except RegistryError as error:
            code = Exit.FAILED
            click.echo(f"the service cannot start: {error}", err=True)
        except OSError as error:
            if error.errno == EPIPE:  # whoever reads the output has gone: click ends without a word
                raise
            code = Exit.FAILED
            place = f"{error.filename}: " if error.filename else ""
            click.echo(f"failed: {place}{error.strerror or error}", err=True)
        except KeyboardInterrupt:
            code = Exit.INTERRUPTED
        ctx.exit(code)


def for_commands(error: DeltawireError, params: Mapping[str, Any]) -> DeltawireError:
    """Return an error with the mends of the command line in place of the SDK's.

    Args:
        error: what ended the command.
        params: the options of the command.
    """
    mends = ADVICE | {fault.code: MENDS.get(fault.code, "") for fault in error.faults if fault.mend}
    if params.get("url") and "store_missing" in mends:
        mends["store_missing"] = (
            "start the service at --url with DELTAWIRE_DATA_DIR, the folder of its models"
        )
    if error.key is not None and "key" not in params and isinstance(error, ConnectionLost | TimedOut):
        mends |= {fault.code: UNSURE for fault in error.faults if fault.mend}
    elif error.key is not None and "key" in params:  # what the SDK says about its key holds for it too
        call, command = f"call with key={error.key!r}", f"command with --key {quote(error.key)}"
        told = {fault.code: fault.mend.replace(call, command) for fault in error.faults if call in fault.mend}
        mends |= told
    return error.with_mends(mends)


def error_document(error: DeltawireError) -> dict[str, Any]:
    """Return an error for programs: the fields of a problem document."""
    errors = [fault.document() for fault in error.errors]
    return {"code": error.code, "status": error.status, "request_id": error.request_id, "errors": errors}


def show_error(title: str, error: DeltawireError) -> None:
    """Print every fault on standard error: its code, its place, what was expected and what came."""
    screen = console(stderr=True)
    for fault in error.errors:
        screen.print(f"{title}: {fault.code}", style="bold red", end="")
        screen.print(f"  at {fault.pointer}" if fault.pointer else "", style="bold")
        screen.print(Padding(fault.message, (0, 0, 0, 2)))
    if error.status and error.status >= 500 and error.code != "store_missing":
        screen.print(f"  the service's log has more, under the request id {error.request_id}", style="dim")
