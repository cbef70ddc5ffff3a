"""Recurrent layers against torch's single layers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, batches, numbers, torch

from deltawire_layers.layers.recurrent.cells import Elman, Gru, Lstm
from deltawire_layers.layers.recurrent.recurrent import Recurrent

pytestmark = pytest.mark.torch


KINDS = pytest.mark.parametrize(("kind", "module"), [(Elman, "RNN"), (Gru, "GRU"), (Lstm, "LSTM")])


@KINDS
@given(
    data=st.data(), steps=st.integers(1, 6), width=st.integers(1, 4), units=st.integers(1, 4),
    bias=st.booleans(), last=st.booleans(), started=st.booleans(),
)  # fmt: skip
def test_recurrent(
    kind: type[Recurrent], module: str, data: st.DataObject, steps: int, width: int, units: int,
    bias: bool, last: bool, started: bool,
) -> None:  # fmt: skip
    first = ((units,),) * (kind.states if started else 0)
    inputs = data.draw(batches((steps, width), *first))
    layer = kind(units=units, bias=bias, last=last)
    options = {"batch_first": True, "bias": bias, "dtype": torch.float64}
    network = getattr(torch.nn, module)(width, units, **options)

    def theirs(x: Any, *initial: Any, **params: Any) -> Any:
        named = {f"{name}_l0": w for name, w in params.items()}
        given = tuple(state[None] for state in initial)
        state = given if kind is Lstm else given[0] if given else None
        states, _ = torch.func.functional_call(network, named, (x, state) if given else (x,))
        return states[:, -1] if last else states

    agree(layer, theirs, inputs, numbers(layer, inputs))


@KINDS
@given(data=st.data(), steps=st.integers(1, 5), last=st.booleans())
def test_in_reverse(kind: type[Recurrent], module: str, data: st.DataObject, steps: int, last: bool) -> None:
    """The second direction of a bidirectional network."""
    inputs = data.draw(batches((steps, 3)))
    layer = kind(units=2, reverse=True, last=last)
    options = {"batch_first": True, "bidirectional": True, "dtype": torch.float64}
    network = getattr(torch.nn, module)(3, 2, **options)

    def theirs(x: Any, **params: Any) -> Any:
        named = {f"{name}_l0_reverse": w for name, w in params.items()}
        states, _ = torch.func.functional_call(network, named, x)
        return states[:, 0, 2:] if last else states[:, :, 2:]

    agree(layer, theirs, inputs, numbers(layer, inputs))


@given(data=st.data(), steps=st.integers(1, 5))
def test_elman_with_relu(data: st.DataObject, steps: int) -> None:
    inputs = data.draw(batches((steps, 3)))
    layer = Elman(units=2, nonlinearity="relu")
    network = torch.nn.RNN(3, 2, nonlinearity="relu", batch_first=True, dtype=torch.float64)

    def theirs(x: Any, **params: Any) -> Any:
        named = {f"{name}_l0": w for name, w in params.items()}
        return torch.func.functional_call(network, named, x)[0]

    agree(layer, theirs, inputs, numbers(layer, inputs))


@given(
    data=st.data(), steps=st.integers(1, 5), last=st.booleans(), started=st.booleans(), reverse=st.booleans()
)
def test_the_cells_of_lstm(data: st.DataObject, steps: int, last: bool, started: bool, reverse: bool) -> None:
    inputs = data.draw(batches((steps, 3), *((2,), (2,)) * started))
    layer = Lstm(units=2, cells=True, last=last, reverse=reverse)
    cell = torch.nn.LSTMCell(3, 2, dtype=torch.float64)

    def theirs(x: Any, *initial: Any, **params: Any) -> Any:
        state = initial or (torch.zeros(len(x), 2, dtype=torch.float64),) * 2
        cells = []
        for t in reversed(range(steps)) if reverse else range(steps):
            state = torch.func.functional_call(cell, params, (x[:, t], tuple(state)))
            cells.append(state[1])
        return cells[-1] if last else torch.stack(cells[::-1] if reverse else cells, 1)

    agree(layer, theirs, inputs, numbers(layer, inputs))
