"""Steps of optimizers with kernels beside the same steps by numpy: all bits are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltawire_optimizers import Step, init_state, kernels, load_optimizers, update

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
    """Take three steps, and return the bytes of the parameters and of the state."""
    random = np.random.default_rng(seed)
    optimizer = load_optimizers()[kind](**config)

    def drawn() -> Any:
        numbers = random.normal(size=count) * 10.0 ** random.integers(-20, 20, count)
        return np.where(random.random(count) < 0.1, random.choice(SPECIAL, count), numbers).astype(dtype)

    with np.errstate(all="ignore"):
        params = {"w": drawn()}
        state = init_state(optimizer, params)
        for number in range(1, 4):
            gradient = drawn()
            update(optimizer, params, {"w": gradient}, state, Step(number, optimizer.learning_rate))
    arrays = [params["w"], *state.values()]
    return [np.where(np.isnan(array), np.nan, array).astype(dtype).tobytes() for array in arrays]


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
    nothing = np.full((0, 5), np.nan)
    optimizer.update(param, np.ones(5), state, nothing, Step(1, 0.1))
    assert (param < 1).all()


def test_arrays_that_do_not_follow_each_other_are_left_to_numpy() -> None:
    numbers = np.ones((5, 8), np.float32)[:, ::2]
    assert not kernels.adam(numbers, numbers, numbers, numbers, None, (1.0,) * 9)
    mixed = np.ones(4), np.ones(4, np.float32)
    assert not kernels.adam(mixed[0], mixed[1], mixed[0].copy(), mixed[0].copy(), None, (1.0,) * 9)


def test_sizes_that_differ_are_refused() -> None:
    import deltawire_kernels

    four, five = np.ones(4), np.ones(5)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.sgd(four, four, five, True, False, (1.0,) * 4)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.rms(four, four, four, None, five, (1.0,) * 6)
    with pytest.raises(ValueError, match="differ in size"):
        deltawire_kernels.lion(four, four, five, (1.0,) * 6)
    for arrays in ((four, five, four, four, None), (four, four, four, four, five)):
        with pytest.raises(ValueError, match="differ in size"):
            deltawire_kernels.adam(*arrays, (1.0,) * 9)
