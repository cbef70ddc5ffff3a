"""Runs: an epoch beside torch's own loop, and requests beside a run."""
