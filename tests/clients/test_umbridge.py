"""UM-Bridge's own client, PyMC through it under NUTS, and emcee, unmodified."""

from __future__ import annotations

import warnings
from typing import Any

import emcee
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import umbridge
from support.clients import FLOW, PARAMS, POINTS, SEEN, X, Y
from support.service import Service

with warnings.catch_warnings():  # what they warn of as they are imported is no fault of ours
    warnings.simplefilter("ignore")
    import pymc
    from umbridge.pymc import UmbridgeOp

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("default")]
SIGMA, PRIOR = 0.5, 2.0


def in_jax(flat: Any) -> Any:
    """Each example's loss, as a function of all parameters in one vector."""
    parts = jnp.split(flat, np.cumsum([array.size for array in PARAMS.values()])[:-1])
    p = {name: part.reshape(PARAMS[name].shape) for name, part in zip(PARAMS, parts, strict=True)}
    skip = jax.nn.sigmoid(X @ p["hidden.weight"].T + p["hidden.bias"]) + X
    return -jax.nn.log_softmax(skip @ p["scores.weight"].T + p["scores.bias"])[jnp.arange(2), Y]


def flat() -> np.ndarray:
    return np.concatenate([array.ravel() for array in PARAMS.values()])


@pytest.mark.parametrize("prefix", ["", "/umbridge"])
@pytest.mark.parametrize("model, of", [("pinned.loss", jnp.mean), ("pinned.loglik", lambda x: -x.sum())])
def test_the_derivatives_of_an_objective_are_those_of_jax(
    url: Service, prefix: str, model: str, of: Any
) -> None:
    with jax.enable_x64(True):
        served = umbridge.HTTPModel(f"{url}{prefix}", model)
        assert (served.get_input_sizes(), served.get_output_sizes()) == ([35], [1])

        def objective(x: Any) -> Any:
            return of(in_jax(x))

        x, vec = flat(), np.sin(np.arange(35.0))
        at, v = [x.tolist()], vec.tolist()
        gradient = jax.grad(objective)(x)
        np.testing.assert_allclose(served(at)[0], [objective(x)], rtol=1e-13)
        np.testing.assert_allclose(served.gradient(0, 0, at, [2.0]), 2 * gradient, rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(served.apply_jacobian(0, 0, at, v), [gradient @ vec], rtol=1e-11)
        hessian = jax.hessian(objective)(x)
        found = served.apply_hessian(0, 0, 0, at, [1.0], v)
        np.testing.assert_allclose(found, hessian @ vec, rtol=1e-11, atol=1e-15)


def test_data_may_come_in_the_config(url: Service) -> None:
    with jax.enable_x64(True):
        served = umbridge.HTTPModel(str(url), "flow.loglik")
        found = served([flat().tolist()], {"data": FLOW["data"]})
        np.testing.assert_allclose(found[0], [-in_jax(flat()).sum()], rtol=1e-13)
        with pytest.raises(Exception, match="InvalidInput: /data/x: 'x' is missing"):
            served([flat().tolist()])


def posterior() -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of w and b, known in closed form: all is Gaussian."""
    design = np.hstack([POINTS, np.ones_like(POINTS)])
    covariance = np.linalg.inv(design.T @ design / SIGMA**2 + np.eye(2) / PRIOR**2)
    return covariance @ design.T @ SEEN[:, 0] / SIGMA**2, covariance


def check_draws(draws: np.ndarray, independent: float) -> None:
    """Draws (n, 2), worth so many independent ones, have the posterior's mean and spread to five errors."""
    mean, covariance = posterior()
    spread = np.sqrt(np.diag(covariance))
    assert (np.abs(draws.mean(axis=0) - mean) < 5 * spread / np.sqrt(independent)).all()
    assert (np.abs(draws.std(axis=0) / spread - 1) < 5 / np.sqrt(2 * independent)).all()


def test_pymc_samples_the_parameters_with_nuts(url: Service) -> None:
    op = UmbridgeOp(str(url), "line.loglik")
    with pymc.Model():
        theta = pymc.Normal("theta", sigma=PRIOR, shape=2)
        pymc.Potential("likelihood", op(theta)[0])
        trace = pymc.sample(
            tune=150, draws=300, chains=1, cores=1, random_seed=1, progressbar=False,
            compute_convergence_checks=False, initvals={"theta": np.zeros(2)},
        )  # fmt: skip
    draws = trace.posterior["theta"].values[0]
    check_draws(draws, 60)
    assert int(trace.sample_stats["diverging"].sum()) == 0


def test_emcee_samples_them_without_gradients(url: Service) -> None:
    served = umbridge.HTTPModel(str(url), "line.loglik")

    def log_probability(theta: np.ndarray) -> float:
        return served([theta.tolist()])[0][0] - float(theta @ theta) / (2 * PRIOR**2)

    np.random.seed(2)
    sampler = emcee.EnsembleSampler(8, 2, log_probability)
    sampler.run_mcmc(np.random.normal(0, 0.3, (8, 2)), 200)
    check_draws(sampler.get_chain(discard=60, flat=True), 50)


def test_forward_models(url: Service) -> None:
    served = umbridge.HTTPModel(str(url), "flow")
    assert (served.get_input_sizes(), served.get_output_sizes()) == ([4], [3])
    with jax.enable_x64(True):

        def probs(x: Any) -> Any:
            p = PARAMS
            skip = jax.nn.sigmoid(p["hidden.weight"] @ x + p["hidden.bias"]) + x
            return jax.nn.softmax(p["scores.weight"] @ skip + p["scores.bias"])

        x, sens, vec = X[0], np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.1, -1.0, 2.0])
        at = [x.tolist()]
        np.testing.assert_allclose(served(at)[0], probs(x), rtol=1e-13)
        jacobian = jax.jacobian(probs)(x)
        found = served.gradient(0, 0, at, sens.tolist())
        np.testing.assert_allclose(found, sens @ jacobian, rtol=1e-11, atol=1e-15)
        found = served.apply_jacobian(0, 0, at, vec.tolist())
        np.testing.assert_allclose(found, jacobian @ vec, rtol=1e-11, atol=1e-15)
        hessian = jax.hessian(lambda x: sens @ probs(x))(x)
        found = served.apply_hessian(0, 0, 0, at, sens.tolist(), vec.tolist())
        np.testing.assert_allclose(found, hessian @ vec, rtol=1e-11, atol=1e-15)
