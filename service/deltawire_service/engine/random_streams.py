"""Random numbers that are the same on every machine."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random numbers of one name: PCG64, keyed by the seed and the SHA-256 of the name."""
    key = np.frombuffer(hashlib.sha256(name.encode()).digest(), "<u4")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=tuple(map(int, key)))))
