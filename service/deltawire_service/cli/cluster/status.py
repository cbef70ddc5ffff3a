"""deltawire cluster status: list the workers of a scheduler, and say which of them a service uses."""

from __future__ import annotations

from typing import Any

import click

from deltawire.errors import Fault, Unreachable
from deltawire.text import counted
from deltawire_service.cli.options import client_of, json_option, url_option
from deltawire_service.cli.outcome import Command
from deltawire_service.cli.terminal import console, one_line, print_json, print_verdict, table
from deltawire_service.cluster.addresses import AddressRefused, check_address
from deltawire_service.cluster.members import Member, equal_members
from deltawire_service.cluster.starting import require_dask
from deltawire_service.settings import Settings

SHOWN = 12
"""Digits of a fingerprint that are shown."""


@click.command(cls=Command)
@click.argument("address", required=False)
@url_option
@json_option
@click.pass_context
def status(ctx: click.Context, address: str | None, url: str | None, as_json: bool) -> None:
    """List the workers of the Dask scheduler at ADDRESS, or at DELTAWIRE_DASK.

    With --url, say which of them compute for the service there: those with its fingerprint. The exit code is
    1 when there are none, or no workers at all.
    """
    address = address or Settings.from_environment().dask
    try:
        check_address(address)
    except AddressRefused as error:
        raise click.UsageError(str(error)) from None
    require_dask(address)
    members = find_members(address)
    fingerprint = None
    if url:
        with client_of(url) as client:
            fingerprint = client.limits()["fingerprint"]
    used = members if fingerprint is None else equal_members(members, fingerprint)
    used = [member for member in used if member.fingerprint]
    if as_json:
        workers = [{**member.document(), "used": member in used} for member in members]
        print_json({"scheduler": address, "fingerprint": fingerprint, "workers": workers})
    else:
        show(members, used, fingerprint)
    ctx.exit(0 if used else 1)


def find_members(address: str) -> list[Member]:
    """Return the workers of a scheduler. Raises Unreachable where none answers."""
    from deltawire_service.cluster.dispatching.client import Scheduler, SchedulerLost

    scheduler = Scheduler(address)
    try:
        return scheduler.members(fresh=True)
    except SchedulerLost as error:
        raise Unreachable([Fault("", "unreachable", f"no scheduler answers at {address}")]) from error
    finally:
        scheduler.close()


def show(members: list[Member], used: list[Member], fingerprint: str | None) -> None:
    """Print the workers for people.

    Args:
        members: all workers.
        used: those that compute.
        fingerprint: that of the service; None where none was named.
    """
    screen = console()
    rows = table(
        "worker", "threads", "fingerprint", "versions", "tasks", right=["threads"], wrap=["versions"]
    )
    for member in members:
        rows.add_row(
            member.name,
            str(member.threads),
            member.fingerprint[:SHOWN] or "none",
            one_line(versions_text(member.versions)),
            "yes" if member in used else "no: it would compute other bits",
        )
    if members:
        screen.print(rows, "")
    if fingerprint:
        screen.print(f"the fingerprint of the service: {fingerprint[:SHOWN]}")
    print_verdict(screen, bool(used), f"{counted(len(used), 'worker')} of {len(members)} can take tasks")


def versions_text(versions: Any) -> str:
    """Return the versions of a worker in a line."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())
