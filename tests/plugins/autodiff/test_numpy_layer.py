"""Functions of plain numpy as layers, by HIPS autograd."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from marshmallow import Schema

from deltawire_layers import ConformanceError, LayerError, Parameter, Shape, check_layer, config
from deltawire_layers.autodiff import NumpyLayer, analytic, from_numpy
from deltawire_layers.initializers import fan_in, ones


def swiglu(params: Any, x: Any) -> Any:
    """y = (W x) ∘ silu(V x)"""
    z = x @ params["gate"].T
    return (x @ params["weight"].T) * z * analytic.sigmoid(z)


def swiglu_parameters(x: tuple[int, ...]) -> dict[str, Parameter]:
    return {name: Parameter((2, x[-1]), fan_in(x[-1])) for name in ("weight", "gate")}


def softmax(x: Any) -> Any:
    """y = eˣ / Σ eˣ"""
    powers = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


def table(params: Any, index: Any) -> Any:
    """y = W[i]"""
    return params["weight"][index]


ROWS = {"weight": Parameter((5, 2), fan_in(2))}

LAYERS: dict[str, tuple[Any, tuple[tuple[int, ...], ...]]] = {
    "swiglu": (from_numpy(swiglu, parameters=swiglu_parameters), ((3, 2),)),
    "softmax": (from_numpy(softmax), ((3,),)),
    "table": (from_numpy(table, parameters=ROWS, integers={0: range(5)}), ((3,),)),
    "gaussian": (from_numpy(lambda x: np.exp(-(x**2)), formula="y = e^(-x²)"), ((3,),)),
    "rectified": (from_numpy(lambda x: np.maximum(x, 0.0), formula="y = max(0, x)"), ((3,),)),
    "joined": (from_numpy(lambda x, y: np.concatenate([x, np.sin(y)], -1), formula="z = …"), ((3,), (2,))),
    "product": (
        from_numpy(lambda x, y: np.einsum("bij,bjk->bik", x, y), formula="z = x y"),
        ((3, 2), (2, 2)),
    ),
    "chosen": (from_numpy(lambda x: np.where(x > 0, x, 0.1 * x), formula="y = leaky relu x"), ((3,),)),
    "signed": (from_numpy(lambda x: x * np.sign(x) + np.floor(x) * 0, formula="y = |x|"), ((3,),)),
    "branch": (from_numpy(lambda x: x**2 if x.shape[0] > 0 else x, formula="y = x²"), ((3,),)),
    "scattered": (from_numpy(lambda x: x[:, np.array([2, 0])] / 2, formula="y = x[i] / 2"), ((3,),)),
    "reduced": (from_numpy(lambda x: np.add.reduce(x, axis=1), formula="y = Σ x"), ((3, 2),)),
    "roots": (from_numpy(lambda x: np.sqrt(x), domain=(0, np.inf), formula="y = √x"), ((3,),)),
    "bounded": (from_numpy(lambda x: np.tanh(x), formula="y = tanh x"), ((3,),)),
    "constant": (from_numpy(lambda x: np.ones(x.shape), formula="y = 1"), ((3,),)),
}


@pytest.mark.parametrize("case", LAYERS)
def test_it_keeps_the_contract(case: str) -> None:
    layer, shapes = LAYERS[case]
    check_layer(layer(), *shapes)


def test_a_class_has_parameters_and_a_config() -> None:
    class Powers(NumpyLayer):
        """y = s xⁿ over the last axis."""

        class Config(Schema):
            n = config.Integer(required=True)

        n: int

        def parameters(self, x: tuple[int, ...]) -> dict[str, Parameter]:
            return {"s": Parameter(x[-1:], ones)}

        def value(self, params: Any, x: Any) -> Any:
            return params["s"] * x**self.n

    check_layer(Powers(n=3), (2,))


def test_several_threads_do_not_take_each_others_traces() -> None:
    """A trace that starts while another runs, and ends after it, has a number of its own thread."""
    layer, barrier = from_numpy(swiglu, parameters=swiglu_parameters)(), Barrier(4)
    stream = np.random.default_rng(0)
    params = {name: stream.standard_normal((2, 2)) + 1e-200j for name in ("weight", "gate")}
    batches = [stream.standard_normal((5, 2)) + 1e-200j for _ in range(4)]

    def passed(x: Any) -> list[bytes]:
        activation = layer.forward(params, x)
        signal = activation.signal(np.ones_like(activation.value))
        return [activation.value.tobytes(), *(e(signal).tobytes() for e in activation.grads.values())]

    def work(x: Any) -> list[list[bytes]]:
        barrier.wait()
        return [passed(x) for _ in range(20)]

    alone = [passed(x) for x in batches]
    with ThreadPoolExecutor(4) as pool:
        for right, results in zip(alone, pool.map(work, batches), strict=True):
            assert all(result == right for result in results)


def test_a_forward_line_may_hold_a_gradient() -> None:
    """A force is the gradient of an energy: autograd within autograd."""
    from autograd import elementwise_grad

    def force(x: Any) -> Any:
        """y = -d/dx (x⁴/4 + sin x)"""
        return -elementwise_grad(lambda place: place**4 / 4 + np.sin(place))(x)

    layer = from_numpy(force)()
    check_layer(layer, (3,))
    x = np.array([[0.5, -1.0, 2.0]])
    np.testing.assert_allclose(layer.forward({}, x).value, -(x**3 + np.cos(x)), rtol=1e-14)


def test_random_numbers_break_a_rule_by_name() -> None:
    layer = from_numpy(
        lambda x: x + np.random.default_rng().standard_normal(x.shape), formula="y = x + noise"
    )
    with pytest.raises(ConformanceError, match="rule 1"):
        check_layer(layer(), (3,))


def written(x: Any) -> Any:
    x[0] = 0
    return x


def written_where(x: Any) -> Any:
    y = 2 * x
    y[y > 1] = 1
    return y


def written_into(x: Any) -> Any:
    y = np.zeros(x.shape)
    y[0] = x[0]
    return y


REFUSED = {
    "integers": (lambda x: np.argsort(x), "is int64, expected real numbers"),
    "complex": (lambda x: x + 1j, "is complex64, expected real numbers"),
    "no batch": (lambda x: np.sum(x), "first axis has to be the batch"),
    "another width": (lambda x: x @ np.ones((7, 2)), "does not take these inputs"),
    "no derivative": (lambda x: np.interp(x, [0, 1], [0, 1]), r"no derivative of numpy\.interp"),
    "writes": (written, "a forward line writes to no array"),
    "writes where": (written_where, "a forward line writes to no array"),
    "writes into a new array": (written_into, "a forward line writes to no array"),
    "writes by out=": (lambda x: np.exp(2 * x, out=2 * x), "a forward line writes to no array"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_a_layer_is_named(case: str) -> None:
    function, message = REFUSED[case]
    with pytest.raises(LayerError, match=message):
        from_numpy(function, formula="y = …")().output_shape((3,))


@pytest.mark.parametrize("shapes", [((4,), (1, 1)), ((4,), ()), ((), (3,))])
def test_axes_of_an_input_do_not_meet_the_batch_of_another(shapes: tuple[Shape, ...]) -> None:
    layer = from_numpy(lambda x, z: np.tanh(x) * np.sin(z), formula="y = tanh x sin z")()
    with pytest.raises(LayerError, match="meets the batch axis of another|does not take these inputs"):
        layer.output_shape(*shapes)
    check_layer(layer, (3,), (3,))
    check_layer(layer)


def test_integers_are_no_value() -> None:
    layer = from_numpy(lambda x: np.argsort(x), formula="y = order of x")()
    with pytest.raises(LayerError, match="no array of real numbers"):
        layer.forward({}, np.ones((2, 3)))


def test_what_from_numpy_takes() -> None:
    with pytest.raises(TypeError, match="expected Parameter"):
        from_numpy(table, parameters={"weight": np.ones(3)})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="does not show its inputs"):
        from_numpy(lambda *x: x[0])
    with pytest.raises(ValueError, match="no formula"):
        from_numpy(softmax, formula="softmax")


def test_one_reverse_pass_serves_all_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal holds δ of every argument; the equations pick theirs."""
    passes = []
    reverse = NumpyLayer.reverse

    def counted(self: NumpyLayer, arguments: Any) -> Any:
        value, pull = reverse(self, arguments)
        return value, lambda delta: passes.append(1) or pull(delta)

    monkeypatch.setattr(NumpyLayer, "reverse", counted)
    layer = from_numpy(swiglu, parameters=swiglu_parameters)()
    stream = np.random.default_rng(0)
    params = {name: p.init(stream, p.shape) for name, p in layer.parameters((3,)).items()}
    activation = layer.forward(params, stream.standard_normal((4, 3)))
    assert not passes
    signal = activation.signal(np.ones((4, 2)))
    for equation in (*activation.deltas, *activation.grads.values()):
        assert equation is not None and equation(signal).any()
    assert len(passes) == 1
