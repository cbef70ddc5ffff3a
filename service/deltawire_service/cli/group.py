"""The group of all commands, and the meaning of exit codes."""

from __future__ import annotations

import click

from deltawire_service.cli.lazy import LazyGroup

EXIT_CODES = """\b
Exit codes:
  0  done
  1  the answer is no: a check or a layer fails, or a plan does not fit
  2  the command line or the environment is wrong
  3  the request was refused; every fault is shown with its place
  4  no service answers at the URL
  5  the service failed, or a layer or a file did

FILE is a request as for POST /v1/gradients, or a spec alone; - reads standard
input. Without --url the commands run the service in their own process.
"""

COMMANDS = {
    "check": "deltawire_service.cli.check:check",
    "check-layer": "deltawire_service.cli.conformance:check_layer",
    "cluster": "deltawire_service.cli.cluster.group:cluster",
    "datasets": "deltawire_service.cli.datasets.group:datasets",
    "demo": "deltawire_service.cli.demos.command:demo",
    "fit": "deltawire_service.cli.runs.fit:fit",
    "gradients": "deltawire_service.cli.gradients:gradients",
    "layers": "deltawire_service.cli.layers:layers",
    "models": "deltawire_service.cli.models.group:models",
    "new-layer": "deltawire_service.cli.new_layer:new_layer",
    "plan": "deltawire_service.cli.plan:plan",
    "publish": "deltawire_service.cli.publish:publish",
    "runs": "deltawire_service.cli.runs.group:runs",
    "serve": "deltawire_service.cli.serving.serve:serve",
    "store": "deltawire_service.cli.store.group:store",
    "train": "deltawire_service.cli.runs.train:train",
    "trainer": "deltawire_service.cli.serving.trainer:trainer",
    "worker": "deltawire_service.cli.cluster.worker:worker",
}
"""Where each command is."""


@click.group(
    cls=LazyGroup,
    sources=COMMANDS,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="deltawire")
def deltawire() -> None:
    """Gradient computation as a service: a network and a batch in; loss, deltas and gradients out."""
