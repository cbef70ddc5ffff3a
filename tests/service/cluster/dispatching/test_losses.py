"""Tasks that were lost with their workers are counted, each time, for those who sent them."""

from __future__ import annotations

from deltawire_service.cluster.dispatching.losses import Losses


def test_only_tasks_of_this_process_are_counted_until_they_are_forgotten() -> None:
    losses = Losses()
    losses.watch(["a", "b", "c"])
    lost = {"action": "remove-worker", "processing-tasks": {"a", "other"}, "lost-computed-tasks": {"b"}}
    for event in ({"action": "add-worker", "worker": "tcp://1"}, lost, lost):
        losses.on_event((0.0, event))
    assert (losses.forget(["a", "c"]), losses.forget(["b"]), losses.forget(["a"])) == (2, 2, 0)
