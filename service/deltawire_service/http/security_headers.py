"""Headers of every answer: what browsers may do with it, and which parameters it comes from."""

from __future__ import annotations

from deltawire_service.http.request_context import Headers, RequestContext


def alone(frame_ancestors: str = "'none'") -> str:
    """Return the part of a page's policy that keeps it alone: with no form, and no other base.

    Args:
        frame_ancestors: the origins whose pages may show it in a frame, with spaces between them.
    """
    return f"object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {frame_ancestors}"


ALONE = alone()
"""The same part for a page that no other one may show in a frame."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # No page of another site can show an answer, or measure it.
    "Cross-Origin-Resource-Policy": "same-origin",
    # Pages have a policy of their own. Anything else that a browser shows loads and runs nothing.
    "Content-Security-Policy": f"default-src 'none'; {ALONE}",
}


def add_security_headers(context: RequestContext, headers: Headers) -> None:
    """Add these headers to an answer, unless its route has set them."""
    present = {name for name, _ in headers}
    headers += [header for header in HEADERS.items() if header[0] not in present]
    if context.requires_key:  # no cache may keep the answer for callers without one
        headers[:] = [header for header in headers if header[0] != "Cache-Control"]
        headers.append(("Cache-Control", "no-store"))


def add_origin(context: RequestContext, headers: Headers) -> None:
    """Name the parameters that an answer comes from: the id of published ones, or the version of a model."""
    if context.params_id:
        headers.append(("Deltawire-Params-Id", context.params_id))
    if context.model_version is not None:
        headers.append(("Deltawire-Model-Version", str(context.model_version)))
