"""The cache of compiled networks: a training loop posts the same network at every step."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from math import inf
from typing import Any

import orjson

from deltawire.errors import Refused
from deltawire_layers import Registry
from deltawire_service.engine import (
    FLAT_AFTER,
    Caches,
    KeptPasses,
    Limits,
    Network,
    OnComputeSeconds,
    Runner,
    Threads,
    compile_network,
    fingerprint,
    ignore_seconds,
    run_now,
)

OWN = "deltawire "
"""The beginning of the name and version of the distribution with the built-in layers."""


class NetworkCache:
    """Compiles networks, and keeps them among the caches of its process. Shared between threads.

    Args:
        layers: the layers that a network may have.
        limits: bounds on networks.
        caches: keeps the networks, and what is derived from them; by default, caches of its own.
        compute_threads: threads that all networks together compute with.
        run: calls layers.
        run_own: calls the built-in layers, which are known to end.
        on_compute_seconds: gets the seconds that computations take, by kind of layer.
        flat_programs: whether programs that repeat are compiled to straight-line code.
        kept_passes: keeps forward passes; None to keep none.
    """

    def __init__(
        self,
        layers: Registry,
        limits: Limits,
        caches: Caches | None = None,
        compute_threads: int = 1,
        run: Runner = run_now,
        run_own: Runner | None = None,
        on_compute_seconds: OnComputeSeconds = ignore_seconds,
        flat_programs: bool = True,
        kept_passes: KeptPasses | None = None,
    ):
        self._layers = layers
        self._limits = limits
        self._caches = caches or Caches()
        self._threads = Threads(compute_threads)
        self._run = run
        self._run_own = run_own or run
        self._on_compute_seconds = on_compute_seconds
        self._flat_after = FLAT_AFTER if flat_programs else inf
        self._kept_passes = kept_passes

    def compiled(self, spec: Any) -> Network:
        """Return the network of a posted spec, JSON values as parsed, or the network itself.

        Raises:
            Refused: the spec is wrong; pointers are below /network, where every request has its spec.
        """
        if isinstance(spec, Network):
            return spec
        # Two spellings of one network lead to its id, and so share one object and its plans.
        spelling = hashlib.sha256(orjson.dumps(spec)).digest()
        identity = self._caches.find(spelling)
        known: Network | None = self._caches.find(identity) if identity else None
        if known:
            return known
        # Compiling one network twice at once is harmless; waiting for another would not be.
        network = self._run(lambda: self.compile(spec))
        outside = [network.threads, network.runner, network.on_compute_seconds, network.limits]
        kept = self._caches.keep(network.id, network, [*outside, self._caches, self._kept_passes])
        if kept is None:  # so nothing may be kept that refers to it
            return replace(network, caches=Caches())
        self._caches.keep(spelling, network.id)
        return kept

    def fingerprint(self) -> str:
        """Return the fingerprint of this process, with BLAS as it is while networks compute."""
        self._threads.limit_blas()
        return fingerprint(self._layers)

    def compile(self, spec: Any) -> Network:
        """Compile a spec, and do not keep it. Raises as `compiled` does."""
        try:
            network = compile_network(spec, self._layers, self._limits, self._threads)
        except Refused as refused:
            raise refused.under("/network") from None
        own = all(self._layers.distribution(node.kind).startswith(OWN) for node in network.nodes.values())
        runner = self._run_own if own else self._run
        return replace(
            network,
            runner=runner,
            on_compute_seconds=self._on_compute_seconds,
            caches=self._caches,
            flat_after=self._flat_after,
            kept_passes=self._kept_passes,
        )
