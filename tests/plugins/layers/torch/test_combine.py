"""Layers of several inputs against torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, shapes, torch

from deltawire_layers.layers.combine import Divide, Einsum, Glu, Matmul, Maximum, Minimum

pytestmark = pytest.mark.torch

pairs = shapes().flatmap(lambda shape: batches(shape, shape))


@given(pairs)
def test_divide(inputs: list[np.ndarray]) -> None:
    a, b = inputs
    agree(Divide(), lambda a, b: a / b, [a, b + np.copysign(0.1, b)])


@given(pairs)
def test_minimum(inputs: list[np.ndarray]) -> None:
    agree(Minimum(), lambda a, b: torch.minimum(a, b), inputs)


@given(st.data(), shapes(0, 2), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_matmul(data: st.DataObject, leading: tuple[int, ...], n: int, k: int, m: int) -> None:
    inputs = data.draw(batches((*leading, n, k), (*leading, k, m)))
    agree(Matmul(), lambda a, b: a @ b, inputs)


@given(pairs)
def test_maximum(inputs: list[np.ndarray]) -> None:
    agree(Maximum(), lambda a, b: torch.maximum(a, b), inputs)


def test_at_infinity() -> None:
    edges = np.array([-np.inf, -2.0, 0.0, 2.0, np.inf])
    pairs = [side.reshape(1, -1) for side in np.meshgrid(edges, edges)]
    agree_at_infinity(Maximum(), lambda a, b: torch.maximum(a, b), pairs)
    agree_at_infinity(Minimum(), lambda a, b: torch.minimum(a, b), pairs)


@given(st.data(), shapes(1, 3))
def test_glu(data: st.DataObject, shape: tuple[int, ...]) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    doubled = tuple(2 * size if place == axis % len(shape) else size for place, size in enumerate(shape))
    torch_axis = axis if axis < 0 else axis + 1
    agree(Glu(axis=axis), lambda x: torch.nn.functional.glu(x, torch_axis), data.draw(batches(doubled)))


EQUATIONS = (
    "ij,jk->ik",
    "ij->ji",
    "ij->",
    "i,j->ij",
    "hqd,hkd->hqk",
    "ij,jk,kl->li",
    "ij,k->i",
    ",i->i",
    "ij,ij,i->j",
)


@given(st.data(), st.sampled_from(EQUATIONS))
def test_einsum(data: st.DataObject, equation: str) -> None:
    before, _, out = equation.partition("->")
    sizes = {letter: data.draw(st.integers(1, 4)) for letter in sorted(set(before) - {","})}
    inputs = data.draw(batches(*(tuple(sizes[letter] for letter in term) for term in before.split(","))))
    batched = f"{','.join('z' + term for term in before.split(','))}->z{out}"
    agree(Einsum(equation=equation), lambda *x: torch.einsum(batched, *x), inputs)
