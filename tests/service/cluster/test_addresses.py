"""Addresses of Dask that may be used: TLS, or this machine."""

from __future__ import annotations

import pytest

from deltawire_service.cluster.addresses import AddressRefused, check_address


@pytest.mark.parametrize(
    "address",
    [
        "tls://scheduler:8786",
        "tls://10.0.0.1:1",
        "tcp://127.0.0.1:8786",
        "tcp://localhost:8786",
        "tcp://[::1]:8786",
    ],
)
def test_tls_and_this_machine_are_allowed(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    "address, reason",
    [
        ("tcp://scheduler:8786", "only tls:// is allowed"),
        ("tcp://10.0.0.1:8786", "only tls:// is allowed"),
        ("tcp://127.0.0.1.example.org:8786", "only tls:// is allowed"),
        ("ws://127.0.0.1:8786", "expected an address"),
        ("inproc://127.0.0.1/1", "expected an address"),
        ("tls://scheduler", "expected an address"),
        ("tls://scheduler:port", "expected an address"),
        ("scheduler:8786", "expected an address"),
        ("tls://scheduler:8786/path", "expected an address"),
        ("tls://[scheduler:8786", "expected an address"),
    ],
)
def test_others_are_refused_by_name(address: str, reason: str) -> None:
    with pytest.raises(AddressRefused, match=reason):
        check_address(address)
