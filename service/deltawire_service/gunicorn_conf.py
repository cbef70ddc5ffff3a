"""How gunicorn runs the service.

    gunicorn -c python:deltawire_service.gunicorn_conf "deltawire_service.app:create_app()"

The command line overrides what is set here (`--bind`, `--workers`).
"""

from __future__ import annotations

import gc
import math
import mmap
import os
import signal
from functools import partial
from threading import Timer
from typing import Any

from deltawire_service.observability.logs import server_logging
from deltawire_service.observability.multiprocess_metrics import make_folder, tidy
from deltawire_service.server.malloc import IdleTrim, keep_memory
from deltawire_service.server.public_binding import NOT_PUBLIC, is_public, may_be_public

# A service that computes for whoever reaches it is opened to other machines by its owner, not by default.
bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"


def setting(name: str, default: float) -> float:
    """A setting that is needed before the application is loaded, which says what is wrong with it."""
    try:
        return float(os.environ.get(f"DELTAWIRE_{name}", default))
    except ValueError:
        return default


# As many processes as cores, with one compute thread each: more threads than cores only take turns. One
# process with as many threads as cores answers a single large request sooner: the setting says which.
cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
each = setting("COMPUTE_THREADS", 1) * setting("COMPUTATIONS", 1)
workers = int(os.environ.get("WEB_CONCURRENCY", max(1, cores // max(1, int(each)))))
# BLAS starts with one thread, and the engine gives it more where it has more. gunicorn sets these variables
# before it loads the application, and so before numpy reads them.
raw_env = [
    f"{variable}={os.environ.get(variable, '1')}"
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
]

# Threads, so that a worker that computes still reads bodies and answers health checks. They do not compute
# (slots.py does), but wait: for bodies, for their turn, for the result.
worker_class = "deltawire_service.server.gunicorn_worker.Worker"
threads = 16

# No caller says where the application is mounted: gunicorn believes those on this machine by default.
forwarder_headers = ""

# Twice what is usual: a key that is far too long is a wrong key, and told so.
limit_request_field_size = 2**14

# A worker shows once a second that it lives. One that does not is held by a layer that never lets other
# threads of Python run: it is ended, and another takes its place, within two seconds after this time.
timeout = 3  # seconds

# What was accepted is answered, for as long as a request may take.
graceful_timeout = math.ceil(setting("DEADLINE_SECONDS", 30)) + 2

# Loaded once, before the workers are made: a plugin that fails stops the start with one message, and memory
# is shared.
preload_app = True

# A training loop comes back for the next step: closing before the client does would cost it a request.
keepalive = 75  # seconds

# gunicorn 25 and later would open a control socket in the home directory. Nobody uses it.
control_socket_disable = True

# Workers show that they live by touching a file: in memory, so that the root may be read-only and no disk is
# waited for.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

# There, too, they count what /metrics tells: in files of their own, which any of them adds up.
metrics_folder = make_folder(worker_tmp_dir)

# The service writes its own line for every request; gunicorn's lines about itself become JSON like them.
accesslog = None
logconfig_dict = server_logging(os.environ.get("DELTAWIRE_LOG_LEVEL", ""))


def when_ready(server: Any) -> None:
    """Refuse to compute for other machines without knowing for whom; else say where the service is: on
    standard output, where no log goes.
    """
    public = [sock.getsockname()[0] for sock in server.LISTENERS if is_public(sock.getsockname())]
    if public and not may_be_public():
        raise RuntimeError(NOT_PUBLIC.format(host=public[0]))  # gunicorn prints it, and exits with 1
    where = server.LISTENERS[0].getsockname()
    address = f"http://{where[0]}:{where[1]}" if isinstance(where, tuple) else f"unix:{where}"
    print(f"deltawire serves at {address}   (the explorer; the API: {address}/docs)", flush=True)
    announce_draining()


def service_of(process: Any) -> Any:
    """What the application has for whoever runs it; None where it is another one, or not loaded yet."""
    return getattr(process.app.callable, "extensions", {}).get("deltawire")


def on_reload(server: Any) -> None:
    """On SIGHUP: read the published networks anew, before workers that have them replace the old ones."""
    try:
        if service := service_of(server):
            service.published.reload()
    except Exception:  # whatever it is: an exception here would end the service
        server.log.exception("the published networks are not read anew")


draining = mmap.mmap(-1, 1)
"""One byte that all processes share: not 0 once the service is told to stop."""


def announce_draining() -> None:
    """On SIGTERM, let `/readyz` say so first, for as long as DELTAWIRE_DRAIN_SECONDS has it."""
    stop: Any = signal.getsignal(signal.SIGTERM)
    seconds = setting("DRAIN_SECONDS", 0)

    def drain(number: int, frame: Any) -> None:
        draining[0] = 1
        if seconds > 0:
            Timer(seconds, stop, (number, frame)).start()
        else:
            stop(number, frame)

    signal.signal(signal.SIGTERM, drain)


def post_fork(server: Any, worker: Any) -> None:
    """What every worker does differently from Python by default."""
    # The collector runs less often: it takes most of the time of parsing a large body.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    # The memory of one computation is that of the next; it goes back to the system when no request comes.
    keep_memory()
    worker.idle_trim = IdleTrim()


def post_worker_init(worker: Any) -> None:
    """What the application is told of the worker it runs in."""
    if service := service_of(worker):
        service.metrics.share(metrics_folder)
        service.readiness.stopping = lambda: draining[0] != 0 or not worker.alive
        service.compute_queue.hung = partial(replace_worker, worker)


def worker_exit(server: Any, worker: Any) -> None:
    """What a worker has counted stays when it ends."""
    if service := service_of(worker):
        service.metrics.leave()


def replace_worker(worker: Any) -> None:
    """One more worker at once, and this one, in which a layer hangs, ends when its other requests have."""
    if worker.alive:
        worker.log.error("a layer hangs in worker %s: it is replaced", worker.pid)
        os.kill(worker.ppid, signal.SIGTTIN)
        os.kill(worker.pid, signal.SIGTERM)


def child_exit(server: Any, worker: Any) -> None:
    """A worker has ended: there are as many to be as before it was to be replaced."""
    server.num_workers = server.cfg.workers
    try:
        tidy(metrics_folder, server.WORKERS)
    except Exception:  # a folder that is full, or gone: an exception here would end the service
        server.log.exception("what ended workers have counted is not added up")


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    """What was computed with may be given back, if no other request comes."""
    worker.idle_trim.ended()
