"""Make, find and list models: methods of `Client`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numpy.typing import DTypeLike

from deltawire import wire
from deltawire.arrays import dtype_name
from deltawire.connection import chosen_key
from deltawire.errors import DeltawireError, wrong_argument
from deltawire.models.model import Model
from deltawire.models.network import ModelNetwork, model_path
from deltawire.models.rules import Rule, rule_document
from deltawire.request_builder import Arrays, Caller, Spec


def create_model(
    client: Caller,
    network: Spec,
    *,
    name: str,
    optimizer: Rule,
    params: Arrays | None = None,
    constants: Arrays | None = None,
    seed: int | None = None,
    dtype: DTypeLike | None = None,
    key: str | None = None,
) -> Model:
    """Have the service keep a network, parameters and an optimizer, to be trained step by step.

    Args:
        client: The client that asks.
        network: A network, a spec, a published network, or a version of another model.
        name: The name of the model: letters, digits, _ and -, at most 64.
        optimizer: One of `deltawire.optim` that has taken no step, or its JSON.
        params: First parameters by name. By default those of a published network or a model; else they are
            drawn from the seed.
        constants: Constant inputs by name, which the model keeps. By default those of a published network or
            a model.
        seed: Draws the parameters, 0 to 2^64 − 1; by default 0.
        dtype: "float64" or "float32"; by default that of the parameters, else float64.
        key: The Idempotency-Key; by default a new one.

    Returns:
        The model, at version 0.

    Raises:
        Refused: An argument does not fit, there is a model of this name, or the one that an earlier call with
            this key made is deleted.
        Unreachable, ServiceFailed: As for any change. Where the model was made and only reading it failed,
            the fault says so.
    """
    key = chosen_key(key)
    options: dict[str, Any] = {"name": name, "optimizer": rule_document(optimizer)}
    if seed is not None:
        options["seed"] = seed
    resolved = client.requests.resolve(network)
    sends = wire.JSON
    own = {"network": resolved.reference if isinstance(resolved, ModelNetwork) else resolved}
    if params or constants:
        sends, spec = (
            client.connection.media_type,
            dict(resolved) if isinstance(resolved, ModelNetwork) else resolved,
        )
        places = {"params": params or {}, "data": constants or {}}
        document = client.requests.with_arrays(spec, places, options, dtype).document
        document |= {} if params else own
    else:
        document = own
        document |= options | ({} if dtype is None else {"dtype": dtype_name(dtype)})
    client.connection.change("POST", "/v1/models", document, dict, key=key, sends=sends)
    with after_making(name, key):
        return find_model(client, name)


@contextmanager
def after_making(name: str, key: str) -> Iterator[None]:
    """Have errors of what reads a new model say that it was made, and with which key.

    Args:
        name: The name of the model.
        key: The Idempotency-Key of the call that made it.
    """
    try:
        yield
    except DeltawireError as error:
        mend = f"model {name!r} was made; the same call with key={key!r} returns it"
        if error.code == "model_not_found":
            mend = f"the call with key={key!r} made it, and it was deleted since"
        raise error.of_change(key, dict.fromkeys((f.code for f in error.faults), mend)) from error.__cause__


def find_model(client: Caller, name: str) -> Model:
    """Return a model by its name.

    Raises:
        Refused: The service has no model of that name for this caller.
    """
    if not isinstance(name, str) or not name:
        raise wrong_argument("/name", "the name of a model", name)
    description = client.connection.get(model_path(name), dict)
    return Model(client, name, description["dtype"], description["network"])


def list_models(client: Caller) -> list[dict[str, Any]]:
    """Return the descriptions of the caller's models, by name: `name`, `version`, `step`, `optimizer`, …"""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = client.connection.get(f"/v1/models?after={after}" if after else "/v1/models", dict)
        found += page["models"]
        after = page["next"]
    return found
