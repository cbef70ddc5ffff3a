"""Where numbers lie: the same in a slot and in a snapshot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from support.engine import compiled
from support.models import ADAM, OPTIMIZERS, SPEC, same

from deltawire_optimizers import init_state
from deltawire_service.models.numbers import Numbers, make_layout
from deltawire_service.models.update_rules import read_rule
from deltawire_service.store.slot_files import SlotFiles


def test_numbers_go_through_their_places_and_lie_alike(tmp_path: Path) -> None:
    network, optimizer = compiled(SPEC), read_rule(ADAM, OPTIMIZERS).optimizer
    params = network.init(1, np.float32)
    numbers = Numbers(params, {n: a + 1 for n, a in init_state(optimizer, params).items()})
    assert same(Numbers.split(numbers.joined()), numbers)
    layout = make_layout(network, optimizer, "float32")
    with SlotFiles().scratch(tmp_path, layout) as slot:
        memory = Numbers.split(slot.arrays(writable=True))
        numbers.copy_to(memory)
        assert same(memory, numbers)
        memory.begin_state(optimizer)
        assert same(memory, Numbers(params, init_state(optimizer, params)))
        assert all(array.ctypes.data % 64 == 0 for part in memory for array in part.values())
