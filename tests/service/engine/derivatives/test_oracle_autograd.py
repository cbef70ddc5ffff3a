"""Derivatives of random networks against HIPS autograd, which differentiates them by its own means."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import make_vjp
from autograd.differential_operators import make_hvp, make_jvp_reversemode
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engine import compiled
from support.functions import Flat, outputs_of
from support.networks import Example, examples
from support.oracles import distance

from deltawire_service.engine import Direction

pytestmark = pytest.mark.filterwarnings("ignore:Output seems independent of input")

seeds = st.integers(0, 2**32)


@given(examples(), seeds)
def test_products_with_the_jacobian_and_its_transpose(example: Example, seed: int) -> None:
    flat, rng = Flat(example), np.random.default_rng(seed)
    network, (output,) = compiled(example.spec), outputs_of(example, rng, 1)
    values = flat.values(anp)

    def chosen(vector: np.ndarray) -> np.ndarray:
        return anp.reshape(values(vector)[2][output], (-1,))

    back, theirs = make_vjp(chosen)(flat.at)
    shape = (flat.rows, *network.nodes[output].shape)
    cotangent = rng.standard_normal(shape)
    ours = network.vjp(example.params, example.data, {output: cotangent}, wrt_data=True)
    for place, array in flat.split(back(cotangent.ravel())).items():
        assert distance(Direction(ours.params, ours.data).flat()[place], array) <= 1e-10, place
    tangents = flat.drawn(rng)
    moved = network.jvp(example.params, example.data, Direction.from_flat(tangents), [output])
    product = make_jvp_reversemode(chosen)(flat.at)(flat.joined(tangents))
    assert distance(moved.tangents[output], product.reshape(shape)) <= 1e-10
    assert distance(moved.values[output], theirs.reshape(shape)) <= 1e-10


@settings(max_examples=50)
@given(examples(), seeds)
def test_hessian_vector_products(example: Example, seed: int) -> None:
    flat, rng = Flat(example), np.random.default_rng(seed)
    vectors = flat.drawn(rng)
    ours = compiled(example.spec).hvp(
        example.params, example.data, Direction.from_flat(vectors), reduction=example.reduction
    )
    values = flat.values(anp)
    product, _ = make_hvp(lambda vector: values(vector)[0])(flat.at)
    for place, array in flat.split(product(flat.joined(vectors))).items():
        assert distance(Direction(ours.params, ours.data).flat()[place], array) <= 1e-10, place
