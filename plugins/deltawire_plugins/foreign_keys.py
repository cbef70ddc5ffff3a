"""The keys that other libraries have for ours, and the hint for one that came by mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def plain(key: str) -> str:
    """Return a key without case, underscores and hyphens: `kernelSize` and `kernel_size` are one."""
    return key.lower().replace("_", "").replace("-", "")


class ForeignKeys:
    """Keys of other libraries, each with what stands for it here.

    Args:
        same: by a key of ours, the keys that mean the same elsewhere, separated by spaces.
        notes: by keys without a counterpart, what to do in their place.
    """

    def __init__(self, same: Mapping[str, str], notes: Mapping[str, str]):
        self.same = {ours: tuple(names.split()) for ours, names in same.items()}
        self._ours: dict[str, list[str]] = {}
        for ours, names in self.same.items():
            for name in names:
                self._ours.setdefault(plain(name), []).append(ours)
        self._notes = {plain(name): note for names, note in notes.items() for name in names.split()}

    def hint(self, key: str, known: Iterable[str]) -> str:
        """Return what stands for a key, as the end of a message; empty when nothing is known of it.

        Args:
            key: as it came.
            known: the keys that can stand at its place.

        Example:
            >>> ForeignKeys({"units": "out_features"}, {}).hint("out_features", ["bias", "units"])
            "; here it is 'units'"
        """
        name, known = plain(key), list(known)
        spelled = [ours for ours in known if plain(ours) == name]
        same = spelled or [ours for ours in self._ours.get(name, ()) if ours in known]
        if same:
            return f"; here it is '{same[0]}'"
        return f"; {self._notes[name]}" if name in self._notes else ""
