"""The workers of a scheduler, as it lists them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from deltawire_service.cluster.resources import PREFIX


class Member(NamedTuple):
    """A worker."""

    address: str
    name: str
    threads: int
    fingerprint: str
    """Empty for a worker that is none of deltawire."""
    versions: Mapping[str, str]
    last_seen: float
    """When the scheduler heard of it, by the scheduler's clock."""

    def document(self) -> dict[str, Any]:
        """Return the worker as JSON has it."""
        return self._asdict()


def read_members(workers: Mapping[str, Mapping[str, Any]]) -> list[Member]:
    """Return the workers out of the description that a scheduler gives of itself."""
    members = []
    for address, worker in workers.items():
        fingerprints = [name.removeprefix(PREFIX) for name in worker["resources"] if name.startswith(PREFIX)]
        described = worker.get("deltawire") or {}
        members.append(
            Member(
                address,
                str(worker["name"]),
                worker["nthreads"],
                fingerprints[0] if fingerprints else "",
                described.get("versions", {}),
                worker["last_seen"],
            )
        )
    return members


def equal_members(members: Iterable[Member], fingerprint: str) -> list[Member]:
    """Return the workers that compute the same bits as a process with this fingerprint."""
    return [member for member in members if member.fingerprint == fingerprint]
