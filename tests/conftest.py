"""How thoroughly random tests search, from which seed, and which tests wait for other processes."""

import gc
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("quick", deadline=None, max_examples=100, suppress_health_check=SLOW)
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=SLOW)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")
settings.load_profile(PROFILE)


TESTS = Path(__file__).parent
SERVERS = (
    *(
        "service/server",
        "service/http/test_streaming.py",
        "torture",
        "hostile",
        "end_to_end/test_deadlines.py",
    ),
    *("end_to_end/test_idempotency_keys.py", "end_to_end/test_models.py", "end_to_end/test_models_docs.py"),
    *("end_to_end/test_networks.py", "end_to_end/test_responsive.py", "end_to_end/test_training_docs.py"),
    *("end_to_end/test_time.py", "end_to_end/test_memory.py", "client/runs", "service/cli/runs"),
    *("client/integrations/test_sklearn.py", "client/transport/test_embedded.py"),
    *(
        "service/admission/test_rate_limits.py",
        "service/cli/test_new_layer.py",
        "service/test_gunicorn_conf.py",
    ),
    *("service/datasets/test_dying.py", "service/engine/test_same_bits.py", "service/store/test_database.py"),
    *(f"service/cli/demos/test_{module}.py" for module in ("command", "service", "training")),
    *("service/training/test_trainer.py", "service/training/test_survival.py"),
    *("end_to_end/test_python_docs.py", "end_to_end/test_large_models.py"),
    *("service/cli/test_group.py", "service/cli/test_serve.py", "client/transport/test_fork.py"),
    *("service/datasets/test_row_order.py", "service/cli/models", "service/cli/datasets"),
    *("service/cli/test_docs.py", "service/cli/test_published.py", "service/cli/test_outcome.py"),
    *("client/transport/test_http.py", "service/admission/test_compute_queue.py"),
    *("service/training/test_watchdog.py", "service/observability/test_metrics.py"),
    "end_to_end/test_simulators.py",
)
"""Tests that start servers or other processes, or take long otherwise: a stage of CI runs them."""


STAGES = {"servers": SERVERS, "kit": ("plugins/kit",)}
"""Places of the tests that have a stage of CI of their own, by its marker."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for marker, places in STAGES.items():
        starts = tuple(str(TESTS / place) for place in places)
        for item in items:
            if str(item.path).startswith(starts):
                item.add_marker(marker)


def pytest_collection_finish() -> None:
    """Let later collections of garbage leave out the thousands of tests."""
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--hypothesis-seed", default=None) is None:
        config.option.hypothesis_seed = random.randrange(2**32)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seed = config.option.hypothesis_seed
    terminalreporter.write_line(f"random tests: HYPOTHESIS_PROFILE={PROFILE} --hypothesis-seed={seed}")
