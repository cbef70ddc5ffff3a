"""deltawire worker: what its processes open."""

from __future__ import annotations

from importlib import import_module

import pytest
from support.cluster import running_cluster

pytestmark = pytest.mark.cluster


def test_no_process_listens_to_other_machines() -> None:
    """Dask's workers have a page for everybody, unless they are told where."""
    psutil = import_module("psutil")  # which Dask brings
    with running_cluster(1) as cluster:
        assert cluster.scheduler
        found = set[str]()
        for root in (cluster.scheduler.pid, cluster.workers["0"].pid):
            process = psutil.Process(root)
            for each in (process, *process.children(recursive=True)):
                found |= {c.laddr.ip for c in each.net_connections() if c.status == psutil.CONN_LISTEN}
    assert found == {"127.0.0.1"}
