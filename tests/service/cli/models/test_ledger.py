"""deltawire models ledger."""

from __future__ import annotations

from support.commands import BATCH, document
from support.console import run

from deltawire import Client


def test_the_ledger(flow: Client) -> None:
    model = flow.model("flow")
    result = model.step(BATCH)
    model.change_optimizer(learning_rate=0.5)
    model.restore(0)
    whole = {"entries": list(model.ledger())}
    assert document("models", "ledger", "flow") == whole
    assert document("models", "ledger", "flow", "--after", "0", "--limit", "2") == {
        "entries": whole["entries"][1:3]
    }
    shown = " ".join(run("models", "ledger", "flow", columns=120).stdout.split())
    assert f"1 step 1 {result.loss:.6g} {result.gradient_norm:.6g} 0.01" in shown
    assert "2 hyperparameters 1" in shown and "3 restored 0 from 0" in shown
