"""Write docs/layers.md from the layers of this distribution: `make docs`."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deltawire_layers import CONFIG_KEYS, load_layers
from deltawire_layers.registry import installed
from deltawire_layers.synonyms import NO_LAYER, SYNONYMS
from deltawire_service.api.layers import describe
from deltawire_service.cli.layers import takes

PAGE = Path(__file__).parents[2] / "docs" / "layers.md"

# Installed plugins are left out: they have pages of their own.
LAYERS = load_layers(installed("deltawire"))

HEAD = """\
# Layers

Look up a layer's inputs, config, parameters and equations: these are the layers that come with deltawire, by
family. `make docs` writes this page from the layers themselves. `GET /v1/layers`, `/docs` and
`deltawire layers` also show the plugins installed beside them.

Shapes are those of one example, without the batch; `...` stands for any further axes. Beside its value, a
layer has one equation for each input, δ of that input, and one for each parameter, its gradient ∇. There, δ
without an index is ∂loss/∂value, ∘ multiplies number by number, and σ(x) is 1 / (1 + e⁻ˣ). [condition] is 1
where the condition holds, else 0; it chooses a branch, so that ∞ in the other branch does not matter. An
equation for a vector holds for every row of an input that has more axes; losses are summed over the rows,
gradients over the rows and the examples.

`axes` is a list of axes, for `sum`, `mean` and `transpose`; `axis` is one, for `concat`, `max` and `slice`.
In Python, `x.sum(axis=…)` and `x.mean(axis=…)` take a number or a tuple, as numpy does, and write `axes`.
Inputs that are combined number by number have equal shapes: nothing broadcasts.

*Elsewhere* has the names of torch, Keras, jax and optax for the same function, *Closest to* those without a
counterpart. Case and underscores do not matter. An error about an unknown kind names the same, and one
about an unknown key of a config those after *elsewhere* in the tables.

The first numbers of a parameter, which `/v1/init` draws, are those named beside it, times `init_scale`. They
are torch's, but for normal distributions: in their place are uniform ones of the same variance.

"""


SEQUENCE_KINDS = ("attention", "multi_head_attention", "elman", "gru", "lstm")
"""The layers over sequences, which are padded where their lengths differ."""

SEQUENCES = (
    "Padding: [Sequences of different lengths](python.md#sequences-of-different-lengths). "
    "To go through a padded sequence in reverse, reverse it within its own length."
)


def families() -> dict[str, list[str]]:
    """Return the kinds of every family: the module or the room of `deltawire_layers.layers` they are in."""
    kinds: dict[str, list[str]] = {}
    for family, kind in sorted((LAYERS[kind].__module__.split(".")[2], kind) for kind in LAYERS):
        kinds.setdefault(family, []).append(kind)
    return kinds


def page() -> str:
    """Return the whole page."""
    sections = []
    for family, kinds in families().items():
        module = inspect.getdoc(sys.modules[f"deltawire_layers.layers.{family}"]) or ""
        sections.append((f"## {family.capitalize()}", module.partition("\n\n")[0]))
        sections += [(f"### {kind}", "\n\n".join(_layer(kind))) for kind in kinds]
    anchors = _anchors(heading for heading, _ in sections)
    rows = [
        f"| [{family.capitalize()}](#{anchors[f'## {family.capitalize()}']}) | "
        + ", ".join(f"[`{kind}`](#{anchors[f'### {kind}']})" for kind in kinds)
        + " |"
        for family, kinds in families().items()
    ]
    body = "".join(f"\n{heading}\n\n{text}\n" for heading, text in sections)
    return HEAD + "\n".join(["| family | kinds |", "|---|---|", *rows]) + "\n" + body + _no_layers()


def _no_layers() -> str:
    """Return the section of the names that are no layers here."""
    listed = {", ".join(f"`{name}`" for name in names.split()): note for names, note in NO_LAYER.items()}
    rows = [f"| {names} | {note} |" for names, note in listed.items()]
    return "\n".join(["", "## No layers", "", "| elsewhere | here |", "|---|---|", *rows, ""])


def _anchors(headings: Iterator[str]) -> dict[str, str]:
    """Return GitHub's anchor of each heading; the second of equal ones is `name-1`."""
    seen = Counter[str]()
    anchors = {}
    for heading in headings:
        name = heading.lstrip("# ").lower()
        anchors[heading] = f"{name}-{seen[name]}" if seen[name] else name
        seen[name] += 1
    return anchors


def _layer(kind: str) -> Iterator[str]:
    """Yield the paragraphs about one layer."""
    layer = describe(kind, LAYERS[kind], "deltawire")
    text, _, source = (inspect.getdoc(LAYERS[kind]) or "").partition("\n\nSource: ")
    yield text
    yield _inputs(layer)
    yield from _synonyms(kind)
    if kind in SEQUENCE_KINDS:
        yield SEQUENCES
    parameters = layer["formula"]["init"]
    if parameters:
        listed = (f"`{name}` (${_parameter(name)}$), first {init}" for name, init in parameters.items())
        yield f"Parameters: {'; '.join(listed)}."
    if layer["config"]["properties"]:
        rows = [
            " | ".join([f"| `{key}`", takes(schema), _default(schema), f"{_meaning(key, schema)} |"])
            for key, schema in layer["config"]["properties"].items()
        ]
        yield "\n".join(["| config | type | default | meaning |", "|---|---|---|---|", *rows])
    lines = " \\\\\n".join(_equations(layer))
    yield f"```math\n\\begin{{aligned}}\n{lines}\n\\end{{aligned}}\n```"
    if source:
        yield f"Source: {' '.join(source.split())}"


def _synonyms(kind: str) -> Iterator[str]:
    """Yield a line of the names for the same function, and one of those that a layer comes closest to."""
    notes: dict[str, list[str]] = {}
    for synonym in SYNONYMS:
        if synonym.kind == kind:
            notes.setdefault(synonym.note, []).append(f"`{synonym.name}`")
    if equal := notes.pop("", []):
        yield f"Elsewhere: {', '.join(equal)}."
    if notes:
        groups = (f"{', '.join(names)} ({note})" for note, names in notes.items())
        yield f"Closest to: {'; '.join(groups)}."


def _inputs(layer: Mapping[str, Any]) -> str:
    deltas = zip(layer["inputs"]["names"], layer["formula"]["deltas"], strict=True)
    names = [f"`{name}`" if delta else f"`{name}` (integers)" for name, delta in deltas]
    names += [f"`{name}` (may be left out)" for name in layer["inputs"]["optional"]]
    if layer["inputs"]["variadic"]:
        names.append("and more")
    return f"{'Input' if len(names) == 1 else 'Inputs'}: {', '.join(names)}."


def _meaning(key: str, schema: Mapping[str, Any]) -> str:
    """Return what a key of a config means, with its names in other libraries."""
    names = ", ".join(f"`{name}`" for name in CONFIG_KEYS.same.get(key, ()))
    return f"{schema['description']}; elsewhere {names}" if names else str(schema["description"])


def _default(schema: Mapping[str, Any]) -> str:
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else "required"


def _equations(layer: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines of LaTeX, aligned at their equality signs: the value, each δ, each gradient."""
    formula, names = layer["formula"], layer["inputs"]["names"]
    value = _letter(layer["summary"].partition(" = ")[0])  # as the docstring calls it
    symbols = {name: _parameter(name) for name in formula["grads"]} | {"value": value, "delta": r"\delta"}
    if len(names) == 1 and layer["inputs"]["variadic"]:
        inputs = [f"{names[0]}_k"]
        symbols |= {"x0": f"{names[0]}_1", "x1": f"{names[0]}_2"}
    else:
        inputs = [_letter(name) for name in names]
        symbols |= {f"x{place}": symbol for place, symbol in enumerate(inputs)}
    yield from _equation(value, formula["value"], symbols)
    for symbol, delta in zip(inputs, formula["deltas"], strict=True):
        if delta:
            yield from _equation(rf"\delta_{{{symbol}}}", delta, symbols)
    for name, gradient in formula["grads"].items():
        yield from _equation(rf"\nabla_{{{symbols[name]}}}", gradient, symbols)


def _equation(left: str, formula: str, symbols: Mapping[str, str]) -> Iterator[str]:
    """Yield one equation, and below it the equations of its letters."""
    for placeholder, symbol in symbols.items():
        formula = formula.replace(f"{{{placeholder}}}", symbol)
    first, *others = re.split(r",?\s*\\quad\s*", formula)
    own_left = re.match(r"\w+(_\w+|_\{[^{}]*\}) = ", first)  # `h_t = …` has a left side of its own
    yield first.replace(" = ", " &= ", 1) if own_left else f"{left} &= {first}"
    for other in others:
        yield rf"&\qquad {other}"


def _letter(name: str) -> str:
    """Return a letter as it is, a longer name as a word."""
    return name if len(name) == 1 else rf"\text{{{name.replace('_', ' ')}}}"


def _parameter(name: str) -> str:
    r"""Return W for a weight, b for a bias, the rest of the name as index: `weight_ih` is W_{\text{ih}}."""
    words = name.split("_")
    for word, letter in (("weight", "W"), ("bias", "b")):
        if word in words:
            words.remove(word)
            return rf"{letter}_{{\text{{{' '.join(words)}}}}}" if words else letter
    return _letter(name)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE.name}: {len(LAYERS)} layers")
