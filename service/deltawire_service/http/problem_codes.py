"""The codes of all problems, with their HTTP status and title.

A code is stable: callers may build on it. docs/api.md says what each means.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Problem(NamedTuple):
    """The status and the title of all problems with one code."""

    status: int
    title: str


HTTP: dict[str, Problem] = {
    "bad_request": Problem(400, "The request cannot be read"),
    "body_truncated": Problem(400, "The body is shorter than its Content-Length"),
    "unauthorized": Problem(401, "The request has no key that the service knows"),
    "link_invalid": Problem(403, "The link is not one of the service, or has expired"),
    "origin_not_allowed": Problem(403, "A page of another site has made the request"),
    "not_found": Problem(404, "There is no such route"),
    "layer_not_found": Problem(404, "There is no such layer"),
    "network_not_found": Problem(404, "There is no such network"),
    "optimizer_not_found": Problem(404, "There is no such optimizer"),
    "method_not_allowed": Problem(405, "The route does not take this method"),
    "deadline_invalid": Problem(400, "The deadline cannot be read"),
    "not_acceptable": Problem(406, "The answer cannot have a media type that the client accepts"),
    "request_timeout": Problem(408, "The request did not come in time"),
    "length_required": Problem(411, "The request has no Content-Length"),
    "body_too_large": Problem(413, "The body is too large"),
    "uri_too_long": Problem(414, "The first line of the request is too long"),
    "media_type_unsupported": Problem(415, "The body has a media type that is not read"),
    "content_encoding_unsupported": Problem(415, "The body is encoded (compressed)"),
    "expectation_failed": Problem(417, "The request expects something the service does not do"),
    "host_not_allowed": Problem(421, "The service does not have the name in the request's Host"),
    "rate_limited": Problem(429, "The key has sent too many requests"),
    "headers_too_large": Problem(431, "The headers of the request are too large"),
    "transfer_coding_unsupported": Problem(501, "The body has a transfer coding that is not read"),
}

ANYWHERE = (
    *("bad_request", "unauthorized", "not_found", "method_not_allowed", "uri_too_long", "expectation_failed"),
    *("rate_limited", "headers_too_large", "transfer_coding_unsupported", "host_not_allowed"),
    *("origin_not_allowed", "request_timeout"),
)
"""Codes of problems that are found before a route is."""

DOCUMENT: dict[str, Problem] = {
    "json_invalid": Problem(400, "The body is not strict JSON"),
    "json_too_deep": Problem(400, "The JSON is nested too deep"),
    "json_too_many_members": Problem(413, "The JSON has too many objects, keys or lists"),
    "tensor_body_invalid": Problem(400, "The binary body is not well formed"),
    "tensor_header_too_large": Problem(413, "The header of the binary body is too large"),
    "field_unknown": Problem(422, "A field is unknown"),
    "field_missing": Problem(422, "A field is missing"),
    "field_invalid": Problem(422, "A field has a wrong value"),
}

NETWORK: dict[str, Problem] = {
    "too_many_nodes": Problem(422, "The network is too large"),
    "name_invalid": Problem(422, "A name is not well formed"),
    "name_reserved": Problem(422, "A name is reserved"),
    "duplicate_name": Problem(422, "A name is taken twice"),
    "unknown_kind": Problem(422, "Nothing of this kind is installed"),
    "config_invalid": Problem(422, "The config of a layer is wrong"),
    "arity_mismatch": Problem(422, "A layer gets a wrong number of inputs"),
    "unknown_input": Problem(422, "An input of a node does not exist"),
    "graph_cycle": Problem(422, "The graph has a cycle"),
    "tie_invalid": Problem(422, "Parameters cannot be shared"),
    "loss_missing": Problem(422, "The network has no loss"),
    "loss_invalid": Problem(422, "The loss is not one number per example"),
}

TENSORS: dict[str, Problem] = {
    "too_many_tensors": Problem(422, "The request has too many tensors"),
    "tensor_invalid": Problem(422, "A tensor is not an array of numbers"),
    "shape_invalid": Problem(422, "A shape is not well formed"),
    "shape_too_large": Problem(422, "A shape is too large"),
    "shape_mismatch": Problem(422, "A shape is not the expected one"),
    "dtype_unsupported": Problem(422, "A dtype is not supported"),
    "dtype_mismatch": Problem(422, "A dtype is not the expected one"),
    "missing_parameter": Problem(422, "A parameter is missing"),
    "unknown_parameter": Problem(422, "A parameter is not one of the network"),
    "missing_data": Problem(422, "The data of an input is missing"),
    "unknown_data": Problem(422, "Data is not for an input of the network"),
    "batch_mismatch": Problem(422, "Batches have different sizes"),
    "batch_empty": Problem(422, "The batch is empty"),
    "label_out_of_range": Problem(422, "A number is out of its range"),
}

COMPUTATION: dict[str, Problem] = {
    "unknown_name": Problem(422, "A name does not exist"),
    "not_differentiable": Problem(422, "There is no derivative with respect to this"),
    "first_order_only": Problem(422, "A layer has first derivatives only"),
    "memory_plan_exceeded": Problem(422, "The computation would need too much memory"),
    "cost_plan_exceeded": Problem(422, "The computation would take too many operations"),
    "non_finite": Problem(422, "A result is not finite"),
}

MODELS: dict[str, Problem] = {
    "idempotency_key_invalid": Problem(400, "The Idempotency-Key cannot be read"),
    "model_not_found": Problem(404, "There is no such model"),
    "version_not_found": Problem(404, "The model has no such version"),
    "run_not_found": Problem(404, "There is no such run"),
    "model_name_taken": Problem(409, "There is a model of this name"),
    "model_in_run": Problem(409, "The model learns in a run"),
    "run_ended": Problem(409, "The run has ended"),
    "version_not_reproducible": Problem(409, "The version cannot be computed again here"),
    "version_expired": Problem(410, "The version is kept no more"),
    "answer_expired": Problem(410, "The answer cannot be made again"),
    "version_changed": Problem(412, "The model has another version"),
    "idempotency_key_reused": Problem(422, "The Idempotency-Key came with another request"),
    "store_missing": Problem(501, "The service keeps no models"),
    "model_busy": Problem(503, "Others are changing the model"),
    "store_unavailable": Problem(503, "The disk cannot be used"),
    "outcome_unknown": Problem(503, "The change may have been made"),
    "store_full": Problem(507, "The disk is full"),
    "quota_exceeded": Problem(507, "The key has as much as it may have"),
}

DATASETS: dict[str, Problem] = {
    "path_not_allowed": Problem(403, "The path leads out of the folders that may be read"),
    "dataset_not_found": Problem(404, "There is no such dataset"),
    "dataset_exists": Problem(409, "There is a dataset of this name with other numbers"),
    "dataset_in_use": Problem(409, "A ledger needs the dataset"),
    "dataset_invalid": Problem(422, "The body is no table"),
    "row_out_of_range": Problem(422, "The dataset has no such row"),
    "unknown_column": Problem(422, "The dataset has no such column"),
    "format_not_installed": Problem(501, "The format is not read here"),
}

ROWS = ("store_missing", "store_unavailable", "dataset_not_found", "row_out_of_range", "unknown_column")
"""Codes that a route may answer with when it takes rows of a dataset."""

SERVICE: dict[str, Problem] = {
    "plugin_error": Problem(500, "A layer failed"),
    "internal": Problem(500, "The service failed"),
    "overloaded": Problem(503, "The service has too much to compute"),
    "worker_lost": Problem(503, "Several workers were lost while they computed the request"),
    "cluster_unavailable": Problem(503, "The workers were lost, with no time left to compute here"),
    "deadline_exceeded": Problem(504, "The computation took too long"),
}

HEALTH: dict[str, Problem] = {
    "not_ready": Problem(503, "The service takes no requests now"),
}

RUNS: Mapping[str, str] = MappingProxyType({"trainer_died": "The training process ended"})
"""The titles of what ends runs alone, and answers no request."""

PROBLEMS: Mapping[str, Problem] = MappingProxyType(
    HTTP | DOCUMENT | NETWORK | TENSORS | COMPUTATION | MODELS | DATASETS | SERVICE | HEALTH
)
