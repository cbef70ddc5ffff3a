"""Listening to other machines: allowed with API keys, or when the owner of the service says so."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from deltawire_service.settings import Settings

NOT_PUBLIC = (
    "deltawire does not listen on {host} without API keys: whoever reaches it could compute here. "
    "Set DELTAWIRE_API_KEYS_FILE, or DELTAWIRE_INSECURE_PUBLIC=1 when something before it asks for keys"
)


def may_be_public(settings: Settings) -> bool:
    """Return whether the service may listen to other machines; the keys themselves are checked elsewhere."""
    return bool(settings.api_keys_file or settings.api_keys) or settings.insecure_public


def is_public(address: Any) -> bool:
    """Return whether other machines can reach the address of a socket.

    A Unix socket's address is a path, which they cannot.
    """
    return isinstance(address, tuple) and not ip_address(address[0]).is_loopback
