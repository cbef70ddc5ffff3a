"""The demo of text: a small transformer that predicts the next word, and writes with its predictions."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.padding import Padding

from deltawire import Model, Network, optim
from deltawire_service.cli.demos.corpus import prose
from deltawire_service.cli.demos.training import Demo
from deltawire_service.cli.demos.vocabulary import Vocabulary, windows

PIECES = 2000
"""Characters and frequent words that have a number."""

LENGTH = 48
"""Pieces that the network sees."""

WIDTH, HEADS, BLOCKS = 64, 4, 2
"""Numbers for each piece, heads of an attention, and blocks."""

STRIDE = 12
"""Pieces from one row to the next: each is learned at four places."""

VALIDATED = 10
"""Every tenth paragraph is for validation: so many rows of them at most."""

VALIDATION_ROWS = 96

TEMPERATURE = 0.6
"""Of samples: below 1, likely pieces are drawn more often than the network predicts them."""

SHORT, LONG = 80, 200
"""Pieces of a sample: while the run goes on, and at its end."""


class Text(Demo):
    """Learns to write like the reference of the Python language."""

    name = "text"
    epochs = 5
    batch_size = 16
    validate_every = 50
    dtype = "float32"

    def __init__(self) -> None:
        paragraphs = prose()
        learned = "\n\n".join(part for place, part in enumerate(paragraphs) if place % VALIDATED)
        validated = "\n\n".join(paragraphs[::VALIDATED])
        self.characters = len(learned)
        self.vocabulary = Vocabulary(learned + validated, PIECES)
        self.training = windows(self.vocabulary.numbers(learned), LENGTH, STRIDE)
        validation = windows(self.vocabulary.numbers(validated), LENGTH, LENGTH)
        self.validation = {name: rows[:VALIDATION_ROWS] for name, rows in validation.items()}

    def network(self) -> Network:
        """Return a causal transformer of the kind that normalises first; its loss is that of a piece."""
        net = Network()
        text = net.input("text", (LENGTH,), "int64")
        following = net.input("next", (LENGTH,), "int64")
        embedded = net.layer("embedding", text, rows=len(self.vocabulary), width=WIDTH, init_scale=0.1)
        values = embedded + net.parameter("positions", (LENGTH, WIDTH), normal=0.1)
        for _ in range(BLOCKS):
            normed = net.layer("layer_norm", values)
            values += net.layer("multi_head_attention", normed, normed, normed, heads=HEADS, causal=True)
            hidden = net.layer("linear", net.layer("layer_norm", values), units=4 * WIDTH)
            values += net.layer("linear", net.layer("gelu", hidden), units=WIDTH)
        normed = net.layer("layer_norm", values)
        scores = net.layer("linear", normed, units=len(self.vocabulary), name="scores")
        net.loss = {net.layer("softmax_nll", scores, following, name="loss"): 1 / LENGTH}
        return net

    def optimizer(self, steps: int) -> optim.Optimizer:
        """Return AdamW with clipped gradients, whose learning rate falls to 0."""
        schedule = optim.schedules.cosine(T_max=steps)
        return optim.adamw(learning_rate=4e-3, weight_decay=0.1, schedule=schedule, clip_norm=1.0)

    def show_before(self, model: Model, screen: Console) -> None:
        """Print where the text is from, and a sample of the model that has learned nothing."""
        screen.print(
            f"{self.characters:,} characters of the reference of the Python language, as Python ships it\n"
            'in pydoc_data.topics; help("for") prints a page of it'
        )
        self._show(model, screen, "before it learns", SHORT)

    def show_between(self, model: Model, screen: Console, steps: int) -> None:
        self._show(model, screen, f"after {steps:,} steps", SHORT)

    def show_after(self, model: Model, screen: Console) -> bool:
        """Print a longer sample; return True."""
        self._show(model, screen, "at the end", LONG)
        return True

    def _show(self, model: Model, screen: Console, when: str, count: int) -> None:
        screen.print(f"\nwhat the model writes {when}:", style="bold")
        screen.print(Padding(self.sample(model, count), (0, 0, 0, 2)))

    def sample(self, model: Model, count: int) -> str:
        """Return a text that the model writes: each piece is drawn as it predicts, after those before it.

        Args:
            model: The model.
            count: Pieces.
        """
        stream = np.random.default_rng(0)
        written = [*self.vocabulary.numbers("\n\n")]
        for _ in range(count):
            seen = written[-LENGTH:]
            text = np.zeros((1, LENGTH), np.int64)  # attention is causal: what follows is not seen
            text[0, : len(seen)] = seen
            scores = model.forward({"text": text}, ["scores"])["scores"][0, len(seen) - 1]
            weights = np.exp((scores - scores.max()).astype(np.float64) / TEMPERATURE)
            written.append(stream.choice(len(weights), p=weights / weights.sum()))
        return self.vocabulary.text(written).strip()
