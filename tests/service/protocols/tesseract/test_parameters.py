"""Parameters in the dtype of a request: those that never change are cast once, those of a model each time."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from support.engine import compiled
from support.posting import good

from deltawire_service.engine import Caches
from deltawire_service.networks.interfaces import Interface
from deltawire_service.protocols.served import Opened
from deltawire_service.protocols.tesseract.parameters import cast, cast_parameters

NETWORK = compiled(good()["network"])
INTERFACE = Interface("good", NETWORK, "float64", ("scores",), MappingProxyType({}))
PARAMS = NETWORK.init(1)


def test_integers_keep_their_dtype() -> None:
    found = cast({"x": np.ones(2), "y": np.ones(2, "i8")}, "float32")
    assert {name: array.dtype.name for name, array in found.items()} == {"x": "float32", "y": "int64"}


def test_published_parameters_are_cast_once() -> None:
    caches, opened = Caches(), Opened(INTERFACE, 1, PARAMS, "an id")
    first, again = (cast_parameters(opened, "float32", caches) for _ in range(2))
    assert first is again and caches.bytes
    other = cast_parameters(opened._replace(params_id="another"), "float32", caches)
    assert other is not first
    for name, array in first.items():
        np.testing.assert_array_equal(array, PARAMS[name].astype("f4"))


def test_parameters_in_their_own_dtype_are_not_copied() -> None:
    caches = Caches()
    found = cast_parameters(Opened(INTERFACE, 1, PARAMS, "an id"), "float64", caches)
    assert all(np.shares_memory(array, PARAMS[name]) for name, array in found.items()) and not caches.bytes


def test_those_of_a_model_are_cast_each_time() -> None:
    caches = Caches()
    for version, params in enumerate((PARAMS, NETWORK.init(2))):
        found = cast_parameters(Opened(INTERFACE, version, params, None), "float32", caches)
        for name, array in found.items():
            np.testing.assert_array_equal(array, params[name].astype("f4"))
    assert not caches.bytes


def test_parameters_too_large_to_keep_are_cast_all_the_same() -> None:
    found = cast_parameters(Opened(INTERFACE, 1, PARAMS, "an id"), "float32", Caches(10))
    assert {array.dtype.name for array in found.values()} == {"float32"}
