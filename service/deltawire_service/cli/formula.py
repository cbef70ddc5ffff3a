"""LaTeX formulas of layers as text for a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma "
    "tau upsilon phi chi psi omega"
).split()
SYMBOLS = {
    **{name: chr(ord("α") + place) for place, name in enumerate(GREEK)},
    **{name.capitalize(): chr(ord("Α") + place) for place, name in enumerate(GREEK)},
    "circ": "∘", "star": "⋆", "ast": "∗", "cdot": "·", "times": "×", "sum": "Σ", "prod": "Π", "dots": "…",
    "le": "≤", "ge": "≥", "ne": "≠", "in": "∈", "infty": "∞", "partial": "∂", "top": "ᵀ",
    "lVert": "‖", "rVert": "‖", "left": "", "right": "", "textstyle": "",
    "quad": "\N{EM SPACE}", ",": " ", ";": " ", ":": " ", " ": " ", "!": "",
}  # fmt: skip
RAISED = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
MACRON, HAT = "\N{COMBINING MACRON}", "\N{COMBINING CIRCUMFLEX ACCENT}"


def readable(latex: str, names: Mapping[str, str]) -> str:
    """Return a formula as text: placeholders by name, symbols as characters, structure as brackets.

    Args:
        latex: The formula. A command that is unknown here keeps its name, without the backslash.
        names: Of each placeholder, as in {"x0": "x", "delta": "δ"}.
    """
    for placeholder, name in names.items():
        latex = latex.replace(f"{{{placeholder}}}", name)
    text = re.sub(r"\\([A-Za-z]+|.)", _symbol, latex)
    text = re.sub(r"\^(\d)", r"^{\1}", text)
    before = ""
    while text != before:  # from the innermost braces outwards
        before = text
        for pattern, write in GROUPS:
            text = pattern.sub(write, text)
    text = re.sub(r" *\N{EM SPACE} *", "   ", re.sub(r" +", " ", text))
    text = re.sub(r"‖ (.*?) ‖", r"‖\1‖", re.sub(r"(?<=[(\[]) +| +(?=[,;)\]])", "", text)).strip()
    return unicodedata.normalize("NFC", text)


def _symbol(command: re.Match[str]) -> str:
    name = command[1]
    return command[0] if name in STRUCTURE else SYMBOLS.get(name, name)


def _grouped(text: str) -> str:
    """Put a text into brackets, unless it is a single term."""
    return (
        text if re.fullmatch(r"[^\W\d_][^\W_]*|\d+|\W|\([^()]*\)|\[[^\[\]]*\]|‖[^‖]*‖", text) else f"({text})"
    )


def _raised(group: re.Match[str]) -> str:
    power = group[1]
    small = power.translate(RAISED)
    return power if power == "ᵀ" else small if re.fullmatch(r"[⁰-⁹⁺⁻¹²³]+", small) else f"^{_grouped(power)}"


def _mean(group: re.Match[str]) -> str:
    return group[1] + MACRON if len(group[1]) == 1 else f"mean({group[1]})"


STRUCTURE = ("frac", "tfrac", "sqrt", "hat", "bar", "overline", "operatorname", "text", "mathbf", "mathrm")
GROUPS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), write)
    for pattern, write in (
        (r"\\t?frac\{([^{}]*)\}\{([^{}]*)\}", lambda group: f"{_grouped(group[1])}/{_grouped(group[2])}"),
        (r"\\sqrt\{([^{}]*)\}", lambda group: f"√{_grouped(group[1])}"),
        (r"\\hat\{([^{}]*)\}", lambda group: group[1] + HAT),
        (r"\\(?:bar|overline)\{([^{}]*)\}", _mean),
        (r"\\(?:operatorname|text|mathbf|mathrm)\{([^{}]*)\}", lambda group: group[1]),
        (r"\^\{([^{}]*)\}", _raised),
        (r"_\{([^{}]*)\}", lambda group: f"_{_grouped(group[1])}"),
    )
)
