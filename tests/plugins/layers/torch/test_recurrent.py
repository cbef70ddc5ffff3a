"""Recurrent layers against torch's single layers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, batches, numbers, torch

from deltawire_layers.layers.recurrent import Elman, Gru, Lstm, Recurrent

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(("kind", "module"), [(Elman, "RNN"), (Gru, "GRU"), (Lstm, "LSTM")])
@given(data=st.data(), steps=st.integers(1, 6), width=st.integers(1, 4), units=st.integers(1, 4))
def test_recurrent(
    kind: type[Recurrent], module: str, data: st.DataObject, steps: int, width: int, units: int
) -> None:
    inputs = data.draw(batches((steps, width)))
    layer = kind(units=units)
    network = getattr(torch.nn, module)(width, units, batch_first=True, dtype=torch.float64)

    def theirs(x: Any, **params: Any) -> Any:
        states, _ = torch.func.functional_call(network, {f"{name}_l0": w for name, w in params.items()}, x)
        return states

    agree(layer, theirs, inputs, numbers(layer, inputs))
