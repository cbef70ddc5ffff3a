"""LaTeX as text for a terminal."""

from __future__ import annotations

import pytest
from support.layers import BUILT_IN

from deltawire_layers import arity
from deltawire_service.cli.formula import readable

NAMES = {"x0": "x", "x1": "label", "value": "y", "delta": "δ", "weight": "weight"}


@pytest.mark.parametrize(
    "latex, text",
    [
        (r"{weight}\,{x0} + b", "weight x + b"),
        (r"{weight}^{\top} {delta}", "weightᵀ δ"),
        (r"\frac{1}{1 + e^{-{x0}}}", "1/(1 + e^(-x))"),
        (r"\tfrac{1}{2} {x0}^2", "1/2 x²"),
        (r"e^{-1} e^{10} e^{{x0}} e^{2{x0}}", "e⁻¹ e¹⁰ e^x e^(2x)"),
        (r"-{delta}\,e_{{x1}}", "-δ e_label"),
        (r"h_{t-1} \circ \hat{x} \bar{g} \overline{{x0}^2}", "h_(t-1) ∘ x̂ ḡ mean(x²)"),
        (r"\sqrt{\operatorname{var} {x0} + \epsilon}", "√(var x + ε)"),
        (r"\left(\Delta - {x0}\right) / \lVert {x0} \rVert", "(Δ - x) / ‖x‖"),
        (r"a, \quad b,\; c", "a,   b, c"),
        (r"\textstyle\sum_{q \in \text{window } p} {x0}_q", "Σ_(q ∈ window p) x_q"),
        (r"\sigma({x0})\,\unheardof{x}", "σ(x) unheardof{x}"),
    ],
)
def test_readable(latex: str, text: str) -> None:
    assert readable(latex, NAMES) == text


@pytest.mark.parametrize("kind", [kind for kind, layer in BUILT_IN.items() if layer.formula])
def test_nothing_of_latex_is_left_in_the_formulas_of_our_layers(kind: str) -> None:
    layer = BUILT_IN[kind]
    value, deltas, grads, _ = layer.formula
    names = NAMES | {name: name for name in grads}
    names |= {f"x{place}": f"x{place}" for place in range(len(arity(layer).names) + 2)}
    for latex in (value, *filter(None, deltas), *grads.values()):
        text = readable(latex, names)
        assert text and not set(text) & set("\\{}"), text
        assert "  " not in text.replace("   ", ""), text
