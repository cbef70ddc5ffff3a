"""GET /v1/blobs/{path}: numbers in files of the service, for the workers that have a signed link to them."""

from __future__ import annotations

from flask import Blueprint, Response, request

from deltawire_service.cluster.dispatching.blobs import Blobs
from deltawire_service.cluster.links import ROUTE, Links
from deltawire_service.faults import ServiceError
from deltawire_service.http.request_context import current_request
from deltawire_service.http.streaming import stream_bytes
from deltawire_service.store.errors import FileMissing


class LinkInvalid(ServiceError):
    """The link is not signed by this service, or has expired."""

    code = "link_invalid"
    detail = "only links that the service has made for its workers lead here, for as long as they are valid"


class BlobGone(ServiceError):
    """The computation that the numbers were for has ended."""

    code = "not_found"
    detail = "there is no such file any more"


def blueprint(blobs: Blobs, links: Links) -> Blueprint:
    """Return the route.

    Args:
        blobs: opens the files.
        links: reads the links.
    """
    routes = Blueprint("blobs", __name__)

    @routes.get(f"{ROUTE}<path:path>")
    def show(path: str) -> Response:
        stretch = links.read(path, request.args)
        if stretch is None:
            raise LinkInvalid
        try:
            numbers = blobs.open(*stretch)
        except FileMissing:
            raise BlobGone from None
        return stream_bytes(current_request(), numbers)

    return routes
