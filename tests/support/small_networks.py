"""Random networks of linear layers, gates and a few others, with several losses, for few examples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from support.circuits import ODD, ONE

from deltawire_service.engine import Network


class SmallNetwork(NamedTuple):
    """A network and numbers for it, with what to ask of it."""

    spec: dict[str, Any]
    data: dict[str, np.ndarray]
    seed: int
    odd: float
    """The share of parameters that are no ordinary numbers."""
    wrt_params: bool
    wrt: tuple[str, ...]
    values: tuple[str, ...]
    deltas: tuple[str, ...]

    def bits(self, network: Network) -> dict[str, bytes]:
        """Return the bits of all results, and of one NaN for all, whose sign and payload mean nothing."""
        random, dtype = np.random.default_rng(self.seed), self.data["x"].dtype
        params = {
            name: with_odd(random, random.normal(size=each.shape) / 2, self.odd).astype(dtype)
            for name, each in network.parameters.items()
        }
        result = network.gradients(
            params,
            self.data,
            wrt_params=self.wrt_params,
            wrt_data=self.wrt,
            values=self.values,
            deltas=self.deltas,
            non_finite="return",
        )
        arrays = {"loss": np.asarray(result.loss), "losses": result.losses}
        for part in ("params", "data", "values", "deltas"):
            arrays |= {f"{part}/{name}": array for name, array in getattr(result, part).items()}
        return {name: np.where(np.isnan(array), np.nan, array).tobytes() for name, array in arrays.items()}


def with_odd(random: np.random.Generator, numbers: np.ndarray, share: float) -> np.ndarray:
    """Return numbers, a share of them replaced by what is no ordinary number."""
    return np.where(random.random(numbers.shape) < share, random.choice(ODD, numbers.shape), numbers)


WIDTHS = (1, 2, 3, 5, 16, 17, 70)


@st.composite
def small_networks(draw: st.DrawFn) -> SmallNetwork:
    """Draw a network, numbers for it and targets."""
    widths: dict[str, int] = {"x": draw(st.sampled_from(WIDTHS)), "y": draw(st.sampled_from(WIDTHS))}
    inputs: dict[str, Any] = {name: {"shape": [width]} for name, width in widths.items()}
    if draw(st.integers(0, 3)) == 0:
        inputs["y"]["shared"] = True
    nodes: list[dict[str, Any]] = []

    def add(kind: str, taken: list[str], width: int, **more: Any) -> None:
        name = f"n{len(nodes)}"
        nodes.append({"name": name, "kind": kind, "inputs": taken, **more})
        widths[name] = width

    for _ in range(draw(st.integers(1, 9))):
        names = [*widths]
        source = draw(st.sampled_from((*names, *names[-2:], *names[-2:])))
        width = widths[source]
        alike = [name for name in names if widths[name] == width]
        match draw(st.sampled_from(["linear", "linear", "linear", "one", "one", "two", "tied", "other"])):
            case "linear":
                units = draw(st.sampled_from(WIDTHS))
                add("linear", [source], units, config={"units": units, "bias": draw(st.booleans())})
            case "one":
                add(draw(st.sampled_from(ONE)), [source], width)
            case "two":
                other = draw(st.sampled_from(alike))
                add(draw(st.sampled_from(["add", "multiply", "subtract"])), [source, other], width)
            case "tied":
                owners = [each for each in nodes if each["kind"] == "linear" and "tied_to" not in each]
                fitting = [each for each in owners if widths[each["inputs"][0]] == width]
                if fitting:
                    owner = draw(st.sampled_from(fitting))
                    name, config = owner["name"], owner["config"]
                    add("linear", [source], widths[name], config=config, tied_to=name)
            case "other":
                add(draw(st.sampled_from(["relu", "softmax", "layer_norm"])), [source], width)
    if not nodes:
        add("tanh", ["x"], widths["x"])
    computed = [node["name"] for node in nodes]
    losses = {*draw(st.lists(st.sampled_from(computed), max_size=2)), computed[-1]}
    nodes += [{"name": f"s{name}", "kind": "sum", "inputs": [name]} for name in losses]
    weights = {f"s{name}": draw(st.sampled_from([1.0, 0.5])) for name in sorted(losses)}
    rows = draw(st.sampled_from([1, 2, 3, 8, 33, 64, 250, 300, 700]))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    seed, odd = draw(st.integers(0, 2**32)), draw(st.sampled_from([0, 0, 0, 0.01, 0.2]))
    random = np.random.default_rng(seed)
    data = {}
    for name, each in inputs.items():
        size = tuple(each["shape"]) if "shared" in each else (rows, *each["shape"])
        with np.errstate(all="ignore"):
            data[name] = with_odd(random, random.normal(size=size), odd).astype(dtype)
    some = st.lists(st.sampled_from(computed), max_size=3, unique=True).map(tuple)
    wrt = draw(st.lists(st.sampled_from(sorted(inputs)), max_size=2, unique=True).map(tuple))
    spec = {"inputs": inputs, "nodes": nodes, "loss": weights}
    return SmallNetwork(spec, data, seed, odd, draw(st.booleans()), wrt, draw(some), draw(some))
