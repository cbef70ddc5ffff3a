"""The header `Host`: well-formed always, and without keys one that no foreign page can have chosen.

Without keys, the service answers whoever reaches it. An attacker's page can reach it through its visitor's
browser: the name in the page's address is made to mean this machine (DNS rebinding). The browser then sends
that name as the Host. An IP address is not looked up, so it cannot be rebound.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from flask import Flask

from deltawire_plugins.shown import shown
from deltawire_service.faults import ServiceError
from deltawire_service.http.header_cache import header_cache
from deltawire_service.http.request_context import RequestContext, with_context

OPEN = frozenset({"/livez", "/readyz", "/metrics"})
"""Routes for any Host: probes and scrapes may send any name, and no network can be read there."""

HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{0,5})?\Z")


class HostInvalid(ServiceError):
    """The request has no Host, or none that is well-formed."""

    code = "bad_request"
    detail = "the request needs one well-formed header Host"


class HostNotAllowed(ServiceError):
    """The request is for a name that the service does not have."""

    code = "host_not_allowed"

    def __init__(self, name: str):
        where = "it answers to IP addresses, localhost and DELTAWIRE_ALLOWED_HOSTS"
        super().__init__(f"without API keys the service has no name {shown(name)}: {where}")


class HostNames:
    """The names that the service has.

    allowed: names in small letters, beside localhost and IP addresses; None when a key is needed, and so any
    name will do.
    """

    def __init__(self, allowed: frozenset[str] | None):
        self._allowed = allowed
        self._foreign_name = header_cache(self._find_foreign_name)

    def are_any(self, path: str) -> bool:
        """Return whether a route answers under any name."""
        return self._allowed is None or path in OPEN

    def check(self, path: str, host: str) -> None:
        """Raise HostInvalid or HostNotAllowed for a Host that is wrong for the path."""
        name = self._foreign_name(host)
        if name is not None and not self.are_any(path):
            raise HostNotAllowed(name)

    def _find_foreign_name(self, host: str) -> str | None:
        """Return the name in a Host when the service does not have it. Raises HostInvalid."""
        name = name_of(host)
        known = is_address(name) or name == "localhost" or name in (self._allowed or ())
        return None if known else name


def check_hosts(app: Flask, names: HostNames) -> None:
    """Refuse requests to an application whose Host is none of these names."""

    def check_host(context: RequestContext) -> None:
        environ = context.environ
        path, host = environ.get("PATH_INFO", ""), environ.get("HTTP_HOST")
        if host is None and environ.get("SERVER_PROTOCOL") == "HTTP/1.0" and names.are_any(path):
            return  # HTTP/1.0 knows no Host
        names.check(path, host or "")

    app.before_request(with_context(check_host))


def name_of(host: str) -> str:
    """Return the name or address in a Host, in small letters and without a port. Raises HostInvalid."""
    match = HOST.match(host)
    if not match:
        raise HostInvalid
    bracketed, name = match[1].startswith("["), match[1].strip("[]").lower().removesuffix(".")
    if not name or (bracketed and not is_address(name)):
        raise HostInvalid
    return name


def is_address(name: str) -> bool:
    """Return whether a name is an IP address, as written by a browser."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
