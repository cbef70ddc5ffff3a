"""The protocols of others, one a file: published networks, for clients that exist already.

A face translates and does nothing else. All numbers come from the engine, in the way those of /v1 do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flask import Flask

from deltawire_service.faces import kserve, tesseract, umbridge
from deltawire_service.faces.face import Face

FACES: Mapping[str, Callable[[Flask, Face], None]] = MappingProxyType(
    {"kserve": kserve.register, "tesseract": tesseract.register, "umbridge": umbridge.register}
)
"""What adds each face's routes to the application."""
