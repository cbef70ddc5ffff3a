"""SwiGLU keeps every rule of the contract, and computes what its formula says."""

import numpy as np
import pytest
from deltawire_swiglu import SwiGLU

from deltawire_layers import check_layer


@pytest.mark.parametrize("shape", [(4,), (2, 3)])
def test_the_contract(shape: tuple[int, ...]) -> None:
    check_layer(SwiGLU(units=3), shape)


def test_the_value() -> None:
    params = {"weight": np.array([[2.0, 1.0]]), "gate_weight": np.array([[np.log(3.0), 0.0]])}
    activation = SwiGLU(units=1).forward(params, np.array([[1.0, 5.0]]))
    # W x = 7, V x = log 3, and σ(log 3) = 3/4
    np.testing.assert_allclose(activation.value, [[7 * 0.75 * np.log(3.0)]])
