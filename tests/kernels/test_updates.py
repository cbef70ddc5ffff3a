"""Steps of optimizers with kernels beside the same steps by numpy: all bits are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltawire_optimizers import Param, Step, init_state, kernels, load_optimizers, squared_norm, update

pytestmark = pytest.mark.kernels

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-39, 1e38, -1e20]
RATES = st.sampled_from([0.0, 1e-3, 1.0])
DECAYS = st.sampled_from([0.0, 0.01, 1.0])
BETAS = st.tuples(st.sampled_from([0.0, 0.9, 0.3]), st.sampled_from([0.0, 0.999, 0.5])).map(list)
ADAM = st.fixed_dictionaries(
    {
        "betas": BETAS,
        "eps": st.sampled_from([0.0, 1e-8, 0.1]),
        "amsgrad": st.booleans(),
        "weight_decay": DECAYS,
        "learning_rate": RATES,
    }
)
MOMENTUM = st.one_of(
    st.just({"momentum": 0.9, "nesterov": True}),
    st.fixed_dictionaries(
        {"momentum": st.sampled_from([0.0, 0.9]), "dampening": st.sampled_from([0.0, 0.3])}
    ),
)
SGD = st.builds(
    lambda momentum, rest: momentum | rest,
    MOMENTUM,
    st.fixed_dictionaries({"weight_decay": DECAYS, "learning_rate": RATES}),
)
RMSPROP = st.fixed_dictionaries(
    {
        "alpha": st.sampled_from([0.0, 0.99, 1.0]),
        "eps": st.sampled_from([0.0, 1e-8, 0.1]),
        "momentum": st.sampled_from([0.0, 0.9]),
        "centered": st.booleans(),
        "weight_decay": DECAYS,
        "learning_rate": RATES,
    }
)
ADAGRAD = st.fixed_dictionaries(
    {
        "eps": st.sampled_from([0.0, 1e-10, 0.1]),
        "lr_decay": st.sampled_from([0.0, 0.3]),
        "initial_accumulator_value": st.sampled_from([0.0, 0.1]),
        "weight_decay": DECAYS,
        "learning_rate": RATES,
    }
)
LION = st.fixed_dictionaries({"betas": BETAS, "weight_decay": DECAYS, "learning_rate": RATES})
RULES = {"adam": ADAM, "adamw": ADAM, "sgd": SGD, "rmsprop": RMSPROP, "adagrad": ADAGRAD, "lion": LION}


def steps(kind: str, config: dict[str, Any], count: int, dtype: str, seed: int) -> list[bytes]:
    """Take three steps, two in place and one into other arrays; return the bytes of parameters and state."""
    random = np.random.default_rng(seed)
    optimizer = load_optimizers()[kind](**config)

    def drawn() -> Any:
        numbers = random.normal(size=count) * 10.0 ** random.integers(-20, 20, count)
        return np.where(random.random(count) < 0.1, random.choice(SPECIAL, count), numbers).astype(dtype)

    with np.errstate(all="ignore"):
        params = {"w": drawn()}
        state = init_state(optimizer, params)
        for number in range(1, 4):
            step, out = Step(number, optimizer.learning_rate), dict[str, Any]()
            if number == 2:
                fresh = [
                    {name: np.full_like(a, 7) for name, a in arrays.items()} for arrays in (params, state)
                ]
                out = {"out_params": fresh[0], "out_state": fresh[1]}
            update(optimizer, params, {"w": drawn()}, state, step, **out)
            if out:
                params, state = fresh
    arrays = [params["w"], *state.values()]
    return [np.where(np.isnan(array), np.nan, array).astype(dtype).tobytes() for array in arrays]


@given(
    count=st.one_of(st.integers(0, 300), st.integers(2**14 - 9, 2**14 + 300), st.integers(0, 70_000)),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 999),
)
def test_a_norm_has_the_bits_of_its_twin(count: int, dtype: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    array = (random.normal(size=count) * 10.0 ** random.integers(-20, 20, count)).astype(dtype)
    assert kernels.squared_norm(array, 2**14) is not None
    compiled = squared_norm(array)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "compiled", None)
        assert compiled == squared_norm(array)


@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan])
def test_a_norm_of_what_is_not_finite_is_not_finite(wrong: float) -> None:
    array = np.zeros(1000, np.float32)
    array[77] = wrong
    assert not np.isfinite(kernels.squared_norm(array, 2**14))


def test_every_built_in_rule_has_a_kernel() -> None:
    assert set(RULES) == set(load_optimizers())


@pytest.mark.parametrize("kind", RULES)
@given(
    data=st.data(),
    count=st.integers(1, 70),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 999),
)
def test_a_step_has_the_bits_of_its_twin(
    kind: str, data: st.DataObject, count: int, dtype: str, seed: int
) -> None:
    assert kernels.compiled is not None
    config = data.draw(RULES[kind])
    compiled = steps(kind, config, count, dtype, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "compiled", None)
        assert compiled == steps(kind, config, count, dtype, seed)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("sgd", {"momentum": 0.9}),
        ("rmsprop", {"centered": True, "momentum": 0.9}),
        ("adagrad", {}),
        ("lion", {}),
    ],
)
def test_a_kernel_takes_the_step(kind: str, config: dict[str, Any]) -> None:
    optimizer, param = load_optimizers()[kind](**config), np.ones(5)
    state = {key: np.full(shape, start) for key, (shape, start) in optimizer.state((5,)).items()}
    here = Param(param, state)
    assert optimizer.update_compiled(here, np.ones(5), here, Step(1, 0.1))
    assert (param < 1).all()


@pytest.mark.parametrize("kind", RULES)
def test_a_kernel_reads_locked_arrays_and_writes_others(kind: str) -> None:
    optimizer, gradient = load_optimizers()[kind](), np.ones(5)
    shapes = optimizer.state((5,))
    before = Param(np.ones(5), {key: np.full(shape, start) for key, (shape, start) in shapes.items()})
    after = Param(np.full(5, np.nan), {key: np.full(shape, np.nan) for key, (shape, _) in shapes.items()})
    for array in (gradient, before.value, *before.state.values()):
        array.flags.writeable = False
    assert optimizer.update_compiled(before, gradient, after, Step(1, 0.1))
    assert (after.value < 1).all()
    assert all(np.isfinite(array).all() for array in after.state.values())


def test_arrays_that_do_not_follow_each_other_are_left_to_numpy() -> None:
    apart, numbers = np.ones((5, 8), np.float32)[:, ::2], np.ones((5, 4), np.float32)
    whole = [numbers, numbers, numbers, None]
    assert not kernels.adam(whole, apart, whole, (1.0,) * 9)
    assert not kernels.adam([apart, *whole[1:]], numbers, whole, (1.0,) * 9)
    assert not kernels.adam(whole, numbers, [apart, *whole[1:]], (1.0,) * 9)
    assert not kernels.adam(whole, numbers.astype(float), whole, (1.0,) * 9)


def test_sizes_that_differ_are_refused() -> None:
    import deltawire_kernels

    four, five = np.ones(4), np.ones(5)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.sgd(four, five, four, four, five, True, False, (1.0,) * 4)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.sgd(four, None, four, five, None, True, False, (1.0,) * 4)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.rms(four, four, None, five, four, four, four, None, five, (1.0,) * 6)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.lion(four, four, five, four, four, (1.0,) * 6)
    for sizes in ((four, five, four, None), (four, four, four, five)):
        with pytest.raises(ValueError, match="differ in size"):
            deltawire_kernels.adam(*sizes, four, *sizes, (1.0,) * 9)


def test_an_array_that_is_read_only_or_written_only_is_refused() -> None:
    import deltawire_kernels

    four = np.ones(4)
    for momentum in ((four, None), (None, four)):
        with pytest.raises(ValueError, match="read and not written, or written only"):
            deltawire_kernels.sgd(four, momentum[0], four, four, momentum[1], True, False, (1.0,) * 4)
