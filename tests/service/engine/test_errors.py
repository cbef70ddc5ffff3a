"""Errors that end a computation."""

from __future__ import annotations

import pickle

from deltawire_service.engine import PluginError


def test_a_plugin_error_names_node_and_kind_also_in_another_process() -> None:
    error = PluginError("n", "bad", "fails in its forward pass")
    assert str(error) == "node 'n': layer 'bad' fails in its forward pass"
    other = pickle.loads(pickle.dumps(error))
    assert (other.node, other.kind, other.reason) == (error.node, error.kind, error.reason)
    assert str(other) == str(error)
