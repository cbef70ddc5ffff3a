"""Distributions of layers as pip would install them, in a folder of a test's own."""

from __future__ import annotations

from pathlib import Path


def install(site: Path, distribution: str, **kinds: str) -> None:
    """Put a distribution (`acme 2.0`) with entry points (kind=module:attribute) into a folder."""
    name, version = distribution.split()
    metadata = site / f"{name}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{kind} = {value}" for kind, value in kinds.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[deltawire.layers]", *lines]))
