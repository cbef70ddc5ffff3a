"""The workers as a scheduler lists them: who computes the same bits."""

from __future__ import annotations

from typing import Any

from deltawire_service.cluster.members import equal_members, read_members


def listed(seen: float, *fingerprints: str) -> dict[str, dict[str, Any]]:
    return {
        f"tcp://{number}": {
            "name": number,
            "nthreads": 1,
            "resources": {"GPU": 1, f"deltawire-{fingerprint}": 1} if fingerprint else {},
            "last_seen": seen,
            **({"deltawire": {"versions": {"numpy": "2"}}} if fingerprint else {}),
        }
        for number, fingerprint in enumerate(fingerprints)
    }


def test_workers_with_another_fingerprint_or_none_are_told_apart() -> None:
    found = read_members(listed(1.0, "aa", "bb", ""))
    assert [member.fingerprint for member in found] == ["aa", "bb", ""]
    assert [member.name for member in equal_members(found, "aa")] == ["0"]
    assert found[0].versions == {"numpy": "2"} and found[2].versions == {}
