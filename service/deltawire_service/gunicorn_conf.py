"""The configuration that gunicorn runs the service with.

    gunicorn -c python:deltawire_service.gunicorn_conf "deltawire_service.app:create_app()"

The command line overrides what is set here (`--bind`, `--workers`).
"""

from __future__ import annotations

import gc
import math
import mmap
import os
import signal
import sys
from functools import partial
from itertools import count
from threading import Timer
from time import monotonic
from typing import Any

from environs import EnvError
from marshmallow import validate

from deltawire_plugins.blas import ONE_THREAD
from deltawire_service.admission.memory_shares import TRAINER, MemoryShares
from deltawire_service.environment import POSITIVE, read_variable
from deltawire_service.observability.logs import server_logging
from deltawire_service.observability.multiprocess_metrics import tidy
from deltawire_service.server.fork_signals import deliver_after_fork, hold_until_forked
from deltawire_service.server.malloc import IdleTrim, keep_memory
from deltawire_service.server.public_binding import NOT_PUBLIC, is_public, may_be_public
from deltawire_service.server.shared_folder import make_folder
from deltawire_service.server.stopping import end_after_grace
from deltawire_service.server.trainer_process import TrainerProcess, keep_trainer, trainer_command
from deltawire_service.server.worker_starts import retry_starts, wait_before_next
from deltawire_service.settings import Settings

cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

try:
    settings = Settings.from_environment()
    port = read_variable("PORT", 8000, validate.Range(min=1, max=65535))
    # One compute thread for each core: more threads than cores only take turns. One process with as many
    # threads as cores answers a single large request sooner; the settings choose.
    compute_threads = settings.compute_threads * settings.computations
    workers = read_variable("WEB_CONCURRENCY", max(1, cores // compute_threads), POSITIVE)
except EnvError as error:
    sys.exit(f"deltawire cannot start: {error}")

# The service computes for whoever reaches it: its owner opens it to other machines, not its defaults.
bind = f"127.0.0.1:{port}"

# BLAS starts with one thread; the engine gives it more where the settings say so. gunicorn sets these
# variables before it loads the application, and so before numpy reads them.
raw_env = [f"{variable}={os.environ.get(variable, one)}" for variable, one in ONE_THREAD.items()]

# One thread of a worker has all of its connections, these answer requests, one more answers health checks.
# They do not compute: compute_queue.py does. They wait for their turn, and for the result.
worker_class = "deltawire_service.server.gunicorn_worker.Worker"
threads = 16

# gunicorn would believe a proxy on this machine that says where the application is mounted: none needs to.
forwarder_headers = ""

# Twice what is usual: a key that is far too long is answered as a wrong key.
limit_request_field_size = 2**14

# A worker shows once a second that it lives. A layer that holds Python's global lock stops that: its worker
# is then replaced, within two seconds after this time.
timeout = 3  # seconds

# Requests that were accepted are answered, for as long as a request may take.
graceful_timeout = math.ceil(settings.deadline_seconds) + 2

# Loading the application before the workers are forked shares its memory, and a plugin that fails stops the
# start with one message.
preload_app = True

# The trainer ends after its next commit; a layer that hangs is not waited for any longer.
TRAINER_GRACE = 2.0

# A training loop comes back for the next step: closing before the client does would cost it a request.
keepalive = 75  # seconds

# gunicorn 25 and later would open a control socket in the home directory. Nothing here uses it.
control_socket_disable = True

# Workers show that they live by touching a file. In memory it needs no disk, and no root that can be written.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

# The service writes a line of its own for every request; gunicorn's lines about itself become JSON like them.
accesslog = None
logconfig_dict = server_logging(settings.log_level)


def on_starting(server: Any) -> None:
    """Make what the processes share: before they are forked, and only in a server that starts."""
    server.metrics_folder = make_folder()
    server.memory_shares = MemoryShares()
    server.draining = mmap.mmap(-1, 1)  # one byte, not 0 once the service is told to stop
    server.stop_by = None  # when it has to be over, once the service is told to stop by SIGTERM
    server.trainer = None
    deliver_after_fork()
    retry_starts(server)


def when_ready(server: Any) -> None:
    """Refuse to listen to other machines without keys; else print the address of the service.

    It is printed on standard output, where no log goes.
    """
    public = [sock.getsockname()[0] for sock in server.LISTENERS if is_public(sock.getsockname())]
    if public and not may_be_public(settings):
        raise RuntimeError(NOT_PUBLIC.format(host=public[0]))  # gunicorn prints it, and exits with 1
    where = server.LISTENERS[0].getsockname()
    address = f"http://{where[0]}:{where[1]}" if isinstance(where, tuple) else f"unix:{where}"
    print(f"deltawire serves at {address}   (the explorer; the API: {address}/docs)", flush=True)
    announce_draining(server)
    if settings.data_dir and settings.trainer:
        shares: MemoryShares = server.memory_shares
        command = trainer_command(server.metrics_folder, shares.descriptor)
        server.trainer = TrainerProcess(command, [shares.descriptor], partial(shares.clear, TRAINER))
        keep_trainer(server, server.trainer)


def service_of(process: Any) -> Any:
    """Return what the application has for its server; None when it is another one, or not loaded yet."""
    return getattr(process.app.callable, "extensions", {}).get("deltawire")


def on_reload(server: Any) -> None:
    """On SIGHUP, read the published networks anew, before new workers take the place of the old."""
    try:
        if service := service_of(server):
            service.published.reload()
    except Exception:  # any exception here would end the service
        server.log.exception("the published networks are not read anew")


def announce_draining(server: Any) -> None:
    """On SIGTERM, let `/readyz` say so for DELTAWIRE_DRAIN_SECONDS before the service stops."""
    stop: Any = signal.getsignal(signal.SIGTERM)

    def drain(number: int, frame: Any) -> None:
        server.draining[0] = 1
        server.stop_by = monotonic() + settings.drain_seconds + graceful_timeout
        if server.trainer:
            server.trainer.begin_stop()
        if settings.drain_seconds > 0:
            Timer(settings.drain_seconds, stop, (number, frame)).start()
        else:
            stop(number, frame)

    signal.signal(signal.SIGTERM, drain)


def pre_fork(server: Any, worker: Any) -> None:
    """Hold signals back until the worker can handle them, and number it among those that live."""
    hold_until_forked()
    taken = {TRAINER, *(each.memory_number for each in server.WORKERS.values())}
    worker.memory_number = next(number for number in count() if number not in taken)
    worker.memory_share = server.memory_shares.share(worker.memory_number)


def post_fork(server: Any, worker: Any) -> None:
    """Set up a worker process."""
    # The collector runs less often: it takes most of the time of parsing a large body.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    # The memory of one computation serves the next. It is returned to the system when no request comes.
    keep_memory()
    worker.idle_trim = IdleTrim()
    worker.metrics_folder = server.metrics_folder
    worker.draining = server.draining


def post_worker_init(worker: Any) -> None:
    """Connect the application to the worker it runs in."""
    if service := service_of(worker):
        worker.limits = service.connection_limits
        service.answer_memory.share(worker.memory_share)
        if worker.metrics_folder:
            service.metrics.share(worker.metrics_folder)
        service.readiness.stopping = lambda: worker.draining[0] != 0 or not worker.alive
        service.compute_queue.hung = partial(replace_worker, worker)
        if service.models:
            care_for_models(service)


def care_for_models(service: Any) -> None:
    """Make every model sound, in a thread: health checks are answered, and `/readyz` says when it is over."""
    from deltawire_service.models.maintenance.caretaker import Caretaker  # brings numpy

    caretaker = Caretaker(service.models, service.log)
    caretaker.start()
    service.readiness.recovering = caretaker.is_recovering


def worker_exit(server: Any, worker: Any) -> None:
    """Write down what a worker has counted when it ends, and close its database."""
    wait_before_next(worker)
    if service := service_of(worker):
        service.metrics.leave()
        if service.models:
            service.models.close()


def replace_worker(worker: Any) -> None:
    """Start one more worker at once, and end this one, in which a layer hangs, after its other requests."""
    if worker.alive:
        worker.log.error("a layer hangs in worker %s: it is replaced", worker.pid)
        os.kill(worker.ppid, signal.SIGTTIN)
        os.kill(worker.pid, signal.SIGTERM)


def child_exit(server: Any, worker: Any) -> None:
    """Forget the worker that `replace_worker` added, and add up what the ended one has counted."""
    server.num_workers = server.cfg.workers
    server.memory_shares.clear(worker.memory_number)
    try:
        if server.metrics_folder:
            tidy(server.metrics_folder, {*server.WORKERS, server.trainer and server.trainer.pid})
    except Exception:  # the folder may be full or gone; an exception here would end the service
        server.log.exception("the counts of ended workers are not added up")


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    """Note the end of a request: memory is returned to the system a while after the last one.

    Args:
        worker: the worker that answered it.
        request, environ, response: not used.
    """
    worker.idle_trim.ended()


def snapshot_models(server: Any) -> None:
    """After SIGTERM, take a snapshot of each changed model in the time that the workers have left over."""
    try:
        if server.stop_by and (service := service_of(server)) and service.models:
            from deltawire_service.models.maintenance.stopping import snapshot_changed  # brings numpy

            taken = snapshot_changed(service.models, service.log, server.stop_by)
            server.log.info("took snapshots of %d changed models", taken)
            service.models.close()
    except Exception:  # the next start replays the steps instead
        server.log.exception("not every changed model has a snapshot")


def on_exit(server: Any) -> None:
    """End the trainer, take snapshots, and end the master although a plugin's threads may go on in it."""
    if server.trainer:
        server.trainer.stop(monotonic() + TRAINER_GRACE)
    snapshot_models(server)
    end_after_grace(getattr(sys.exc_info()[1], "exit_status", 0))  # the status of gunicorn's HaltServer
