"""The group of all commands, and the meaning of exit codes."""

from __future__ import annotations

import click

from deltawire_service.cli.check import check
from deltawire_service.cli.cluster.group import cluster
from deltawire_service.cli.cluster.worker import worker
from deltawire_service.cli.conformance import check_layer
from deltawire_service.cli.datasets.group import datasets
from deltawire_service.cli.demos.command import demo
from deltawire_service.cli.gradients import gradients
from deltawire_service.cli.layers import layers
from deltawire_service.cli.models.group import models
from deltawire_service.cli.new_layer import new_layer
from deltawire_service.cli.plan import plan
from deltawire_service.cli.publish import publish
from deltawire_service.cli.runs.fit import fit
from deltawire_service.cli.runs.group import runs
from deltawire_service.cli.runs.train import train
from deltawire_service.cli.serving.serve import serve
from deltawire_service.cli.serving.trainer import trainer
from deltawire_service.cli.store.group import store

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


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="deltawire")
def deltawire() -> None:
    """Gradient computation as a service: a network and a batch in; loss, deltas and gradients out."""


for command in (
    check,
    check_layer,
    cluster,
    datasets,
    demo,
    fit,
    gradients,
    layers,
    models,
    new_layer,
    plan,
    publish,
    runs,
    serve,
    store,
    train,
    trainer,
    worker,
):
    deltawire.add_command(command)
