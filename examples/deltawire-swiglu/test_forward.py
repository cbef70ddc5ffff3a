"""The equations of SwiGLU are the derivatives of its forward line."""

import pytest
from deltawire_swiglu import SwiGLU

from deltawire_layers import check_layer

pytest.importorskip("autograd")


def test_the_equations() -> None:
    from forward_numpy import SwiGLU as ForwardOnly

    check_layer(ForwardOnly(units=3), (2, 3))
    check_layer(SwiGLU(units=3), (2, 3), against=ForwardOnly(units=3))
