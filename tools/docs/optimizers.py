"""Write docs/optimizers.md from the optimizers and schedules of this distribution: `make docs`."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

from marshmallow import Schema

from deltawire_optimizers import SCHEDULES, load_optimizers
from deltawire_optimizers.registry import OPTIMIZERS
from deltawire_service.api.openapi import json_schema
from deltawire_service.cli.layers import takes

PAGE = Path(__file__).parents[2] / "docs" / "optimizers.md"

# Installed plugins are left out: they have pages of their own.
BUILT_IN = load_optimizers(OPTIMIZERS.installed("deltawire"))

HEAD = """\
# Optimizers

Look up the rule and the config of an optimizer, or a schedule of the learning rate.
[python.md](python.md#training) trains a network with them, and so do [models](models.md) on the service.
`GET /v1/optimizers` lists those of a service. `make docs` writes this page from the optimizers themselves.

```python
from deltawire.optim import adamw, schedules

parts = [schedules.linear(total_iters=100), schedules.cosine(T_max=900)]
schedule = schedules.sequence(parts, milestones=[100])     # a warm-up, then half a cosine
optimizer = adamw(learning_rate=3e-3, weight_decay=0.05, schedule=schedule, clip_norm=1.0)
print(f"{optimizer.learning_rate:.3f}")
```

```text
0.001
```

Names, defaults and numbers are those of torch, but for `learning_rate`, which torch calls `lr`, and for lion,
which follows its paper. 100 steps in float64 end where those of `torch.optim` end, to 1e-12. θ is a
parameter, g its gradient, γ the learning rate and t the number of the step. Every state starts at 0, unless
its optimizer says otherwise.

`optimizer.learning_rate = 1e-4` changes the rate from the next step on, and a schedule starts from it. No
other option changes: make a new optimizer, and give it the state with `load_state_dict`.
"""

AUTHORS = """\
## Write an optimizer

An optimizer is a class in a distribution, named in the entry-point group `deltawire.optimizers`.
`update` works in place. `scratch` is room to compute in, so that a step needs no memory of its own.
`check_optimizer` tests every rule of the contract, which
[`optimizer.py`](../plugins/deltawire_optimizers/optimizer.py) describes.

```python
import numpy as np
from deltawire_optimizers import Optimizer, StateArray, check_optimizer

class SignMomentum(Optimizer):
    \"\"\"θ ← θ − γ sign(m), with m ← 0.9 m + g.\"\"\"

    scratch = 1

    def state(self, shape):
        return {"momentum": StateArray(shape)}

    def update(self, param, gradient, state, scratch, step):
        m = state["momentum"]
        m *= 0.9
        m += gradient
        param -= np.multiply(np.sign(m, out=scratch[0]), step.learning_rate, out=scratch[0])

check_optimizer(SignMomentum)
```

`deltawire.optim.Optimizer("kind", learning_rate=…)` trains with any installed optimizer.
"""


def page() -> str:
    """Return the whole page."""
    lines = [HEAD, "## Rules\n"]
    for kind, optimizer in BUILT_IN.items():
        text, _, source = (inspect.getdoc(optimizer) or "").partition("\n\nSource: ")
        lines += [f"### {kind}\n", f"{text}\n", f"{_config(optimizer.Config())}\n"]
        lines.append(
            f"```math\n\\begin{{aligned}}\n{_aligned(optimizer.formula or '')}\n\\end{{aligned}}\n```\n"
        )
        lines.append(f"Source: {' '.join(source.split())}\n")
    lines.append("## Schedules\n")
    lines.append(
        "A schedule gives every step its learning rate. It counts steps of the optimizer, not epochs.\n"
    )
    for kind, schedule in SCHEDULES.items():
        lines += [f"### {kind}\n", f"{inspect.getdoc(schedule)}\n"]
        if schedule.Config().fields:
            lines.append(f"{_config(schedule.Config())}\n")
    return "\n".join([*lines, AUTHORS])


def _config(schema: Schema) -> str:
    rows = [
        f"| `{name}` | {takes(field)} | {_default(field)} | {field['description']} |"
        for name, field in json_schema(schema)["properties"].items()
    ]
    return "\n".join(["| config | type | default | meaning |", "|---|---|---|---|", *rows])


def _default(field: dict[str, object]) -> str:
    return f"`{json.dumps(field['default'])}`" if "default" in field else "required"


def _aligned(formula: str) -> str:
    """Return LaTeX with its lines aligned at their first sign."""
    return " \\\\\n".join(_line(line.strip()) for line in formula.split("\\\\"))


def _line(line: str) -> str:
    sign = min(("=", r"\leftarrow"), key=lambda sign: line.find(sign) % 10_000)
    return line.replace(sign, f"&{sign}", 1)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE.name}: {len(BUILT_IN)} optimizers, {len(SCHEDULES)} schedules")
