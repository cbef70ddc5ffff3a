"""The protocols of others, a folder each: networks by name for clients that exist already.

A protocol translates, and nothing else. All numbers come from the engine, as those of /v1 do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flask import Flask

from deltawire_service.protocols.context import ProtocolContext
from deltawire_service.protocols.kserve import routes as kserve
from deltawire_service.protocols.tesseract import routes as tesseract
from deltawire_service.protocols.umbridge import routes as umbridge

PROTOCOLS: Mapping[str, Callable[[Flask, ProtocolContext], None]] = MappingProxyType(
    {"kserve": kserve.register, "tesseract": tesseract.register, "umbridge": umbridge.register}
)
"""Functions that add the routes of a protocol to the application, by the protocol's name."""
