"""Certificates for Dask, made by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path


def certificate(folder: Path) -> dict[str, str]:
    """Make a certificate of its own authority, and return the variables that name it to all of Dask."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    before = "DASK_DISTRIBUTED__COMM__TLS__"
    roles = {f"{before}{role}__CERT": str(cert) for role in ("SCHEDULER", "WORKER", "CLIENT")}
    roles |= {f"{before}{role}__KEY": str(key) for role in ("SCHEDULER", "WORKER", "CLIENT")}
    return {f"{before}CA_FILE": str(cert), **roles}
