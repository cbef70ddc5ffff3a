"""Sample the parameters of a served network with PyMC's NUTS, over UM-Bridge.

The network is a straight line through eleven points, whose noise has σ = ½. Its loss is minus the logarithm
of the likelihood. Everything is Gaussian, so the right result is known.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pymc
from umbridge.pymc import UmbridgeOp

SIGMA, PRIOR = 0.5, 2.0


def sample(url: str, draws: int = 300) -> np.ndarray:
    """Return draws of weight and bias, (draws, 2)."""
    loglik = UmbridgeOp(url, "line.loglik")
    with pymc.Model():
        theta = pymc.Normal("theta", sigma=PRIOR, shape=2)
        pymc.Potential("likelihood", loglik(theta)[0])
        trace = pymc.sample(
            draws,
            tune=200,
            chains=1,
            cores=1,
            random_seed=0,
            progressbar=False,
            compute_convergence_checks=False,
        )
    return trace.posterior["theta"].values[0]


def exact() -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of weight and bias, in closed form."""
    data = json.loads((Path(__file__).parent / "line.json").read_text())["data"]
    x, y = np.ravel(data["x"]), np.ravel(data["y"])
    design = np.stack([x, np.ones_like(x)], axis=1)
    covariance = np.linalg.inv(design.T @ design / SIGMA**2 + np.eye(2) / PRIOR**2)
    return covariance @ design.T @ y / SIGMA**2, np.sqrt(np.diag(covariance))


def main(url: str = "http://127.0.0.1:8000") -> None:
    draws = sample(url)
    mean, spread = exact()
    for name, found, expected, error in zip(("weight", "bias"), draws.T, mean, spread, strict=True):
        print(
            f"{name:6}  sampled {found.mean():+.3f} ± {found.std():.3f}   exact {expected:+.3f} ± {error:.3f}"
        )
    if not (np.abs(draws.mean(axis=0) - mean) < spread / 2).all():
        sys.exit("the draws are not where they should be")


if __name__ == "__main__":
    main(*sys.argv[1:])
