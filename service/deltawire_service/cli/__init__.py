"""The command line, `deltawire`: one command a file."""

from __future__ import annotations

import sys

from deltawire_plugins.blas import BlasUnusable


def main() -> None:
    """Run the command line; group.py documents the exit codes."""
    try:
        from deltawire_service.cli.group import deltawire

        deltawire()
    except ModuleNotFoundError as missing:
        if missing.name not in ("click", "rich", "environs"):
            raise
        print("the command line comes with the service: pip install 'deltawire[service]'", file=sys.stderr)
        sys.exit(2)
    except BlasUnusable as error:
        print(f"deltawire cannot start: {error}", file=sys.stderr)
        sys.exit(2)
