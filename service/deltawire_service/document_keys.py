"""The keys that other libraries and formats have for those of a request, a spec and its nodes."""

from __future__ import annotations

from deltawire_plugins.foreign_keys import ForeignKeys

DOCUMENT_KEYS = ForeignKeys(
    {
        "network": "model graph spec architecture",
        "nodes": "layers modules ops operations",
        "inputs": "input sources args",
        "params": "parameters weights state_dict",
        "data": "inputs batch feed",
        "kind": "type op op_type class_name class layer",
        "config": "params parameters attrs attributes kwargs options args",
        "name": "id label",
        "dtype": "type data_type",
        "shape": "size dims dimensions",
        "loss": "criterion objective loss_fn loss_function",
        "l2": "lambda lam weight_decay strength alpha weight",
        "regularization": "regularizer penalty weight_decay l2",
        "parameters": "params",
        "tied_to": "tied share_with shared_with",
        "outputs": "output values",
        "values": "outputs output",
        "normal": "std stddev gaussian",
        "constant": "value fill",
        "reduction": "reduce",
    },
    {},
)
"""A key that stands at several places leads to the one that its place has."""
