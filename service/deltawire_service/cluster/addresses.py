"""Addresses of Dask: off this machine, only with TLS, for Dask pickles what it sends."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

FORM = "expected an address such as tls://scheduler:8786, or tcp://127.0.0.1:8786 on this machine"

NO_TLS = (
    "{address} is on another machine: only tls:// is allowed there. Whoever reaches a scheduler or a worker "
    "without TLS can run any code on it"
)


class AddressRefused(ValueError):
    """The address is not well formed, or has no TLS where it must."""


def check_address(address: str) -> None:
    """Check the address of a scheduler or a worker. Raises AddressRefused where it may not be used."""
    try:
        parts = urlsplit(address)
        well_formed = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port and not parts.path
    except ValueError:
        well_formed = False
    if not well_formed:
        raise AddressRefused(FORM)
    if parts.scheme == "tcp" and not is_loopback(parts.hostname or ""):
        raise AddressRefused(NO_TLS.format(address=address))


def is_loopback(host: str) -> bool:
    """Return whether a host, by name or number, is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
