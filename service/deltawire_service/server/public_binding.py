"""Whether other machines can reach the service, and what must then be said first."""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import Any

TRUE = ("1", "true", "yes", "on")

NOT_PUBLIC = (
    "deltawire does not listen on {host} without API keys: whoever reaches it could compute here. "
    "Set DELTAWIRE_API_KEYS_FILE, or DELTAWIRE_INSECURE_PUBLIC=1 when something before it asks for keys"
)


def may_be_public() -> bool:
    """Whether the environment has keys, or says that it needs none. What is in it is checked elsewhere."""
    keys = os.environ.get("DELTAWIRE_API_KEYS_FILE") or os.environ.get("DELTAWIRE_API_KEYS")
    return bool(keys) or os.environ.get("DELTAWIRE_INSECURE_PUBLIC", "").lower() in TRUE


def is_public(address: Any) -> bool:
    """Whether the address of a socket can be reached from other machines; a Unix socket's, a path, cannot."""
    return isinstance(address, tuple) and not ip_address(address[0]).is_loopback
