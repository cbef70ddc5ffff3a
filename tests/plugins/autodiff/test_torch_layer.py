"""Modules of torch as layers: they keep all six rules, and equal torch; what cannot be a layer is named."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from support import forward_torch
from support.oracles import distance
from support.torch_layers import numbers, torch

from deltawire_layers import Layer, LayerError, check_layer

pytestmark = pytest.mark.torch

ROWS = (1, 2, 7)


def layer_of(module: Any, **options: Any) -> Any:
    from deltawire_layers.autodiff import from_torch

    return from_torch(module, **options)()


@pytest.mark.parametrize("kind", forward_torch.SHAPES)
def test_it_keeps_the_contract(kind: str) -> None:
    check_layer(forward_torch.layers()[kind](), forward_torch.SHAPES[kind])


def test_it_takes_several_inputs() -> None:
    check_layer(layer_of(torch.nn.Bilinear(2, 3, 2)), (2,), (3,))


def test_integers_are_declared() -> None:
    layer = layer_of(torch.nn.Embedding(5, 3), integers={0: range(5)})
    check_layer(layer, (2,))
    params = numbers(layer, [np.array([[0, 1]])])
    value = layer.forward(params, np.array([[4, 1]])).value
    np.testing.assert_array_equal(value, params["weight"][[[4, 1]]])


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("kind", ["torch_mlp", "torch_conv", "torch_lstm", "torch_encoder", "torch_normed"])
def test_it_equals_torch(kind: str, rows: int) -> None:
    layer, module = forward_torch.layers()[kind](), deepcopy(forward_torch.modules()[kind]).double()
    stream = np.random.default_rng(rows)
    x = stream.standard_normal((rows, *forward_torch.SHAPES[kind]))
    params = numbers(layer, [x])
    paths = dict(zip(params, dict(module.named_parameters()), strict=True))
    leaves = {paths[name]: torch.tensor(w, requires_grad=True) for name, w in params.items()}
    given = torch.tensor(x, requires_grad=True)
    value = torch.func.functional_call(module, leaves, (given.clone(),))
    value = value[0] if isinstance(value, tuple) else value
    delta = stream.standard_normal(value.shape)
    expected = torch.autograd.grad(value, [*leaves.values(), given], torch.tensor(delta))

    activation = layer.forward(params, x)
    signal = activation.signal(delta)
    assert distance(activation.value, value.detach().numpy()) < 1e-12
    equations = [*activation.grads.values(), *activation.deltas]
    for equation, right in zip(equations, expected, strict=True):
        assert equation is not None and distance(equation(signal), right.numpy()) < 1e-12


def test_names_are_those_of_torch() -> None:
    layer = forward_torch.layers()["torch_mlp"]()
    names = ["module_0_weight", "module_0_bias", "module_2_weight", "module_2_bias"]
    assert list(layer.parameters((3,))) == names
    assert "self_attn_in_proj_weight" in forward_torch.layers()["torch_encoder"]().parameters((3, 4))


def test_a_finished_module_starts_from_its_own_numbers() -> None:
    module = torch.nn.Linear(3, 2)
    weight = layer_of(module).parameters((3,))["weight"]
    drawn = weight.init(np.random.default_rng(1), weight.shape)
    np.testing.assert_array_equal(drawn, module.weight.detach().numpy().astype(np.float64))


def test_a_function_of_shapes_draws_from_the_seed() -> None:
    def drawn(seed: int) -> np.ndarray:
        weight = layer_of(forward_torch.new_mlp).parameters((3,))["module_0_weight"]
        return weight.init(np.random.default_rng(seed), weight.shape)

    before = torch.random.get_rng_state()
    assert drawn(0).tobytes() == drawn(0).tobytes() != drawn(1).tobytes()
    assert np.abs(drawn(0)).max() <= 3**-0.5  # as nn.Linear draws
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_class_has_a_config() -> None:
    from marshmallow import Schema

    from deltawire_layers import config
    from deltawire_layers.autodiff import TorchLayer

    class Wide(TorchLayer):
        """y = gelu(W x + b) over the last axis."""

        class Config(Schema):
            units = config.Integer(required=True)

        units: int

        def module(self, x: tuple[int, ...]) -> Any:
            return torch.nn.Sequential(torch.nn.Linear(x[-1], self.units), torch.nn.GELU())

    check_layer(Wide(units=2), (3,))
    assert Wide(units=5).output_shape((2, 3)) == (2, 5)


def test_buffers_and_frozen_parameters_are_constants() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    module[1].requires_grad_(False)
    module.register_buffer("unused", torch.zeros(3))
    layer = layer_of(module)
    assert list(layer.parameters((2,))) == ["module_0_weight", "module_0_bias"]
    check_layer(layer, (2,))


def test_buffers_that_a_constructor_draws_are_equal_everywhere() -> None:
    class Features(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("frequencies", torch.randn(2, 3))

        def forward(self, x: Any) -> Any:
            return torch.cos(x @ self.frequencies)

    def features(x: tuple[int, ...]) -> Any:
        return Features()

    x = np.ones((1, 2))
    one, other = (layer_of(features).forward({}, x).value for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_tied_parameters_are_one() -> None:
    class Tied(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.down, self.up = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
            self.up.weight = self.down.weight

        def forward(self, x: Any) -> Any:
            return self.up(torch.tanh(self.down(x)))

    layer = layer_of(Tied())
    assert list(layer.parameters((2,))) == ["down_weight", "down_bias", "up_bias"]
    check_layer(layer, (2,))


@pytest.mark.parametrize("boolean", [True, False])
@pytest.mark.parametrize("grouped", [True, False])
def test_plain_attention_equals_torchs(boolean: bool, grouped: bool) -> None:
    from deltawire_layers.autodiff.torch_layers.attention import attention

    stream = torch.Generator().manual_seed(0)
    query = torch.randn(2, 4, 3, 5, generator=stream, dtype=torch.float64)
    keys = [
        torch.randn(2, 2 if grouped else 4, 6, 5, generator=stream, dtype=torch.float64) for _ in range(2)
    ]
    sees = torch.rand(2, 1, 3, 6, generator=stream) > 0.4
    sees[0, 0, 1] = False  # a query that sees no key
    mask = sees if boolean else torch.zeros(sees.shape, dtype=torch.float64).masked_fill(~sees, -torch.inf)
    theirs = torch.nn.functional.scaled_dot_product_attention
    for options in ({"attn_mask": mask}, {"is_causal": True}, {"scale": 0.3}):
        expected = theirs(query, *keys, enable_gqa=grouped, **options)
        got = attention(query, *keys, enable_gqa=grouped, **options)
        assert distance(got.numpy(), expected.numpy()) < 1e-12


def test_a_module_may_store_things_during_a_call() -> None:
    class Remembering(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            self.last = x
            return x**2

    module = Remembering()
    check_layer(layer_of(module), (2,))
    assert not hasattr(module, "last")


def test_memory_grows_with_the_module() -> None:
    """An MLP keeps its hidden numbers, at least: those of gelu and its δ."""
    wide = layer_of(torch.nn.Sequential(torch.nn.Linear(2, 100), torch.nn.GELU(), torch.nn.Linear(100, 2)))
    assert 200 <= wide.saved((2,)) <= 600
    work = wide.work((2,))
    assert 400 <= work.each and work.once > 0


def pairs_of_examples() -> Any:
    class Gram(torch.nn.Module):  # type: ignore[misc, name-defined]
        """Products of all pairs of examples."""

        def forward(self, x: Any) -> Any:
            return x.flatten(1) @ x.flatten(1).T

    return Gram()


REFUSED = {
    "dropout": (lambda nn: nn.Dropout(0.5), "draws random numbers"),
    "dropout of attention": (
        lambda nn: nn.TransformerEncoderLayer(4, 2, 4, batch_first=True),
        "draws random numbers",
    ),
    "time first": (lambda nn: nn.LSTM(4, 2), "batch_first=True"),
    "batch statistics": (lambda nn: nn.Sequential(nn.BatchNorm1d(4)), r"'0' \(BatchNorm1d\).*\.eval\(\)"),
    "lazy": (lambda nn: nn.LazyLinear(3), "lazy"),
    "several values": (lambda nn: nn.LSTM(4, 2, batch_first=True), r"returns a tuple.*value="),
    "another width": (lambda nn: nn.Linear(5, 2), "does not take these inputs"),
    "floats for integers": (lambda nn: nn.Embedding(5, 2), "integers="),
    "no batch": (lambda nn: nn.Flatten(0), "first axis has to be the batch"),
    "batch among the axes": (lambda nn: pairs_of_examples(), "meets the batch axis of another"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_a_layer_is_named(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises((LayerError, ValueError), match=message):
        layer_of(make(torch.nn)).output_shape((3, 4))


def test_writing_to_a_parameter_or_buffer_is_refused() -> None:
    class Clamping(torch.nn.Linear):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            self.weight.data.clamp_(-1, 1)
            return super().forward(x)

    class Counting(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return x * self.calls

    for module, name in ((Clamping(2, 2), "weight"), (Counting(), "calls")):
        with pytest.raises(LayerError, match=f"writes to '{name}'"):
            layer_of(module).output_shape((2,))


def test_looking_at_numbers_is_refused() -> None:
    class Looking(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x if x.sum().item() > 0 else -x

    with pytest.raises(LayerError, match="looks at numbers"):
        layer_of(Looking()).output_shape((2,))


def test_what_from_torch_takes() -> None:
    from deltawire_layers.autodiff import from_torch

    with pytest.raises(TypeError, match="a module, or a function of shapes that makes one, got GELU"):
        from_torch(torch.nn.GELU)
    with pytest.raises(TypeError, match="expected a torch.nn.Module, got Tensor"):
        layer_of(lambda x: torch.zeros(2)).output_shape((2,))
    with pytest.raises(ValueError, match="no formula"):
        from_torch(torch.nn.GELU(), formula="gelu")

    class Any_(torch.nn.Module):  # type: ignore[misc]
        def forward(self, *args: Any) -> Any:
            return args[0] * args[1]

    with pytest.raises(TypeError, match=r"inputs=\('x',\)"):
        from_torch(Any_())
    check_layer(from_torch(Any_(), inputs=("a", "b"))(), (2,), (2,))


def test_inputs_with_a_default_can_be_named() -> None:
    class Masked(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any, factor: float = 1.0, mask: Any = None) -> Any:
            return x * factor if mask is None else x * mask

    layer = layer_of(Masked(), inputs=("x", "mask"))
    x, mask = np.array([[2.0, 3.0]]), np.array([[0.0, 5.0]])
    np.testing.assert_array_equal(layer.forward({}, x, mask).value, [[0, 15]])
    check_layer(layer, (2,), (2,))


def test_names_that_collide_or_are_too_long_are_refused() -> None:
    class Both(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.a_b, self.a = torch.nn.Linear(1, 1), torch.nn.Module()
            self.a.b = torch.nn.Linear(1, 1)

        def forward(self, x: Any) -> Any:
            return self.a_b(self.a.b(x))

    with pytest.raises(ValueError, match="are both named 'a_b_weight'"):
        layer_of(Both())
    long = torch.nn.Module()
    long.add_module("x" * 60, torch.nn.Linear(1, 1))
    long.forward = lambda x: x
    with pytest.raises(ValueError, match="at most 64"):
        layer_of(long, inputs=("x",))


def test_arguments_are_not_written_to_and_no_warning_is_given() -> None:
    layer: Layer = layer_of(torch.nn.ReLU(inplace=True))
    x = np.array([[-1.0, 2.0]])
    x.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = layer.forward({}, x).value
    np.testing.assert_array_equal(x, [[-1, 2]])
    np.testing.assert_array_equal(value, [[0, 2]])


def test_torchs_threads_are_as_they_were() -> None:
    """Also after calls that overlap: the number belongs to the whole process."""
    layer, seen = layer_of(torch.nn.GELU()), set[int]()
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: layer.forward({}, np.ones((8, 2))), range(300)))
        assert torch.get_num_threads() == 3

        class Counting(torch.nn.Module):  # type: ignore[misc]
            def forward(self, x: Any) -> Any:
                seen.add(torch.get_num_threads())
                return x**2

        layer_of(Counting()).forward({}, np.ones((8, 2)))
    finally:
        torch.set_num_threads(before)
    assert seen == {1}


def test_the_step_may_be_tiny_beside_tiny_numbers() -> None:
    """Products of the complex step, 1e-200, and 1e-150 would be 0."""
    layer = layer_of(torch.nn.Bilinear(1, 1, 1, bias=False))
    x, step = np.full((1, 1), 1e-150), 1j * 1e-200
    value = layer.forward({"weight": np.ones((1, 1, 1), complex)}, x + step, 1e150 * x + 0j).value
    assert value.imag / 1e-200 == pytest.approx(1)
    tiny = layer.forward({"weight": np.full((1, 1, 1), 1e-120 + 0j)}, 1.0 + step * np.ones((1, 1)), x + 0j)
    assert tiny.value.imag[0, 0] == 0  # 1e-470 is no number
    signal = tiny.signal(np.full((1, 1), 1e150 + 0j))
    assert tiny.deltas[1] is not None
    assert tiny.deltas[1](signal).imag[0, 0] / 1e-200 == pytest.approx(1e30)
