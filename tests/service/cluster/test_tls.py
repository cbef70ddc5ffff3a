"""A scheduler, a worker and a client with TLS: certificates come from Dask's own configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest
from support.cluster import STARTS, Cluster
from support.tls import certificate

pytestmark = pytest.mark.cluster


def status(address: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deltawire", "cluster", "status", address]
    return subprocess.run(command, env=os.environ | environ, capture_output=True, text=True)


def test_workers_are_reached_with_a_certificate_and_not_without(tmp_path: Path) -> None:
    environ = certificate(tmp_path)
    cluster = Cluster(tmp_path, "tls", **environ)
    try:
        cluster.start_scheduler()
        cluster.start_worker("0")
        end = monotonic() + STARTS
        while (found := status(cluster.address, environ)).returncode:
            assert monotonic() < end, found.stderr + cluster.logs()
        assert "1 worker of 1 can take tasks" in found.stdout
        refused = status(cluster.address, {})
        assert refused.returncode == 2 and "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in refused.stderr
    finally:
        cluster.stop()


@pytest.mark.parametrize("command", [["worker"], ["cluster", "status"]])
def test_an_address_elsewhere_without_tls_is_refused(command: list[str]) -> None:
    arguments = [sys.executable, "-m", "deltawire", *command, "tcp://10.1.2.3:8786"]
    refused = subprocess.run(arguments, capture_output=True, text=True)
    assert refused.returncode == 2 and "only tls:// is allowed there" in refused.stderr
