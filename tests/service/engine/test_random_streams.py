"""Random numbers come from seed and name alone."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deltawire_service.engine.random_streams import stream


@given(st.integers(0, 2**63), st.text(max_size=20))
def test_a_stream_is_pcg64_keyed_by_seed_and_name(seed: int, name: str) -> None:
    digest = sha256(name.encode()).digest()
    key = tuple(int.from_bytes(digest[at : at + 4], "little") for at in range(0, 32, 4))
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
    assert (stream(seed, name).random(3) == expected.random(3)).all()
