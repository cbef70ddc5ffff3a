"""What is said when a library that an extra brings is not installed."""

from __future__ import annotations

from deltawire.errors import Fault, NotInstalled


def missing(extra: str, error: ModuleNotFoundError) -> NotInstalled:
    """The error to raise from `error`, an import that failed; it names the extra to install."""
    detail = f"{error.name} is not installed: pip install 'deltawire[{extra}]'"
    return NotInstalled([Fault("", "not_installed", detail)])
