"""Take the picture of the page of models, docs/models.png, while a run learns and others wait."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.datasets import load_digits
from support.browser import chromium
from support.service import running_service

from deltawire import Client, Model, optim

PICTURE = Path(__file__).parents[2] / "docs" / "models.png"


def make_model(client: Client, name: str, units: int, rate: float) -> Model:
    """Make a model of handwritten digits with a hidden layer."""
    network = {
        "inputs": {"x": {"shape": [64]}, "y": {"shape": [], "dtype": "int64"}},
        "nodes": [
            {"name": "hidden", "kind": "linear", "inputs": ["x"], "config": {"units": units}},
            {"name": "active", "kind": "relu"},
            {"name": "scores", "kind": "linear", "config": {"units": 10}},
            {"name": "loss", "kind": "softmax_nll", "inputs": ["scores", "y"]},
        ],
    }
    return client.create_model(network, name=name, optimizer=optim.sgd(rate), seed=0)


def start_runs(client: Client) -> None:
    """Let a run stop early and another one learn for minutes, with one that waits and one that is paused."""
    digits = load_digits()
    client.upload_dataset("digits", {"x": digits.data / 16, "y": digits.target.astype(np.int64)})
    recipe = {"batch_size": 64, "validation": 0.2, "progress": False}
    small = make_model(client, "small", 16, 0.5)
    small.fit("digits", epochs=500, early_stopping=3, **recipe)
    small.fit("digits", epochs=500, wait=False, **recipe).pause()
    make_model(client, "wide", 600, 0.05).fit("digits", epochs=300, wait=False, **recipe)
    make_model(client, "narrow", 8, 0.1).fit("digits", epochs=40, wait=False, **recipe)


with (
    TemporaryDirectory() as folder,
    running_service(data_dir=folder, trainer="true") as service,
    chromium() as browser,
):
    start_runs(Client(service))
    page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page.goto(f"{service}/models")
    learned = "() => Number(document.querySelector('.plot')?.getAttribute('aria-valuemax')) > 1500"
    page.wait_for_function(learned, timeout=120_000)
    page.screenshot(path=PICTURE)
print(f"{PICTURE} ({PICTURE.stat().st_size} bytes)")
