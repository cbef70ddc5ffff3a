"""The settings of the service: each once, with its name, type, default and words.

They are read from environment variables `DELTAWIRE_*`; docs/settings.md lists them. The configuration of
gunicorn reads them too, before BLAS chooses its threads: so importing this module does not import numpy.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from environs import EnvError
from marshmallow import validate

from deltawire_service.environment import POSITIVE, PREFIX, Check, read_variable, variable
from deltawire_service.setting_checks import (
    ARE_FRAME_ANCESTORS,
    ARE_HOSTS,
    ARE_ORIGINS,
    IS_URL,
    PROTOCOLS,
    are_folders,
    are_protocols,
    is_blas,
    is_dask_address,
    is_folder,
)
from deltawire_service.store.limits import StoreLimits

if TYPE_CHECKING:
    from deltawire import wire
    from deltawire_service.engine import Limits

LOG_LEVELS = ("debug", "info", "warning", "error")

SECONDS = validate.Range(min=0, max=1e6)

SHORTEST_DEADLINE = 0.001
"""Seconds that a request may be given at least: nothing can be answered in less."""

WIRE_BOUNDS = {
    "depth": "json_depth",
    "members": "json_members",
    "lists": "json_lists",
    "rank": "rank",
    "elements": "elements",
    "tensors": "tensors",
    "tensor_header_bytes": "tensor_header_bytes",
}
"""The setting of each bound on bodies and tensors."""

MODEL_WIRE_BOUNDS = {"tensors": "model_tensors", "tensor_header_bytes": "model_tensor_header_bytes"}
"""Those that are others for bodies that are received into files."""


def setting(default: Any, words: str, check: Check | None = None) -> Any:
    """Declare a setting.

    Args:
        default: the value when its variable is not set; its type is the type of the setting.
        words: what the setting is, as docs/settings.md says it.
        check: raises marshmallow.ValidationError for a value that is not allowed.
    """
    return field(default=default, metadata={"words": words, "check": check})


count = partial(setting, check=POSITIVE)
seconds = partial(setting, check=SECONDS)


@dataclass(frozen=True)
class Settings:
    """The settings in force; each is the variable `DELTAWIRE_` and its name in capitals."""

    json_body_bytes: int = count(
        16 * 2**20, "the largest JSON body, in bytes; a larger one is refused before it is read"
    )
    binary_body_bytes: int = count(64 * 2**20, "the largest binary body, in bytes")
    model_body_bytes: int = count(
        2**32,
        "the largest binary body of a route that receives bodies into files, in bytes; "
        "without DELTAWIRE_DATA_DIR it has the limit of other binary bodies",
    )
    dataset_body_bytes: int = count(
        2**33,
        "the largest file that becomes a dataset, in bytes, as a body or below DELTAWIRE_DATASET_ROOTS",
    )
    upload_bytes: int = count(
        2**33,
        "bodies that a worker process has in files at once, in bytes, until their requests are answered; "
        "so are the copies of files below DELTAWIRE_DATASET_ROOTS",
    )
    tensor_header_bytes: int = count(
        2**20,
        "the longest header of a binary body, in bytes; it holds the network and describes the tensors",
    )
    model_tensor_header_bytes: int = count(
        2**24, "the longest header of a body that is received into a file, in bytes"
    )
    json_depth: int = count(32, "levels of lists and objects in a JSON body")
    json_members: int = count(
        20_000, "objects and keys in a JSON body; 640 nodes and 1,000 tensors need about 15,000"
    )
    json_lists: int = count(2**20, "lists in a JSON body; send larger tensors as base64, or in a binary body")
    tensors: int = count(1000, "tensors in a request, parameters and data together")
    model_tensors: int = count(100_000, "tensors in a body that is received into a file")
    rank: int = count(8, "axes of a tensor, the batch axis included")
    elements: int = count(2**26, "numbers in a tensor")
    nodes: int = count(640, "nodes in a network")
    planned_bytes: int = count(
        5 * 2**28,
        "planned peak memory of one request, in bytes, including its body and its answer; "
        "parameters that the service keeps are not counted",
    )
    planned_operations: int = count(
        2**40,
        "planned operations of one request, over all passes and repetitions; "
        "a fast core does 2^35 of them in a second",
    )
    compute_threads: int = count(
        1,
        "threads that compute in each worker process; with more than one, requests are "
        "computed one after the other",
    )
    flat_programs: bool = setting(
        True,
        "whether programs of built-in layers that repeat are compiled to straight-line code, "
        "which leaves out the guard of the layer contract; the numbers are the same",
    )
    blas: str = setting(
        "auto",
        "the BLAS of large matrix products: numpy, its own; mkl, of the extra mkl; "
        "auto, mkl where it is installed and the processor is of Intel, else numpy",
        is_blas,
    )
    computations: int = count(1, "requests that each worker process computes at the same time")
    queue_seconds: float = seconds(
        0.08, "seconds that a request may wait to be computed; then it gets 503 and Retry-After"
    )
    queue_bytes: int = count(2**30, "planned memory of all waiting requests of a worker process, in bytes")
    admitted_bytes: int = count(
        5 * 2**28,
        "memory that read bodies in JSON, computations and unread answers of a worker process take together, "
        "in bytes; at least DELTAWIRE_PLANNED_BYTES times DELTAWIRE_COMPUTATIONS",
    )
    deadline_seconds: float = setting(
        30.0,
        "seconds that a request may take; the header Deltawire-Deadline can set less",
        validate.Range(min=SHORTEST_DEADLINE, max=1e6),
    )
    hang_seconds: float = seconds(
        5.0,
        "seconds after its deadline in which a computation must end; "
        "then a layer hangs, and its worker process is replaced",
    )
    received_bytes: int = count(
        2**28, "requests that a worker process holds in memory while they come and are answered, in bytes"
    )
    client_bytes_per_second: int = count(
        2**15,
        "how fast a client must read, in bytes, to get more than DELTAWIRE_DEADLINE_SECONDS for its answer; "
        "and send, for a body that is received into a file",
    )
    drain_seconds: float = seconds(
        0.0, "seconds for which /readyz reports that the service stops, before it stops accepting connections"
    )
    api_keys_file: str = setting("", "a file of API keys, one per line")
    api_keys: str = setting("", "the same lines, without a file")
    insecure_public: bool = setting(False, "whether other machines may use the service without keys")
    allowed_hosts: str = setting(
        "",
        "names of the service beside localhost and IP addresses, separated by spaces; "
        "without keys it answers to no others",
        ARE_HOSTS,
    )
    cors_origins: str = setting(
        "",
        "origins whose pages may read answers in a browser, separated by spaces: https://example.org",
        ARE_ORIGINS,
    )
    explorer_frame_ancestors: str = setting(
        "",
        "origins whose pages may show the explorer at /?embed in a frame, separated by spaces: "
        "https://example.org",
        ARE_FRAME_ANCESTORS,
    )
    cache_bytes: int = count(
        32 * 2**20,
        "memory that each worker process keeps for repeated requests, in bytes: compiled networks, programs, "
        "plans, options; the least recently used go first",
    )
    kept_pass_bytes: int = setting(
        64 * 2**20,
        "memory that each worker process keeps for forward passes, in bytes: a product of the same numbers "
        "reuses one; 0 keeps none",
        validate.Range(min=0),
    )
    networks_dir: str = setting("", "the folder of the published networks, files NAME.safetensors", is_folder)
    data_dir: str = setting("", "the folder that models are kept in; it is made when it is missing")
    models_per_key: int = count(1000, "models that an API key may have; without keys, that there may be")
    datasets_per_key: int = count(1000, "datasets that an API key may have; without keys, that there may be")
    model_bytes_per_key: int = count(
        64 * 2**30,
        "disk space that the models and datasets of a key may take, in bytes: numbers, snapshots, batches",
    )
    dataset_roots: str = setting(
        "", "folders whose files may become datasets by their path, separated by colons", are_folders
    )
    free_bytes: int = count(
        2**28,
        "disk space that stays free, in bytes: with less, no model is made, no step is taken, and no body is "
        "received into a file",
    )
    history_bytes: int = count(
        2**30,
        "snapshots and batches that a model keeps, in bytes; versions that they do not lead to are gone",
    )
    ledger_entries: int = count(1_000_000, "entries that the ledger of a model keeps, the latest ones")
    idempotency_keys: int = count(
        250_000, "Idempotency-Keys of an API key that are answered, the latest ones"
    )
    idempotency_seconds: float = setting(
        86_400.0,
        "seconds for which an Idempotency-Key is answered, in which the service was up",
        validate.Range(min=0, max=1e9),
    )
    runs_per_key: int = count(16, "runs of an API key that have not ended; without keys, that there may be")
    trainer: bool = setting(
        True,
        "whether the service starts a process that takes runs; "
        "without one, start deltawire trainer on the same folder",
    )
    trainer_threads: int = count(1, "threads that the process computes with that takes runs")
    dask: str = setting(
        "",
        "the address of a Dask scheduler, tls://host:8786, whose workers compute parts of large requests; "
        "it needs DELTAWIRE_DATA_DIR",
        is_dask_address,
    )
    cluster_url: str = setting(
        "",
        "the address at which those workers reach the service, as http://service:8000; "
        "empty where they share DELTAWIRE_DATA_DIR",
        IS_URL,
    )
    cluster_operations: int = count(
        2**34,
        "planned operations from which on a request with several segments goes to those workers; "
        "a fast core does 2^35 of them in a second",
    )
    worker_cache_bytes: int = count(
        2**29,
        "parameters that a worker keeps for further requests, in bytes; the least recently used go first",
    )
    protocols: str = setting(
        ",".join(PROTOCOLS),
        "the protocols of others in which networks and models are served",
        are_protocols,
    )
    log_level: str = setting(
        "info",
        "the least severe log lines written: debug, info (every request), warning or error",
        validate.OneOf(LOG_LEVELS),
    )

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings from the environment.

        Raises:
            environs.EnvError: a value does not fit; its variable is named.
        """
        values: dict[str, Any] = {}
        for each in dataclasses.fields(cls):
            default: Any = each.default
            values[each.name] = read_variable(variable(each.name), default, each.metadata["check"])
        if values["dask"] and not values["data_dir"]:
            raise EnvError("DELTAWIRE_DASK: set DELTAWIRE_DATA_DIR too, a folder for what workers read")
        return cls(**values)

    @cached_property
    def wire_limits(self) -> wire.Limits:
        """The bounds on bodies and tensors."""
        from deltawire import wire  # brings numpy

        bounds: dict[str, Any] = {bound: getattr(self, name) for bound, name in WIRE_BOUNDS.items()}
        variables = {bound: variable(name) for bound, name in WIRE_BOUNDS.items()}
        return wire.Limits(**bounds, variables=variables)

    @cached_property
    def store_limits(self) -> StoreLimits:
        """The bounds on what is kept of models."""
        return StoreLimits(
            self.models_per_key,
            self.model_bytes_per_key,
            self.free_bytes,
            self.idempotency_keys,
            self.idempotency_seconds,
            self.history_bytes,
            self.ledger_entries,
            self.datasets_per_key,
            self.runs_per_key,
        )

    @cached_property
    def model_wire_limits(self) -> wire.Limits:
        """The bounds on bodies that are received into files: more tensors, and a longer header for them."""
        small = self.wire_limits
        bounds = {
            bound: max(getattr(small, bound), getattr(self, name))
            for bound, name in MODEL_WIRE_BOUNDS.items()
        }
        variables = {bound: variable(name) for bound, name in MODEL_WIRE_BOUNDS.items()}
        return dataclasses.replace(small, **bounds, variables={**small.variables, **variables})

    @property
    def uploads_dir(self) -> Path | None:
        """The folder for bodies that are received into files; None when there is none."""
        return Path(self.data_dir, "uploads") if self.data_dir else None

    @cached_property
    def engine_limits(self) -> Limits:
        """The bounds on networks and their computation."""
        from deltawire_service.engine import Limits  # brings numpy

        return Limits(
            self.nodes, self.rank, self.elements, self.planned_bytes, self.planned_operations, PREFIX
        )
