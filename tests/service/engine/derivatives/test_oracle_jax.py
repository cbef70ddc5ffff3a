"""Random networks against jax in float64: every derivative, to 1e-12 relative to its largest number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engine import compiled
from support.functions import Flat, outputs_of
from support.networks import Example, examples
from support.oracles import distance

from deltawire_layers.numeric import products
from deltawire_service.engine import Direction

pytestmark = pytest.mark.jax

seeds = st.integers(0, 2**32)


@pytest.fixture(scope="module", autouse=True)
def wide() -> None:
    """float64 in jax, which has to be told so."""
    import jax

    jax.config.update("jax_enable_x64", True)


@pytest.fixture(scope="module", autouse=True)
def taken_apart() -> Iterator[None]:
    """Products of small matrices, too, are made of real ones, in blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "FEWEST", 0)
        patch.setattr(products, "BLOCK", 50)
        yield


networks = count(1)


def forget() -> None:
    """jax keeps all that it compiles, 30 MB of a network: every tenth time it is thrown away."""
    import jax

    if next(networks) % 10 == 0:
        jax.clear_caches()


@settings(max_examples=settings.default.max_examples)
@given(examples(), seeds)
def test_hessian_vector_products_are_those_of_forward_over_reverse(example: Example, seed: int) -> None:
    import jax
    import jax.numpy as jnp

    forget()
    flat, rng = Flat(example), np.random.default_rng(seed)
    values = flat.values(jnp)
    vectors = flat.drawn(rng, 2)
    ours = compiled(example.spec).hvp(
        example.params,
        example.data,
        Direction.from_flat(vectors),
        quadratic=True,
        reduction=example.reduction,
    )
    split = Direction(ours.params, ours.data).flat()
    gradient = jax.grad(lambda vector: values(vector)[0])
    for index in range(2):
        along = flat.joined({place: array[index] for place, array in vectors.items()})
        _, product = jax.jvp(gradient, (flat.at,), (along,))
        for place, theirs in flat.split(np.asarray(product)).items():
            assert distance(split[place][index], theirs) <= 1e-12, place
        assert distance(ours.quadratic[index], np.asarray(along @ product)) <= 1e-12 * (1 + along @ along)


@settings(max_examples=settings.default.max_examples)
@given(examples(), seeds)
def test_products_with_the_jacobian_and_its_transpose(example: Example, seed: int) -> None:
    import jax
    import jax.numpy as jnp

    forget()
    flat, rng = Flat(example), np.random.default_rng(seed)
    network, outputs = compiled(example.spec), outputs_of(example, rng)
    values = flat.values(jnp)

    def chosen(vector: jax.Array) -> dict[str, jax.Array]:
        return {name: values(vector)[2][name] for name in outputs}

    theirs, back = jax.vjp(chosen, flat.at)
    cotangents = {name: rng.standard_normal((2, *value.shape)) for name, value in theirs.items()}
    ours = network.vjp(example.params, example.data, cotangents, wrt_data=True, values=outputs)
    split = Direction(ours.params, ours.data).flat()
    for index in range(2):
        (product,) = back({name: jnp.asarray(array[index]) for name, array in cotangents.items()})
        for place, array in flat.split(np.asarray(product)).items():
            assert distance(split[place][index], array) <= 1e-12, place
    tangents = flat.drawn(rng, 2)
    moved = network.jvp(example.params, example.data, Direction.from_flat(tangents), outputs)
    for name, value in theirs.items():
        assert distance(ours.values[name], np.asarray(value)) <= 1e-12
        assert distance(moved.values[name], np.asarray(value)) <= 1e-12
    for index in range(2):
        along = flat.joined({place: array[index] for place, array in tangents.items()})
        _, product = jax.jvp(chosen, (flat.at,), (along,))
        for name, array in product.items():
            assert distance(moved.tangents[name][index], np.asarray(array)) <= 1e-12, name


@settings(max_examples=settings.default.max_examples // 2)
@given(examples(most_nodes=10), seeds)
def test_jacobians_and_gradients_of_each_example(example: Example, seed: int) -> None:
    import jax
    import jax.numpy as jnp

    forget()
    flat, rng = Flat(example), np.random.default_rng(seed)
    network, (output,) = compiled(example.spec), outputs_of(example, rng, 1)
    shared = {f"data/{name}" for name, input_spec in network.inputs.items() if input_spec.shared}
    values = flat.values(jnp, bare=True)

    def apart(whole: np.ndarray, leading: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Of the full Jacobian, what each example's rows have to do with the example itself."""
        split = flat.split(whole, leading)
        for place in split.keys() - shared:
            if place.startswith("data/"):
                axis = len(leading)
                split[place] = np.stack([split[place][row].take(row, axis - 1) for row in range(flat.rows)])
        return split

    theirs = np.asarray(jax.jacrev(lambda vector: values(vector)[2][output])(flat.at))
    for mode in ("reverse", "forward", None):
        ours = network.jacobian(example.params, example.data, [output], wrt_data=True, mode=mode)
        for place, array in apart(theirs, theirs.shape[:-1]).items():
            assert distance(ours.outputs[output].flat()[place], array) <= 1e-12, (mode, place)
    losses = np.asarray(jax.jacrev(lambda vector: values(vector)[1])(flat.at))
    result = network.gradients(example.params, example.data, wrt_data=True, per_example=True)
    split = Direction(result.params, result.data).flat()
    for place, array in apart(losses, (flat.rows,)).items():
        assert distance(split[place], array) <= 1e-12, place
