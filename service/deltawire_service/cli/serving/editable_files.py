"""The files of plugins that are installed as editable: where authors change them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import Distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from deltawire_layers.registry import LAYERS
from deltawire_optimizers.registry import OPTIMIZERS

SUFFIXES = (".py", ".so", ".toml")
"""Ends of the names of files that are looked at: code, compiled code, and what declares entry points."""

Stamps = Mapping[str, int]
"""The times at which files and folders were changed, in nanoseconds, by their paths."""


def editable_folders() -> list[Path]:
    """Return the folders of the plugins that are installed as editable (`pip install -e`), sorted."""
    points = [*LAYERS.installed(), *OPTIMIZERS.installed()]
    distributions = {point.dist.name: point.dist for point in points if point.dist}
    folders = (_editable_folder(distribution) for distribution in distributions.values())
    return sorted({folder for folder in folders if folder is not None})


def _editable_folder(distribution: Distribution) -> Path | None:
    """Return the folder that an editable distribution is read from; None when it is not editable."""
    text = distribution.read_text("direct_url.json")  # PEP 610
    if text is None:
        return None
    with suppress(ValueError):
        origin = json.loads(text)
        url = urlsplit(origin.get("url", ""))
        if url.scheme == "file" and origin.get("dir_info", {}).get("editable"):
            return Path(url2pathname(url.path)).resolve()
    return None


def stamps(folders: Iterable[Path]) -> Stamps:
    """Return when the files of these folders were changed, and when something was installed or removed.

    Hidden folders and environments are left out.
    """
    changed = dict[str, int]()
    for folder in folders:
        for place, inner, names in os.walk(folder):
            inner[:] = [name for name in inner if _is_looked_at(place, name)]
            for name in names:
                if name.endswith(SUFFIXES) and not name.startswith("."):
                    _stamp(changed, os.path.join(place, name))
    for place in sys.path:  # a folder changes when a distribution is put into it
        if os.path.basename(place) in ("site-packages", "dist-packages"):
            _stamp(changed, place)
    return changed


def _is_looked_at(place: str, name: str) -> bool:
    environment = os.path.exists(os.path.join(place, name, "pyvenv.cfg"))
    return not name.startswith(".") and name not in ("__pycache__", "node_modules") and not environment


def _stamp(changed: dict[str, int], path: str) -> None:
    with suppress(OSError):  # it was removed meanwhile
        changed[path] = os.stat(path).st_mtime_ns


def changed_path(before: Stamps, now: Stamps) -> str | None:
    """Return the first path, in alphabetical order, that was changed, added or removed; None if none was."""
    differing = before.items() ^ now.items()
    return min(path for path, _ in differing) if differing else None
