"""Programs: every equation that leads to a target once, and values released after their last use."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.engine import compiled
from support.networks import Example, examples

from deltawire_service.engine.plan.program import ArrayRole, make_program
from deltawire_service.engine.plan.targets import Targets, value_targets

SKIP = {
    "inputs": {"x": {"shape": [3]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 3}},
        {"name": "a", "kind": "tanh", "inputs": ["h"]},
        {"name": "s", "kind": "add", "inputs": ["a", "h"]},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["s", "y"]},
        {"name": "beside", "kind": "softmax", "inputs": ["s"]},
    ],
    "loss": "loss",
}


def steps(targets: Targets) -> tuple[list[str], list[str]]:
    program = make_program(compiled(SKIP), targets)
    return [step.node.name for step in program.forward], [step.node.name for step in program.backward]


def test_only_what_leads_to_a_target_is_computed() -> None:
    assert steps(Targets()) == (["h", "a", "s", "loss"], [])
    assert steps(Targets(deltas=frozenset({"s"}))) == (["h", "a", "s", "loss"], ["loss", "s"])
    assert steps(Targets(params=frozenset({"h.bias"})))[1] == ["loss", "s", "a", "h"]
    assert steps(Targets(values=frozenset({"a"}), loss=False)) == (["h", "a"], [])
    assert steps(Targets(values=frozenset({"beside"})))[0] == ["h", "a", "s", "loss", "beside"]
    assert steps(Targets(deltas=frozenset({"beside"}))) == (["h", "a", "s", "loss"], [])


def test_a_trace_sends_deltas_down_every_edge_of_floats() -> None:
    program = make_program(compiled(SKIP), Targets(trace=True))
    sent = {(step.node.name, name) for step in program.backward for _, name, _ in step.deltas}
    assert sent == {("loss", "s"), ("s", "a"), ("s", "h"), ("a", "h"), ("h", "x")}
    assert [step.node.name for step in program.backward if step.local] == ["s", "a"]


@given(examples(), st.data())
def test_values_are_released_after_their_last_use_and_results_never(
    example: Example, data: st.DataObject
) -> None:
    network = compiled(example.spec)
    values = data.draw(st.sets(st.sampled_from(sorted(network.nodes))))
    program = make_program(network, Targets(params=frozenset(network.parameters), values=frozenset(values)))
    available, released = {*network.inputs, *network.learned}, set[str]()
    for step in program.forward:
        assert available.issuperset(step.node.inputs) and released.isdisjoint(step.node.inputs)
        available.add(step.node.name)
        released.update(step.release)
    assert released.isdisjoint(program.retained)
    assert {*program.retained} == {*network.loss, *values}
    used = {name for step in program.forward for name in step.node.inputs}
    assert released == used - {*program.retained}


@given(examples())
def test_equations_run_from_the_loss_back(example: Example) -> None:
    network = compiled(example.spec)
    targets = Targets(params=frozenset(network.parameters), data=frozenset(network.float_inputs))
    program = make_program(network, targets)
    arrived = {*network.loss}
    for step in program.backward:
        assert step.node.name in arrived
        arrived.update(name for _, name, _ in step.deltas)
    grads = [name for step in program.backward for _, name, _ in step.grads]
    shared = sum(
        len(node.parameters) for node in network.nodes.values() if node.name in network.upstream(network.loss)
    )
    assert len(grads) == shared  # a tied node adds its own share


def test_a_forward_request_has_no_backward_pass() -> None:
    network = compiled(SKIP)
    assert make_program(network, value_targets(network, ["beside"])).backward == ()


def test_roles_read_as_they_are_named_in_messages() -> None:
    roles: list[tuple[ArrayRole, Any]] = [
        (ArrayRole("value"), "value"),
        (ArrayRole("delta"), "delta"),
        (ArrayRole("gradient", "weight"), "gradient of weight"),
        (ArrayRole("sent", "x", 0), "delta sent to 'x'"),
        (ArrayRole("local", "x", 0), "derivative by 'x'"),
    ]
    assert [(str(role), text) for role, text in roles] == [(text, text) for _, text in roles]
