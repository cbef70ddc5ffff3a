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
CONFIGS = st.fixed_dictionaries(
    {
        "betas": st.tuples(st.sampled_from([0.0, 0.9, 0.3]), st.sampled_from([0.0, 0.999, 0.5])).map(list),
        "eps": st.sampled_from([0.0, 1e-8, 0.1]),
        "amsgrad": st.booleans(),
        "weight_decay": st.sampled_from([0.0, 0.01, 1.0]),
        "learning_rate": st.sampled_from([0.0, 1e-3, 1.0]),
    }
)


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


@pytest.mark.parametrize("kind", ["adam", "adamw"])
@given(
    config=CONFIGS,
    count=st.integers(1, 70),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 999),
)
def test_a_step_has_the_bits_of_its_twin(
    kind: str, config: dict[str, Any], count: int, dtype: str, seed: int
) -> None:
    assert kernels.compiled is not None
    compiled = steps(kind, config, count, dtype, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "compiled", None)
        assert compiled == steps(kind, config, count, dtype, seed)


def test_arrays_that_do_not_follow_each_other_are_left_to_numpy() -> None:
    numbers = np.ones((5, 8), np.float32)[:, ::2]
    assert not kernels.adam(numbers, numbers, numbers, numbers, None, (1.0,) * 9)
    mixed = np.ones(4), np.ones(4, np.float32)
    assert not kernels.adam(mixed[0], mixed[1], mixed[0].copy(), mixed[0].copy(), None, (1.0,) * 9)


def test_sizes_that_differ_are_refused() -> None:
    import deltawire_kernels

    four, five = np.ones(4), np.ones(5)
    for arrays in ((four, five, four, four, None), (four, four, four, four, five)):
        with pytest.raises(ValueError, match="differ in size"):
            deltawire_kernels.adam(*arrays, (1.0,) * 9)
