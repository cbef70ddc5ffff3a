"""The way of a request through a route that takes a network: body, document, network, tensors, and back.

A view gets the typed options of its route, the compiled network, and the tensors with their dtypes. It
returns a document. The schemas that read a request are those that OpenAPI shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import wraps
from typing import Any, TypeVar

from flask import Response
from marshmallow import Schema

from deltawire.errors import Refused
from deltawire_service.api.datasets.rows import RowsReader
from deltawire_service.api.operation import Operation, View, describe
from deltawire_service.datasets.fault_places import naming_rows
from deltawire_service.engine import Caches, Network, check_deadline
from deltawire_service.http import bodies
from deltawire_service.http.problem_codes import (
    ANYWHERE,
    COMPUTATION,
    DOCUMENT,
    HTTP,
    NETWORK,
    ROWS,
    SERVICE,
    TENSORS,
)
from deltawire_service.http.request_context import RequestContext, current_request
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.request_tensors import RequestTensors, read_request_tensors
from deltawire_service.networks.sources import Resolved, Source
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.dataset_requests import names_dataset
from deltawire_service.schemas.request_reader import RequestParts, RequestReader
from deltawire_service.schemas.requests import ComputeRequest, NetworkRequest, TensorsRequest
from deltawire_service.settings import Settings

BODY = (*HTTP.keys() - {"layer_not_found", "network_not_found", "optimizer_not_found", *ANYWHERE}, *DOCUMENT)
"""Codes that a route may answer with when it reads a body."""

COMPILING = (
    *(*BODY, *NETWORK, *SERVICE, "shape_invalid", "shape_too_large", "shape_mismatch", "dtype_mismatch"),
    *("dtype_unsupported", "unknown_name", "memory_plan_exceeded", "too_many_tensors"),
)
"""Codes that a route may answer with when it compiles a network."""

COMPUTING = (*COMPILING, *TENSORS, *COMPUTATION, *ROWS)
"""Codes that a route may answer with when it computes."""

MENDS = {"non_finite": '"non_finite": "return" in the request returns it'}
"""Fields of a request that help with an error, by its code. Each has the name of the code."""

N = TypeVar("N", bound=NetworkRequest)
C = TypeVar("C", bound=ComputeRequest)
Document = dict[str, Any]
Run = Callable[[RequestContext, N, Network, RequestParts, Resolved, ExitStack], Document]


def begin_phase(context: RequestContext, name: str) -> Phase:
    """Return a phase of a request to begin now. Raises DeadlineExceeded when its deadline has passed."""
    check_deadline()
    return Phase(context, name)


class Pipeline:
    """Makes the views of the routes that take a network, all with the same settings and networks.

    Args:
        settings: the settings of the service.
        networks: compiles the networks of requests.
        source: completes the documents with what they name.
        caches: keeps the options of requests.
        rows: reads rows of datasets in place of data.
    """

    def __init__(
        self,
        settings: Settings,
        networks: NetworkCache,
        source: Source,
        caches: Caches,
        rows: RowsReader,
    ):
        self._rows = rows
        self._settings = settings
        self._networks = networks
        self._source = source
        self._caches = caches

    def compiling(
        self, request: type[N], response: type[Schema], codes: Iterable[str] = COMPILING
    ) -> Callable[[Callable[[N, Network], Document]], View]:
        """Turn a function of the options and the network into a view.

        Args:
            request: the options of the route.
            response: the schema of its answer.
            codes: the problems that the route may answer with.
        """

        def decorate(view: Callable[[N, Network], Document]) -> View:
            def run(context: RequestContext, options: N, network: Network, *_: object) -> Document:
                with begin_phase(context, "compute"):
                    return view(options, network)

            return self._view(request, response, codes, wraps(view)(run))

        return decorate

    def computing(
        self,
        request: type[C],
        response: type[Schema],
        codes: Iterable[str] = COMPUTING,
        keeps_passes: bool = False,
    ) -> Callable[[Callable[[C, Network, RequestTensors], Document]], View]:
        """Turn a function of the options, the network and the tensors into a view.

        Args:
            request: the options of the route.
            response: the schema of its answer.
            codes: the problems that the route may answer with.
            keeps_passes: whether requests often come in pairs, so that a forward pass may serve two.
        """

        def decorate(view: Callable[[C, Network, RequestTensors], Document]) -> View:
            def run(
                context: RequestContext,
                options: C,
                network: Network,
                parts: RequestParts,
                resolved: Resolved,
                held: ExitStack,
            ) -> Document:
                with begin_phase(context, "check"):
                    of_dataset = names_dataset(parts.data)
                    if of_dataset:
                        gathered = self._rows.read(context, network, parts.data, options.dtype)
                        held.enter_context(naming_rows(gathered.reference, gathered.arrays, "/data"))
                        parts = parts.with_data({**resolved.pinned, **gathered.arrays})
                    cost = bodies.body_cost(
                        options.dtype,
                        context.media_type,
                        context.response_media_type,
                        options.tensors,
                        not resolved.stored,
                        not of_dataset,
                    )
                    # Parameters of a model are written to, and columns of a dataset are files.
                    sent = not resolved.stored or "params_id" in resolved.origin
                    context.numbers_stay = keeps_passes and sent and not of_dataset
                    own = resolved.stored  # then most tensors are those of the service
                    limits = self._settings.model_wire_limits if own else self._settings.wire_limits
                    tensors = read_request_tensors(network, parts, options.dtype, limits, cost)
                with begin_phase(context, "compute"):
                    return view(options, network.with_noise(parts.noise_seed), tensors)

            return self._view(request, response, codes, wraps(view)(run))

        return decorate

    def _view(self, request: type[N], response: type[Schema], codes: Iterable[str], run: Run[N]) -> View:
        reader = RequestReader(request, self._caches)
        mends = {code: mend for code, mend in MENDS.items() if code in reader.schema.fields}

        @wraps(run)
        def respond(**path: str) -> Response:
            context = current_request()
            with Phase(context, "read"):
                document = bodies.read(context, self._settings)
            with ExitStack() as held:
                with begin_phase(context, "check"):
                    resolved = self._source.open(document, reader.schema.fields, held, **path)
                    options, parts = reader(resolved.document)
                    network = self._networks.compiled(parts.network)
                context.params_id = resolved.origin.get("params_id")
                context.model_version = resolved.origin.get("model", {}).get("version")
                try:
                    answer = run(context, options, network, parts, resolved, held)
                except Refused as refused:
                    raise refused.with_mends(mends) from None
                answer |= {"network_id": network.id, **resolved.origin}
                tensors = options.tensors if isinstance(options, TensorsRequest) else "lists"
                with begin_phase(context, "write"):
                    response = bodies.respond(context, answer, tensors)
                response.call_on_close(held.pop_all().close)  # the answer may have views of what is held
                return response

        described = Operation(
            self._source.response_schema(response),
            self._source.request_schema(type(reader.schema)),
            frozenset({"internal", *codes, *self._source.codes}),
            tensors=True,
        )
        return describe(respond, described)
