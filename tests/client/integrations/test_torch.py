"""A served network as a module of torch: gradients, and training, as if it were torch's own."""

from __future__ import annotations

from copy import deepcopy
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support.classifier import batch, classifier
from support.posting import good
from support.publishing import publish

from deltawire import Client, Model, Network, Refused, optim, wire
from deltawire.transport import EmbeddedTransport, Request, Response

pytestmark = pytest.mark.torch


@pytest.fixture
def torch() -> Any:
    module = import_module("torch")
    module.manual_seed(0)
    return module


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def two_outputs() -> Network:
    net = Network()
    x, w = net.input("x", (4,)), net.input("w", (3,), shared=True)
    hidden = net.layer("tanh", net.layer("linear", x, units=3, name="hidden"), name="active")
    net.layer("dot", hidden, w, name="score")
    return net


def remote(*arguments: Any, **options: Any) -> Any:
    return import_module("deltawire.integrations.torch").RemoteNetwork(*arguments, **options)


def test_gradcheck_passes(torch: Any, client: Client) -> None:
    module = remote(two_outputs(), outputs=["active", "score"], client=client, dtype=torch.float64)
    x, w = torch.randn(3, 4).double().requires_grad_(), torch.randn(3).double().requires_grad_()
    names = [name for name, _ in module.named_parameters()]

    def function(*tensors: Any) -> Any:
        given = dict(zip(names, tensors, strict=False))
        return torch.func.functional_call(module, given, tensors[len(names) :])

    parameters = [p.detach().clone().requires_grad_() for p in module.parameters()]
    assert torch.autograd.gradcheck(function, (*parameters, x, w))
    assert torch.autograd.gradcheck(lambda x: module(x, w.detach()), (x,))


def test_derivatives_of_derivatives_are_refused(torch: Any, client: Client) -> None:
    module = remote(two_outputs(), client=client)
    x, w = torch.randn(2, 4, requires_grad=True), torch.randn(3)
    for loss in (module(x, w=w).sum(), module(x, w=w).square().sum()):
        (first,) = torch.autograd.grad(loss, x, create_graph=True)
        with pytest.raises(RuntimeError, match="first derivatives only: Client.hvp"):
            (loss + first.square().sum()).backward()


class Counted(EmbeddedTransport):
    """A service in this process that notes what derivatives are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def send(self, request: Request) -> Response:
        if request.path == "/v1/vjp":
            body = b"".join(request.body or ())
            self.asked.append(wire.decode(body, request.headers["Content-Type"])["wrt"])
        return super().send(request)


def test_only_what_is_needed_is_asked_for(torch: Any) -> None:
    counted = Counted()
    client = Client(transport=counted)
    module = remote(two_outputs(), client=client)
    module(torch.randn(2, 4), torch.randn(3)).sum().backward()
    assert counted.asked == [{"params": ["hidden.weight", "hidden.bias"], "data": False}]
    frozen = remote(two_outputs(), client=client, trainable=False)
    assert not list(frozen.parameters())
    x = torch.randn(2, 4, requires_grad=True)
    frozen(x, torch.randn(3)).sum().backward()
    assert counted.asked[1] == {"params": False, "data": ["x"]}
    assert x.grad.shape == (2, 4)


def test_it_trains_inside_a_sequential_as_its_twin_does(torch: Any, client: Client) -> None:
    nn = torch.nn
    net = Network()
    net.layer("tanh", net.layer("linear", net.input("x", (8,)), units=6, name="hidden"))
    served = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), remote(net, client=client), nn.Linear(6, 1))
    hidden = nn.Linear(8, 6)
    twin = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Sequential(hidden, nn.Tanh()), nn.Linear(6, 1))
    state = {name.replace("2.hidden", "2.0"): tensor.clone() for name, tensor in served.state_dict().items()}
    twin.load_state_dict(state)
    x = torch.randn(64, 2)
    y = (x[:, :1] * x[:, 1:]).tanh()
    losses: dict[str, list[float]] = {"served": [], "twin": []}
    for name, model in (("served", served), ("twin", twin)):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        for _ in range(100):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            losses[name].append(loss.item())
    assert losses["served"] == pytest.approx(losses["twin"], rel=1e-2)
    assert losses["served"][-1] < losses["served"][0] / 5


def test_constants_labels_and_a_state_dict(torch: Any, client: Client) -> None:
    net = Network()
    index, mean = net.input("index", (2,), "int64"), net.input("mean", (2,), shared=True)
    var = net.input("var", (2,), shared=True)
    words = net.layer("embedding", index, rows=5, width=3, name="words")
    net.layer("batch_norm", words, mean, var, name="norm")
    import numpy as np

    constants = {"mean": np.zeros(2, np.float32), "var": np.ones(2, np.float32)}
    module = remote(net, client.init(net, dtype="float32"), constants=constants, client=client)
    assert repr(module).startswith("RemoteNetwork(\n  index -> norm")
    module(torch.tensor([[0, 4]])).sum().backward()
    assert module.words.weight.grad.abs().sum(1).gt(0).tolist() == [True, False, False, False, True]
    copied = deepcopy(module)
    assert copied.words.weight is not module.words.weight
    assert torch.equal(copied(torch.tensor([[1, 2]])), module(torch.tensor([[1, 2]])))
    again = remote(net, constants=constants, client=client, seed=3)
    again.load_state_dict(module.state_dict())
    assert torch.equal(again(torch.tensor([[1, 2]])), module(torch.tensor([[1, 2]])))


def test_a_node_called_as_something_of_torch_is_refused(torch: Any, client: Client) -> None:
    net = Network()
    net.layer("linear", net.input("x", (2,)), units=1, name="half")
    with pytest.raises(Refused, match="node 'half' has parameters, and a torch module has an attribute"):
        remote(net, client=client)


def test_inputs_that_are_no_inputs_are_named(torch: Any, client: Client) -> None:
    module = remote(two_outputs(), client=client)
    for arguments in ((torch.zeros(1, 4),) * 3,):
        with pytest.raises(Refused, match="expected each of the inputs x, w once"):
            module(*arguments)
    with pytest.raises(Refused, match="expected each of the inputs x, w once, got 1 and x"):
        module(torch.zeros(1, 4), x=torch.zeros(1, 4))
    with pytest.raises(Refused) as refused:
        module(torch.zeros(1, 4))
    assert "w" in refused.value.pointer + str(refused.value)
    with pytest.raises(Refused, match="the tensor is on the meta device"):
        module(torch.zeros(1, 4, device="meta"), torch.zeros(3))


def test_parameters_may_stay_at_the_service(
    torch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "kept", "float32")
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", str(tmp_path))
    request = good()
    with Client() as client:
        kept = remote(client.published("kept"), client=client)
        params = {name: torch.tensor(numbers) for name, numbers in request["params"].items()}
        sent = remote(request["network"], params, client=client)
    assert not list(kept.parameters())
    gradients = []
    for module in (kept, sent):
        data = {name: torch.tensor(numbers) for name, numbers in request["data"].items()}
        data["x"].requires_grad_()
        module(**data).sum().backward()
        gradients.append(data["x"].grad)
    assert torch.equal(*gradients) and gradients[0].abs().max() > 0


def test_no_error_names_an_option_that_the_module_does_not_take(torch: Any, client: Client) -> None:
    net = Network()
    net.layer("log", net.input("x"), name="f")
    module = remote(net, client=client)
    with pytest.raises(Refused, match="nan in example 1, where 'x' is -1.0") as caught:
        module(x=torch.tensor([1.0, -1.0]))
    assert "non_finite" not in str(caught.value)


def learned() -> Network:
    net = Network()
    x, shift = net.input("x", (3,)), net.parameter("shift", (3,), constant=0.5)
    net.layer("tanh", net.layer("linear", x + shift, units=2, name="hidden"), name="active")
    return net


def test_a_learned_input_is_a_parameter_of_the_module(torch: Any, client: Client) -> None:
    module = remote(learned(), client=client, dtype=torch.float64)
    parameters = dict(module.named_parameters())
    assert set(parameters) == {"shift", "hidden.weight", "hidden.bias"}
    x = torch.randn(4, 3).double()
    values = module(x)
    values.square().sum().backward()
    shift, weight, bias = (
        parameters[name].detach().requires_grad_() for name in ("shift", "hidden.weight", "hidden.bias")
    )
    torch.testing.assert_close(values, torch.tanh(torch.nn.functional.linear(x + shift, weight, bias)))
    theirs = torch.tanh(torch.nn.functional.linear(x + shift, weight, bias)).square().sum()
    for name, gradient in zip(
        ("shift", "hidden.weight", "hidden.bias"),
        torch.autograd.grad(theirs, (shift, weight, bias)),
        strict=True,
    ):
        torch.testing.assert_close(parameters[name].grad, gradient)


def test_a_learned_input_may_be_a_buffer_and_needs_a_name_of_its_own(torch: Any, client: Client) -> None:
    module = remote(learned(), client=client, trainable=False)
    assert "shift" in dict(module.named_buffers()) and not list(module.parameters())
    net = Network()
    net.layer("add", net.input("x", (3,)), net.parameter("training", (3,), constant=1.0))
    with pytest.raises(Refused, match="input 'training' is a parameter") as refused:
        remote(net, client=client)
    assert refused.value.code == "name_reserved"


@pytest.fixture
def model(tmp_path: Path) -> Model:
    client = Client(data_dir=tmp_path)
    return client.create_model(classifier(), name="digits", optimizer=optim.adam(0.01), seed=1)


def test_a_model_in_the_middle_is_trained_as_torch_would_train_it(torch: Any, model: Model) -> None:
    """Twenty steps of Adam, the first layers here and the model there; all of it in torch is the oracle."""
    names = ("hidden", "scores")

    class Oracle(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Linear(4, 4)
            self.hidden, self.scores = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            return self.scores(torch.tanh(self.hidden(torch.tanh(self.first(x)))))

    oracle = Oracle().double()
    parameters = {name: torch.tensor(array) for name, array in model.params().items()}
    oracle.load_state_dict(parameters, strict=False)
    first = deepcopy(oracle.first)
    served = remote(model, outputs=["scores"])
    mine = torch.nn.Sequential(first, torch.nn.Tanh(), served)
    assert [name for name, _ in mine.named_parameters()] == ["0.weight", "0.bias"]
    theirs = torch.optim.Adam(oracle.parameters(), lr=0.01)
    optimizer = torch.optim.Adam(mine.parameters(), lr=0.01)
    for step in range(20):
        data = {name: torch.tensor(array) for name, array in batch(step).items()}
        for module, each in ((oracle, theirs), (mine, optimizer)):
            each.zero_grad()
            torch.nn.functional.cross_entropy(module(data["x"]), data["y"]).backward()
            each.step()
        assert served.step(if_version=step).version == step + 1
    for name, array in model.params().items():
        torch.testing.assert_close(torch.tensor(array), oracle.state_dict()[name], rtol=0, atol=1e-10)
    torch.testing.assert_close(first.weight, oracle.first.weight, rtol=0, atol=1e-10)
    assert {name.split(".")[0] for name in model.params()} == set(names)


def test_gradients_of_a_model_add_up_until_its_step(torch: Any, model: Model) -> None:
    served = remote(model, outputs=["scores"])
    x = torch.tensor(batch(0)["x"])
    served(x).sum().backward()
    once = {name: array.copy() for name, array in served.gradients.items()}
    assert once.keys() == model.params().keys()
    served(x).sum().backward()
    for name, array in served.gradients.items():
        torch.testing.assert_close(torch.tensor(array), torch.tensor(2 * once[name]))
    served.zero_grad()
    assert served.gradients == {}
    served(x).sum().backward()
    with pytest.raises(Refused, match="version_changed|is 0, not 7"):
        served.step(if_version=7)
    assert served.gradients  # a step that was refused loses nothing
    assert served.step(learning_rate=0.5).learning_rate == 0.5 and served.gradients == {}


def test_both_passes_have_one_version_of_a_model(torch: Any, model: Model) -> None:
    served, before = remote(model, outputs=["scores"]), model.at(0)
    data = batch(0)
    values = served(torch.tensor(data["x"]))
    model.step(batch(1), learning_rate=1.0)  # somebody else
    values.sum().backward()
    expected = before.vjp(data, {"scores": torch.ones(5, 3, dtype=torch.float64)})
    for name, array in expected.items():
        torch.testing.assert_close(torch.tensor(served.gradients[name]), torch.tensor(array))


def test_nothing_is_collected_where_nothing_learns(torch: Any, model: Model) -> None:
    x = torch.tensor(batch(0)["x"])
    frozen = remote(model, outputs=["scores"], trainable=False)
    assert not frozen(x).requires_grad
    learning = remote(model, outputs=["scores"])
    with torch.no_grad():
        assert not learning(x).requires_grad
    with pytest.raises(Refused, match="call backward"):
        learning.step()
    with pytest.raises(Refused, match="only a model takes steps"):
        remote(classifier(), outputs=["scores"], dtype=torch.float64).step()


def test_a_version_of_a_model_does_not_learn(torch: Any, model: Model) -> None:
    served = remote(model.at(0), outputs=["scores"])
    x = torch.tensor(batch(0)["x"], requires_grad=True)
    served(x).sum().backward()
    assert x.grad is not None and served.gradients == {}
    with pytest.raises(Refused, match="only a model takes steps"):
        served.step()


def test_noise_is_drawn_in_training_and_not_after_eval(torch: Any, client: Client) -> None:
    net = Network()
    keep = net.noise("keep", (4,), dropout=0.5)
    net.layer(
        "identity", net.layer("linear", net.input("x", (3,)), units=4, name="hidden") * keep, name="out"
    )
    module = remote(net, client=client, dtype=torch.float64)
    x = torch.ones(50, 3, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(3)
    first, second = module(x), module(x)
    torch.manual_seed(3)
    assert torch.equal(module(x), first) and not torch.equal(first, second)
    assert 0.3 < (first == 0).double().mean() < 0.7
    first.sum().backward()  # under the mask of the forward pass
    kept = (first != 0).double() * 2
    assert torch.allclose(x.grad, kept @ module.hidden.weight)
    state = torch.get_rng_state()
    module.eval()
    assert torch.equal(module(x), module(x)) and (module(x) != 0).all()
    assert torch.equal(torch.get_rng_state(), state)
