"""The errors of other machines, as a request gets them."""

from __future__ import annotations

from deltawire_service.faults import ServiceError

AGAIN = (("Retry-After", "1"),)
"""The headers of an answer to a request that may be sent again."""


class WorkerLost(ServiceError):
    """A segment ended the process of every worker that had it: it may take too much memory there."""

    code = "worker_lost"
    headers = AGAIN
    detail = "the workers that computed a part of the request were lost, one after the other"


class ClusterUnavailable(ServiceError):
    """Workers were lost or silent, and the deadline left no time to compute without them."""

    code = "cluster_unavailable"
    headers = AGAIN
    detail = "workers were lost or silent, and no time was left to compute the request without them"
