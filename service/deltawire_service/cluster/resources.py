"""The fingerprint as a resource of Dask: tasks go to workers that compute the same bits, and to no others."""

from __future__ import annotations

PREFIX = "deltawire-"


def resource(fingerprint: str) -> str:
    """Return the name of the resource that workers with a fingerprint have."""
    return PREFIX + fingerprint
