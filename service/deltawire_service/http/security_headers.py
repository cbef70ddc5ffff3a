"""Headers of answers: against browsers that make more of them, and what they tell of parameters."""

from __future__ import annotations

from deltawire_service.http.request_context import Headers, RequestContext

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Pages bring a policy of their own; whatever else a browser is made to show loads and runs nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def guard(context: RequestContext, headers: Headers) -> None:
    """Give an answer these headers, unless its route has set them."""
    given = {name for name, _ in headers}
    headers += [header for header in HEADERS.items() if header[0] not in given]


def tell_parameters(context: RequestContext, headers: Headers) -> None:
    """Let an answer tell whose parameters it comes from, whatever its form."""
    if context.params_id:
        headers.append(("Deltawire-Params-Id", context.params_id))
