"""The metrics of a run are read in pages, each once."""

from __future__ import annotations

import pytest
from client.runs.conftest import examples

from deltawire import Model, RunMetrics
from deltawire.runs import metrics as module


def test_metrics_are_paged(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    run = model.fit(examples(), epochs=3, batch_size=20, validation=examples(10), progress=False)
    whole = run.metrics()
    monkeypatch.setattr(module, "PAGE", 2)
    assert run.metrics() == whole and len(whole) == 12
    assert all(isinstance(each, RunMetrics) for each in whole)
