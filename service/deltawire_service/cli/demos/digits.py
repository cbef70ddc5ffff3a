"""The demo of handwritten digits: images of 8 × 8 pixels, and which digit each of them is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console

from deltawire import Model, Network, optim
from deltawire.errors import missing_extra
from deltawire.wire import Array
from deltawire_service.cli.demos.circuits import show_circuits
from deltawire_service.cli.demos.training import Demo
from deltawire_service.cli.terminal import print_verdict

GOAL = 0.96
"""Share of the digits to test that must be read right."""

VALIDATED, TESTED = 240, 360
"""Digits that the network does not learn from: to validate it, and to test it at the end."""

SHOWN = 8
"""Digits that are shown: so many fit into 80 columns."""

INK = 0.4
"""The lightest pixel that is drawn; 1 is black."""


class Digits(Demo):
    """Learns scikit-learn's handwritten digits with a small network of convolutions.

    Raises:
        NotInstalled: scikit-learn is not installed.
    """

    name = "digits"
    epochs = 30
    batch_size = 32
    dtype = "float32"

    def __init__(self) -> None:
        try:
            from sklearn.datasets import load_digits
        except ModuleNotFoundError as error:
            raise missing_extra("demo", error) from error
        images, digits = load_digits(return_X_y=True)
        images = (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)
        order = np.random.default_rng(0).permutation(len(digits))  # the same in every run
        validated, tested, learned = np.split(order, [VALIDATED, VALIDATED + TESTED])
        self.training = {"image": images[learned], "digit": digits[learned]}
        self.validation = {"image": images[validated], "digit": digits[validated]}
        self.images, self.digits = images[tested], digits[tested]

    def network(self) -> Network:
        """Return two convolutions, each with a pooling, and a linear layer of a score for each digit."""
        net = Network()
        image = net.input("image", shape=(1, 8, 8))
        digit = net.input("digit", shape=(), dtype="int64")
        values = image
        for channels in (16, 32):
            values = net.layer("conv2d", values, channels=channels, kernel=3, padding=1)
            values = net.layer("max_pool2d", net.layer("relu", values), kernel=2)
        scores = net.layer("linear", net.layer("flatten", values), units=10, name="scores")
        net.loss = net.layer("softmax_nll", scores, digit, name="loss")
        return net

    def optimizer(self, steps: int) -> optim.Optimizer:
        """Return Adam, whose learning rate falls to 0."""
        return optim.adam(learning_rate=6e-3, schedule=optim.schedules.cosine(T_max=steps))

    def show_before(self, model: Model, screen: Console) -> None:
        """Print how many digits there are."""
        count = len(self.training["digit"])
        screen.print(
            f"{count + VALIDATED + TESTED:,} handwritten digits of scikit-learn: "
            f"{count:,} to learn from, {VALIDATED} to validate\nwith, and {TESTED} to test at the end"
        )

    def show_between(self, model: Model, screen: Console, steps: int) -> None:
        pass  # the curve shows how the run goes on

    def show_after(self, model: Model, screen: Console) -> bool:
        """Print the accuracy, some digits as the model reads them, and the lecture's circuits."""
        read = model.forward({"image": self.images}, ["scores"])["scores"].argmax(axis=1)
        right = read == self.digits
        good = bool(right.mean() >= GOAL)
        screen.print()
        verdict = f"{right.mean():.1%} of the {TESTED} test digits are read right (the goal: {GOAL:.0%})"
        print_verdict(screen, good, verdict)
        self._show(screen, "read right:", np.flatnonzero(right), [f"{digit}" for digit in read])
        captions = [f"{digit}, is {wanted}" for digit, wanted in zip(read, self.digits, strict=True)]
        self._show(screen, "read wrong:", np.flatnonzero(~right), captions)
        show_circuits(model.client, screen)
        return good

    def _show(self, screen: Console, title: str, chosen: Array, captions: Sequence[str]) -> None:
        if not len(chosen):
            return
        screen.print(f"\n{title}", style="bold")
        shown = chosen[:SHOWN]
        for lines in zip(*(draw_image(self.images[each, 0]) for each in shown), strict=True):
            screen.print("  ".join(lines).rstrip())
        screen.print("  ".join(f"{captions[each]:^8}" for each in shown).rstrip())


def draw_image(pixels: Array) -> list[str]:
    """Return an image as text: two rows of pixels become a line.

    Args:
        pixels: From 0 to 1, (rows, columns), with an even number of rows.
    """
    ink = (pixels >= INK).astype(int)
    pairs = 2 * ink[::2] + ink[1::2]
    return ["".join(" ▄▀█"[pair] for pair in line) for line in pairs]
