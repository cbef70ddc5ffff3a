"""Kinds of modules that came out wrong, crashed or lost a parameter: right now, or refused by name."""

from __future__ import annotations

import random
import types
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def torch() -> Any:
    return import_module("torch")


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.fixture(autouse=True)
def seeded(torch: Any) -> None:
    torch.manual_seed(0)


def imported(module: Any, *examples: Any, **options: Any) -> Any:
    return import_module("deltawire.importers.torch_fx").from_torch(module, *examples, **options)


def verdict(module: Any, *examples: Any, client: Client) -> str:
    """ "right" when values, gradients and what is learned are those of torch."""
    common = import_module("support.torch_difference")
    result = imported(module, *examples, client=client)
    return str(common.difference(module.eval(), examples, result, client))


def own(call: Callable[..., Any], **parts: Any) -> Any:
    """A module that computes call(itself, x)."""
    torch = import_module("torch")

    class Own(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, part in parts.items():
                setattr(self, name, part)

        def forward(self, x: Any) -> Any:
            return call(self, x)

    return Own()


def linear_with(torch: Any, kind: str, hook: Callable[..., Any], **options: Any) -> Any:
    linear = torch.nn.Linear(4, 3)
    getattr(linear, f"register_{kind}")(hook, **options)
    return linear


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize(
    "kind, hook, options",
    [
        ("forward_hook", lambda m, i, o: o * 2, {}),
        ("forward_hook", lambda m, i, o: None, {}),
        ("forward_hook", lambda m, i, k, o: o + 1, {"with_kwargs": True}),
        ("forward_pre_hook", lambda m, i: (i[0] * 2,), {}),
    ],
)
def test_forward_hooks_are_followed(
    root: bool, kind: str, hook: Any, options: dict[str, Any], torch: Any, client: Client
) -> None:
    linear = linear_with(torch, kind, hook, **options)
    module = linear if root else torch.nn.Sequential(linear)
    assert verdict(module, torch.randn(3, 4), client=client) == "right"


@pytest.mark.parametrize("kind", ["full_backward_hook", "full_backward_pre_hook"])
def test_hooks_on_gradients_are_refused(kind: str, torch: Any) -> None:
    module = torch.nn.Sequential(linear_with(torch, kind, lambda m, *gradients: None))
    with pytest.raises(Refused, match="^0: has backward (pre )?hooks"):
        imported(module, torch.randn(3, 4))
    linear = torch.nn.Linear(4, 3)
    linear.weight.register_hook(lambda gradient: gradient * 2)
    with pytest.raises(Refused, match="'weight': has a hook on its gradient"):
        imported(linear, torch.randn(3, 4))


def test_hooks_for_all_modules_are_refused(torch: Any) -> None:
    handle = torch.nn.modules.module.register_module_forward_hook(lambda m, i, o: o * 2)
    try:
        with pytest.raises(Refused, match="forward_hooks are registered for all modules"):
            imported(torch.nn.Linear(4, 3), torch.randn(3, 4))
    finally:
        handle.remove()


@pytest.mark.parametrize("root", [False, True])
def test_a_replaced_forward_is_followed(root: bool, torch: Any, client: Client) -> None:
    linear = torch.nn.Linear(4, 3)
    plus_one = lambda own, x: torch.nn.functional.linear(x, own.weight, own.bias) + 1  # noqa: E731
    linear.forward = types.MethodType(plus_one, linear)
    module = linear if root else torch.nn.Sequential(linear)
    assert verdict(module, torch.randn(3, 4), client=client) == "right"


def test_hooks_within_a_module_that_is_one_operation_are_not_passed_over(torch: Any) -> None:
    layer = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    layer.linear1.register_forward_hook(lambda m, i, o: o * 2)
    with pytest.raises(Refused) as refused:
        imported(torch.nn.Sequential(layer), torch.randn(2, 3, 4))
    assert refused.value.code == "not_expressible"


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
def test_norms_of_weights_are_refused(norm: str, torch: Any) -> None:
    utils = torch.nn.utils
    with pytest.warns(FutureWarning) if norm == "weight_norm" else pytest.MonkeyPatch.context():
        old = torch.nn.Sequential(getattr(utils, norm)(torch.nn.Linear(4, 3)))
    with pytest.raises(Refused, match="^0: (Weight|Spectral)Norm makes its 'weight' of other parameters"):
        imported(old, torch.randn(3, 4))
    new = torch.nn.Sequential(getattr(utils.parametrizations, norm)(torch.nn.Linear(4, 3)))
    with pytest.raises(Refused, match=r"(_weight_norm|mv|linear).*: (no layer does this|expected)"):
        imported(new, torch.randn(3, 4))


TIED: dict[str, Callable[[Any, Any], Any]] = {
    "scale and shift": lambda own, x: x * own.v + own.v,
    "scale and bias of one norm": lambda own, x: own.f.layer_norm(x, (4,), own.v, own.v),
}


@pytest.mark.parametrize("name", TIED)
def test_one_parameter_in_two_roles_is_refused(name: str, torch: Any) -> None:
    parameter = torch.nn.Parameter
    module = own(
        TIED[name], w=parameter(torch.randn(4, 4)), v=parameter(torch.randn(4)), f=torch.nn.functional
    )
    with pytest.raises(Refused) as refused:
        imported(module, torch.randn(3, 4), check=False)
    assert refused.value.code == "not_expressible"


def test_a_tied_autoencoder_shares_its_matrix_and_has_two_biases(torch: Any, client: Client) -> None:
    parameter, linear = torch.nn.Parameter, torch.nn.functional.linear
    module = own(
        lambda o, x: o.f(x, o.w, o.b).tanh() @ o.w + o.c,
        w=parameter(torch.randn(2, 4)), b=parameter(torch.randn(2)), c=parameter(torch.randn(4)), f=linear,
    )  # fmt: skip
    assert verdict(module, torch.randn(3, 4), client=client) == "right"
    (tied,) = [
        node for node in imported(module, torch.randn(3, 4)).network.spec()["nodes"] if "tied_to" in node
    ]
    assert tied["transpose"] and len(imported(module, torch.randn(3, 4)).params) == 3


def test_one_parameter_twice_in_one_role_is_tied(torch: Any, client: Client) -> None:
    parameter, linear = torch.nn.Parameter, torch.nn.functional.linear
    for module in (
        own(lambda o, x: (x * o.v).tanh() * o.v, v=parameter(torch.randn(1, 4))),
        own(lambda o, x: (x @ o.w).tanh() @ o.w, w=parameter(torch.randn(4, 4))),
        own(lambda o, x: o.f(o.f(x, o.w), o.w), w=parameter(torch.randn(4, 4).T), f=linear),
        own(lambda o, x: o.f(x, o.w).tanh() @ o.w, w=parameter(torch.randn(3, 4)), f=linear),
        own(lambda o, x: o.f(o.f(x, o.w).tanh(), o.w.T), w=parameter(torch.randn(3, 4)), f=linear),
        own(lambda o, x: (x @ o.w.t()).tanh() @ o.w, w=parameter(torch.randn(4, 4))),
        own(lambda o, x: (x @ o.w.transpose(0, 1).t().mT).tanh() @ o.w, w=parameter(torch.randn(4, 4))),
    ):
        assert verdict(module, torch.randn(3, 4), client=client) == "right"
        assert len(imported(module, torch.randn(3, 4)).params) == 1


def test_parameters_that_share_memory_are_refused(torch: Any) -> None:
    w = torch.nn.Parameter(torch.randn(4, 4))
    views = {"transposed": w.data.T, "a row": w.data[0], "all of it": w.data}
    for view in views.values():
        module = own(lambda o, x: x @ o.w + o.v.sum(0), w=w, v=torch.nn.Parameter(view))
        with pytest.raises(Refused, match="the parameters 'v' and 'w' share memory|'w' and 'v' share memory"):
            imported(module, torch.randn(3, 4))


POSITIONS: dict[str, Callable[[Any, Any], Any]] = {
    "arange": lambda own, x: x + own.five(own.arange(5)),
    "of the size": lambda own, x: x + own.five(own.arange(x.size(1))),
    "fewer than rows": lambda own, x: x[:, :3] + own.five(own.arange(3)),
    "with a batch of one": lambda own, x: x + own.five(own.arange(5).unsqueeze(0)),
    "a buffer": lambda own, x: x + own.five(own.steps),
    "a buffer, and None": lambda own, x: x + own.five(own.steps)[None],
    "a function": lambda own, x: x + own.embedding(own.steps, own.five.weight),
    "for each example": lambda own, x: x + own.five(own.steps.expand(x.size(0), 5)),
    "expanded rows": lambda own, x: x + own.five(own.steps).expand(x.size(0), -1, -1),
    "a product": lambda own, x: x * own.five(own.steps),
    "further on": lambda own, x: own.linear(x + own.five(own.steps)).tanh(),
    "all rows": lambda own, x: x + own.five.weight,
}


def with_positions(torch: Any, name: str) -> Any:
    module = own(
        POSITIONS[name], five=torch.nn.Embedding(5, 4), linear=torch.nn.Linear(4, 4), arange=torch.arange,
        embedding=torch.nn.functional.embedding,
    )  # fmt: skip
    module.register_buffer("steps", torch.tensor([0, 1, 2, 3, 1]))
    return module


@pytest.mark.parametrize("name", POSITIONS)
def test_learned_positions_are_learned(name: str, torch: Any, client: Client) -> None:
    module = with_positions(torch, name)
    assert verdict(module, torch.randn(3, 5, 4), client=client) == "right"
    network, params, _, _ = imported(module, torch.randn(3, 5, 4))
    state = import_module("deltawire.exporters.torch").to_state_dict(network, params, {})
    assert "five.weight" in state
    assert torch.equal(state["five.weight"], module.five.weight)


COMPUTED: dict[str, Callable[[Any, Any], Any]] = {
    "a mean": lambda own, x: x + own.five(own.t.arange(5)).mean(0),
    "a tanh": lambda own, x: x + own.five(own.t.arange(5)).tanh(),
    "a part": lambda own, x: x + own.five.weight[:3].exp()[None, 1:2],
    "a division": lambda own, x: x / own.row,
    "a difference": lambda own, x: own.row - x,
    "a column": lambda own, x: x * own.column,
    "a stretch of the batch": lambda own, x: x[:, :, 0:1] + x,
    "an outer product": lambda own, x: x[:, :, :1] * x[:, :1],
    "a first place": lambda own, x: own.t.cat([own.token.expand(x.size(0), -1, -1), x], 1),
    "a stack": lambda own, x: own.t.stack([x, x + own.row], 2),
    "a product of parameters": lambda own, x: x * (own.column @ own.row[None]),
    "a matrix and its transpose": lambda own, x: x + (own.square.t() @ own.square).sum(0),
    "picked rows": lambda own, x: x + own.five.weight[own.t.tensor([4, 4, 0, 2, 1])],
    "picked places": lambda own, x: x[:, own.t.tensor([4, 4, 0])],
    "a parameter twice": lambda own, x: (x * own.row[:1]).tanh() * own.row,
    "a layer of parameters": lambda own, x: x + own.linear(own.token),
    "a layer of constants": lambda own, x: x + own.linear(own.t.ones(5, 4)),
    "a mask": lambda own, x: x.masked_fill(own.t.ones(5, 4).triu() > 0, 2.0),
    "a choice": lambda own, x: own.t.where(own.t.ones(5, 4).triu() > 0, x, own.row),
    "a causal mask": lambda own, x: own.attend(x, x, x, attn_mask=own.t.ones(5, 5).tril().bool()),
    "an added mask": lambda own, x: own.attend(x, x, x, attn_mask=own.t.full((5, 5), -own.t.inf).triu(1)),
    "a scale": lambda own, x: own.attend(x, x, x, scale=0.25),
}


def with_parameters(torch: Any, name: str) -> Any:
    def parameter(*shape: int) -> Any:
        return torch.nn.Parameter(torch.randn(shape))

    return own(
        COMPUTED[name], five=torch.nn.Embedding(5, 4), linear=torch.nn.Linear(4, 4), row=parameter(4),
        column=parameter(5, 1), token=parameter(1, 1, 4), square=parameter(4, 4), t=torch,
        attend=torch.nn.functional.scaled_dot_product_attention,
    )  # fmt: skip


@pytest.mark.parametrize("name", COMPUTED)
def test_what_is_computed_of_parameters_is_learned(name: str, torch: Any, client: Client) -> None:
    assert verdict(with_parameters(torch, name), torch.randn(3, 5, 4), client=client) == "right"


def test_a_parameter_of_a_layer_is_no_value_too(torch: Any) -> None:
    module = own(lambda own, x: own.five(x) + own.five.weight.exp()[:3], five=torch.nn.Embedding(5, 4))
    with pytest.raises(Refused, match="five.weight"):
        imported(module, torch.zeros(2, 3, dtype=torch.int64), check=False)


LAYERS: dict[str, Callable[[Any, Any], Any]] = {
    "relu6": lambda own, x: own.f.relu6(4 * x),
    "hardtanh": lambda own, x: own.f.hardtanh(x, -0.5, 0.7),
    "clamp": lambda own, x: x.clamp(-0.5),
    "hardsigmoid": lambda own, x: own.f.hardsigmoid(4 * x),
    "hardswish": lambda own, x: own.f.hardswish(4 * x),
    "mish": lambda own, x: own.f.mish(x),
    "gelu by tanh": lambda own, x: own.f.gelu(x, approximate="tanh"),
    "glu": lambda own, x: own.f.glu(x, 1),
    "erf, sin, cos, abs": lambda own, x: x.erf() + x.sin() + x.cos() + x.abs(),
    "uneven pools": lambda own, x: own.f.adaptive_avg_pool2d(x, (4, 7)),
    "uneven maxima": lambda own, x: own.f.adaptive_max_pool2d(x, (4, 9)),
    "a last window": lambda own, x: own.f.max_pool2d(x, 4, 3, ceil_mode=True),
    "gaps": lambda own, x: own.f.max_pool2d(x, 2, dilation=2),
    "zeros not counted": lambda own, x: own.f.avg_pool2d(x, 3, 2, 1, True, count_include_pad=False),
    "nearest": lambda own, x: own.f.interpolate(x, scale_factor=2),
    "bilinear": lambda own, x: own.f.interpolate(x, size=(9, 5), mode="bilinear"),
    "aligned corners": lambda own, x: own.f.interpolate(x, size=(9, 5), mode="bilinear", align_corners=True),
    "a mirror": lambda own, x: own.f.pad(x, (1, 2, 0, 1), mode="reflect"),
    "a crop": lambda own, x: own.f.pad(x, (1, -2), value=2.0),
    "a shuffle": lambda own, x: own.f.pixel_shuffle(x, 2),
    "instances": lambda own, x: own.f.instance_norm(x),
    "three axes": lambda own, x: own.f.layer_norm(x, (4, 6, 6)),
    "sums": lambda own, x: x.cumsum(1) + x.logsumexp((1, 2), True),
    "moved": lambda own, x: x.roll((1, 2), (1, 3)).flip(2),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_vision_are_imported(name: str, torch: Any, client: Client) -> None:
    module = own(LAYERS[name], f=torch.nn.functional)
    assert verdict(module, torch.randn(3, 4, 6, 6), client=client) == "right"


def test_whatever_is_imported_learns_what_the_module_does(torch: Any) -> None:
    """Over every module the suite imports: the parameters its outputs depend on, and no other."""
    modules = import_module("support.torch_modules").MODULES
    to_state_dict = import_module("deltawire.exporters.torch").to_state_dict
    common = import_module("support.torch_difference")
    for name, (make, examples) in modules.items():
        module, batch = make().eval(), examples()
        network, params, _, _ = imported(module, *batch)
        learned = dict(module.named_parameters(remove_duplicate=False))
        total = sum(tensor.sum() for tensor in common.tensors(module(*batch)))
        gradients = torch.autograd.grad(total, list(learned.values()), allow_unused=True)
        depends = {key for key, one in zip(learned, gradients, strict=True) if one is not None}
        assert depends <= set(to_state_dict(network, params, {})) <= learned.keys(), name


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda own, x: own.t.div(x, 0.7, rounding_mode="floor"), "rounding_mode='floor': no layer"),
        (lambda own, x: own.t.softmax(x, 1, dtype=own.t.float64), "its result is of float64"),
        (lambda own, x: x.sum(1, dtype=own.t.float64), "its result is of float64"),
        (lambda own, x: x * own.t.ones(4, dtype=own.t.float64), "its result is of float64"),
        (lambda own, x: x * 3j, "expected real numbers, got complex 3j"),
        (lambda own, x: own.t.add(x, x, alpha=2), "alpha=2"),
        (lambda own, x: own.t.exp(x, out=own.t.empty(0)), "."),
        (lambda own, x: own.t.ops.aten.elu(x, 1.0, 2.0), "scale=2.0: no layer does this"),
        (lambda own, x: x * x.max().item(), "."),
        (lambda own, x: (x * 2, x.amax(1).long()), "."),
        (lambda own, x: own.t.nn.functional.linear(x, own.t.ones(3, 4, 1)[..., 0] * x.size(0)), "."),
    ],
)
def test_arguments_that_no_layer_has_are_refused(call: Any, message: str, torch: Any) -> None:
    with pytest.raises(Refused, match=message) as refused:
        imported(own(call, t=torch), torch.randn(3, 4), check=False)
    assert refused.value.code == "not_expressible"


def test_a_function_of_others_is_not_taken_for_torchs_of_the_same_name(torch: Any) -> None:
    def relu(x: Any) -> Any:
        return x * 2

    relu.__module__ = "elsewhere"
    graph = torch.fx.Graph()
    graph.output(graph.call_function(relu, (graph.placeholder("x"),)))
    module = torch.fx.GraphModule({}, graph)
    recording = import_module("deltawire.importers.torch_fx.recording")
    writer = import_module("deltawire.importers.torch_fx.writer").Writer
    results = recording.recorded(module, [[torch.randn(5, 4)], [torch.randn(7, 4)]])
    with pytest.raises(Refused, match=r"relu \(elsewhere.relu\): no layer does this"):
        writer(module, module, results).run()


def test_an_argument_at_its_default_is_taken(torch: Any, client: Client) -> None:
    for call in (
        lambda own, x: own.t.div(x, 0.7, rounding_mode=None),
        lambda own, x: own.t.softmax(x, 1, dtype=own.t.float32),
        lambda own, x: own.t.sum(x, 1, dtype=own.t.float32),
        lambda own, x: own.t.nn.functional.gelu(x, approximate="none"),
        lambda own, x: own.t.add(x, x, alpha=1),
    ):
        assert verdict(own(call, t=torch), torch.randn(3, 4), client=client) == "right"


@pytest.mark.parametrize("check", [True, False])
def test_chance_is_refused_checked_or_not(check: bool, torch: Any) -> None:
    for call in (
        lambda own, x: x + torch.randn(4),
        lambda own, x: x + torch.rand_like(x),
        lambda own, x: x * random.random(),
        lambda own, x: x * float(np.random.default_rng().random()),
        lambda own, x: torch.nn.functional.dropout(x),
    ):
        with pytest.raises(Refused, match="gives other numbers each time"):
            imported(own(call), torch.randn(3, 4), check=check)


def test_what_forward_changes_is_refused_and_restored(torch: Any) -> None:
    def counting(self: Any, x: Any) -> Any:
        self.count += 1
        return x * 2

    buffered = own(counting)
    buffered.register_buffer("count", torch.zeros(()))
    plain = own(counting, count=0)
    for module in (buffered, plain):
        with pytest.raises(Refused, match="forward changes 'count'"):
            imported(module, torch.randn(3, 4))
        assert module.count == 0


def test_gradients_that_torch_does_not_take_are_refused(torch: Any) -> None:
    def halfway(self: Any, x: Any) -> Any:
        with torch.no_grad():
            y = self.first(x)
        return self.second(y)

    module = own(halfway, first=torch.nn.Linear(4, 4), second=torch.nn.Linear(4, 2))
    with pytest.raises(Refused, match=r"the gradient of '?(first|input)"):
        imported(module, torch.randn(3, 4))
    assert imported(module, torch.randn(3, 4), check=False).outputs == ("second",)


def test_buffers_are_constants_and_never_learned(torch: Any, client: Client) -> None:
    functional = torch.nn.functional
    module = own(lambda o, x: functional.linear(functional.layer_norm(x, (4,), o.scale), o.table, o.offset))
    for name, shape in {"scale": (4,), "table": (3, 4), "offset": (3,)}.items():
        module.register_buffer(name, torch.randn(shape))
    for x in (torch.randn(3, 4), torch.randn(3, 5, 4), torch.randn(3, 2, 5, 4)):
        assert verdict(module, x, client=client) == "right"
        result = imported(module, x)
        assert not result.params and len(result.constants) == 3
    convolves = own(lambda o, x: functional.conv1d(x, o.kernel))
    convolves.register_buffer("kernel", torch.randn(2, 4, 3))
    with pytest.raises(Refused, match="would learn 'kernel', which is no parameter"):
        imported(convolves, torch.randn(2, 4, 8))


def test_frozen_parameters_are_noted_or_constants(torch: Any, client: Client) -> None:
    frozen = torch.nn.Parameter(torch.rand(4) + 1, requires_grad=False)
    module = torch.nn.Sequential(torch.nn.Linear(4, 4).requires_grad_(False), torch.nn.Linear(4, 2))
    network, params, _, _ = imported(module, torch.randn(3, 4))
    assert network.metadata["frozen/0.weight"] == "true" and "frozen/1.weight" not in network.metadata
    assert set(params) == {"_0.weight", "_0.bias", "_1.weight", "_1.bias"}
    divides = own(lambda o, x: x / o.w, w=frozen)
    assert verdict(divides, torch.randn(3, 4), client=client) == "right"


def test_ties_over_several_axes_are_split_as_by_torch(torch: Any, client: Client) -> None:
    x = torch.tensor([[[1.0, 1.0], [1.0, 0.0], [0.0, -1.0]], [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]])
    for axes in ((1, 2), (2, 1), (-1, -2)):
        module = own(lambda o, x, axes=axes: x.amax(axes))
        result = imported(module, x)
        name = next(iter(result.network.spec()["inputs"]))
        ours = client.vjp(
            result.network, {}, {name: x.numpy()}, {result.outputs[0]: np.ones(2, np.float32)},
            wrt={"params": False, "data": [name]},
        )  # fmt: skip
        leaf = x.clone().requires_grad_()
        leaf.amax(axes).sum().backward()
        np.testing.assert_allclose(ours[name], leaf.grad.numpy())


def test_dtypes_are_those_of_the_module(torch: Any, client: Client) -> None:
    numbers = torch.tensor([0.1, 0.2], dtype=torch.float64)
    module = own(lambda own, x: x * numbers)
    assert verdict(module, torch.ones(1, 2, dtype=torch.float64), client=client) == "right"
    for dtype, message in {
        torch.float16: "is of float16: convert", torch.bool: "is of torch.bool", torch.uint8: "torch.uint8",
        torch.int8: "torch.int8", torch.complex64: "torch.complex64",
    }.items():  # fmt: skip
        with pytest.raises(Refused, match=message):
            imported(own(lambda own, x: x * 1), torch.ones(2, 2).to(dtype))
    with pytest.raises(Refused, match="computes with whole numbers, 'x'"):
        imported(own(lambda own, x: x * 0.5), torch.ones(2, 2, dtype=torch.int64))


def test_a_module_stuck_in_train_mode_is_not_taken_for_one_in_eval(torch: Any) -> None:
    module = own(lambda own, x: own.norm(x), norm=torch.nn.BatchNorm1d(4))
    module.train()
    module.train = lambda mode=True: module  # keeps its parts in train mode
    with pytest.raises(Refused, match="forward changes 'norm"):
        imported(module, torch.randn(3, 4))


def test_examples_that_are_no_batch_of_numbers_are_refused(torch: Any) -> None:
    for example in (torch.tensor(1.0), torch.zeros(0, 4), "a", [1.0], torch.ones(2, 4).to_sparse()):
        with pytest.raises(Refused) as refused:
            imported(torch.nn.Identity(), example)
        assert refused.value.code == "not_expressible"
    with pytest.raises(Refused, match="'weight' has no shape yet: call the module once"):
        imported(torch.nn.LazyLinear(3), torch.randn(2, 4))


def test_what_is_not_given_back_does_not_matter(torch: Any, client: Client) -> None:
    module = own(lambda own, x: (own.linear(x), x.erfinv())[0], linear=torch.nn.Linear(4, 2))
    assert verdict(module, torch.randn(3, 4), client=client) == "right"


def test_arguments_left_out_keep_their_defaults(torch: Any, client: Client) -> None:
    class Optional(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(4, 3)

        def forward(self, x: Any, mask: Any = None, scale: float = 2.0) -> Any:
            return self.linear(x) * scale if mask is None else x

    assert verdict(Optional(), torch.randn(3, 4), client=client) == "right"
