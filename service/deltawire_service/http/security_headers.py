"""Headers of every answer: what browsers may do with it, and which parameters it comes from."""

from __future__ import annotations

from deltawire_service.http.request_context import Headers, RequestContext

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Pages have a policy of their own. Anything else that a browser shows loads and runs nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def add_security_headers(context: RequestContext, headers: Headers) -> None:
    """Add these headers to an answer, unless its route has set them."""
    present = {name for name, _ in headers}
    headers += [header for header in HEADERS.items() if header[0] not in present]


def add_params_id(context: RequestContext, headers: Headers) -> None:
    """Add the id of the published parameters that an answer comes from."""
    if context.params_id:
        headers.append(("Deltawire-Params-Id", context.params_id))
