"""Sample the parameters of a network by Hamiltonian Monte Carlo: python examples/recipes/hmc.py [URL].

The network is a straight line with Gaussian noise and a Gaussian prior, so the posterior is known exactly.
"""

import sys

import numpy as np
from rich.progress import track

from deltawire import Client, Network

NOISE, PRIOR, DRAWS, LEAPS, STEP = 0.5, 2.0, 400, 6, 0.03
stream = np.random.default_rng(0)
x = np.linspace(-1, 1, 40).reshape(-1, 1)
data = {"x": x, "y": 1.5 * x - 0.5 + NOISE * stream.normal(size=x.shape)}

net = Network()
line = net.layer("linear", net.input("x", shape=(1,)), units=1, name="line")
net.loss = net.layer("squared_error", line, net.input("y", shape=(1,)))
client = Client(*sys.argv[1:])  # without a URL, the service runs in this process


def energy(params):
    """Return minus the logarithm of the posterior, and its gradients."""
    answer = client.gradients(net, params, data, reduction="sum")
    value = answer.loss / (2 * NOISE**2) + sum((each**2).sum() for each in params.values()) / (2 * PRIOR**2)
    slopes = {name: answer.params[name] / (2 * NOISE**2) + params[name] / PRIOR**2 for name in params}
    return value, slopes


params, draws, accepted = client.init(net, seed=0), [], 0
value, slopes = energy(params)
for _ in track(range(DRAWS), "draws"):
    momentum = {name: stream.normal(size=array.shape) for name, array in params.items()}
    start = value + sum((p**2).sum() for p in momentum.values()) / 2
    there, force = params, slopes
    for _ in range(LEAPS):  # leapfrog: half a kick, a drift, half a kick
        momentum = {name: momentum[name] - STEP / 2 * force[name] for name in force}
        there = {name: there[name] + STEP * momentum[name] for name in there}
        new, force = energy(there)
        momentum = {name: momentum[name] - STEP / 2 * force[name] for name in force}
    end = new + sum((p**2).sum() for p in momentum.values()) / 2
    if np.log(stream.uniform()) < start - end:
        params, value, slopes, accepted = there, new, force, accepted + 1
    draws.append([params["line.weight"].item(), params["line.bias"].item()])

design = np.column_stack([x, np.ones_like(x)])
covariance = np.linalg.inv(design.T @ design / NOISE**2 + np.eye(2) / PRIOR**2)
mean, spread = covariance @ design.T @ data["y"][:, 0] / NOISE**2, np.sqrt(np.diag(covariance))
found = np.array(draws[50:])
print(f"accepted {accepted / DRAWS:.0%}")
for name, column, expected, width in zip(("weight", "bias"), found.T, mean, spread, strict=True):
    print(
        f"{name:6}  sampled {column.mean():+.3f} ± {column.std():.3f}   exact {expected:+.3f} ± {width:.3f}"
    )
if not (np.abs(found.mean(axis=0) - mean) < spread / 2).all() or not np.allclose(
    found.std(axis=0), spread, rtol=0.3
):
    sys.exit("the draws are not those of the posterior")
