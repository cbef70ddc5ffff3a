"""The settings of the service, read from environment variables `DELTAWIRE_*` (docs/settings.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

from environs import Env
from marshmallow import ValidationError, validate

from deltawire import wire
from deltawire_service.engine import Limits

PREFIX = "DELTAWIRE_"
PROTOCOLS = ("kserve", "tesseract", "umbridge")
LOG_LEVELS = ("debug", "info", "warning", "error")


def folder(path: str) -> None:
    """Raises ValidationError unless there is a folder at the path, if it is one."""
    if path and not Path(path).is_dir():
        raise ValidationError("there is no such folder")


def words(text: str) -> None:
    """Raises ValidationError unless each of the words, with commas between them, is a face."""
    for word in text.split(",") if text else ():
        if word not in PROTOCOLS:
            raise ValidationError(f"expected some of {', '.join(PROTOCOLS)}, with commas between them")


TEXTS: dict[str, Callable[[str], Any]] = {
    "log_level": validate.OneOf(LOG_LEVELS),
    "cors_origins": validate.Regexp(r"( *https?://[^\s/*@]+(\s|\Z))*\Z", error="origins are https://host"),
    "networks_dir": folder,
    "protocols": words,
}
"""What settings that are texts may be, where not anything."""


@dataclass(frozen=True)
class Settings:
    """What may differ between installations: each is the variable `DELTAWIRE_` and its name in capitals."""

    json_body_bytes: int = 16 * 2**20
    """Largest JSON body, in bytes; refused by its Content-Length, before it is read."""

    binary_body_bytes: int = 64 * 2**20
    """Largest binary body, in bytes; refused likewise."""

    tensor_header_bytes: int = wire.DEFAULT.tensor_header_bytes
    """Length of the header of a binary body, in bytes; it holds the network and describes the tensors."""

    json_depth: int = wire.DEFAULT.depth
    """Lists and objects inside each other in a JSON body."""

    json_members: int = wire.DEFAULT.members
    """Objects and keys in a JSON body. 512 nodes and 1,000 tensors need about 13,000."""

    json_lists: int = wire.DEFAULT.lists
    """Lists in a JSON body; larger tensors are better sent as base64, or in a binary body."""

    tensors: int = wire.DEFAULT.tensors
    """Tensors in a request, parameters and data together."""

    rank: int = wire.DEFAULT.rank
    """Axes of a tensor, the batch axis included."""

    elements: int = wire.DEFAULT.elements
    """Numbers in a tensor."""

    nodes: int = Limits.nodes
    """Nodes in a network."""

    planned_bytes: int = Limits.planned_bytes
    """Peak memory of one request, in bytes, as planned from shapes; its body and its answer's among it."""

    compute_threads: int = 1
    """Threads that compute in each worker process; with more than one, its requests take turns."""

    computations: int = 1
    """Requests that each worker process computes at once."""

    queue_seconds: float = 0.08
    """Seconds a request may wait for its turn to compute; then it is refused, to be tried again."""

    queue_bytes: int = 2**30
    """Planned memory of all requests that wait in a worker process, in bytes."""

    deadline_seconds: float = 30.0
    """Seconds a request may take; the header Deltawire-Deadline may ask for less."""

    drain_seconds: float = 0.0
    """Seconds for which /readyz says that the service stops, before it takes no more connections."""

    api_keys_file: str = ""
    """File of API keys, a line each. Without any key, whoever reaches the service may ask."""

    api_keys: str = ""
    """The same lines, for those who have no file."""

    insecure_public: bool = False
    """Whether the service may listen to other machines without keys."""

    cors_origins: str = ""
    """Origins whose pages may read answers in a browser, with spaces between them."""

    cached_networks: int = 128
    """Compiled networks kept by each worker process, the most recently used ones."""

    networks_dir: str = ""
    """Folder of the published networks, each a file NAME.safetensors; none when it is empty."""

    protocols: str = "kserve,tesseract,umbridge"
    """The protocols of others that published networks are served in, beside /v1."""

    log_level: str = "info"
    """Least severe log lines written: debug, info (every request), warning or error."""

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in force here. Raises environs.EnvError naming the variable that does not fit."""
        env = Env()
        readers: dict[type, Callable[..., Any]] = {
            int: partial(env.int, validate=validate.Range(min=1)),
            float: partial(env.float, validate=validate.Range(min=0, max=1e6)),
            bool: env.bool,
        }
        return cls(
            **{
                setting.name: readers.get(
                    type(setting.default), partial(env.str, validate=TEXTS.get(setting.name))
                )(PREFIX + setting.name.upper(), setting.default)
                for setting in fields(cls)
            }
        )

    @cached_property
    def wire_limits(self) -> wire.Limits:
        """The bounds on bodies and tensors."""
        return wire.Limits(
            self.json_depth,
            self.json_members,
            self.json_lists,
            self.rank,
            self.elements,
            self.tensors,
            self.tensor_header_bytes,
        )

    @cached_property
    def engine_limits(self) -> Limits:
        """The bounds on networks and their computation."""
        setting = f"{PREFIX}PLANNED_BYTES"
        return Limits(self.nodes, self.rank, self.elements, self.planned_bytes, setting)
