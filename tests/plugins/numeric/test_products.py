"""Products of what moves by the complex step: beside numpy's own, which multiply the steps too."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deltawire_layers import Layer, Shape, check_layer
from deltawire_layers.layers.attention import Attention, MultiHeadAttention
from deltawire_layers.layers.combine import Matmul
from deltawire_layers.layers.convolution.convolution import Conv1d
from deltawire_layers.layers.linear import Linear
from deltawire_layers.layers.recurrent.cells import Elman, Gru, Lstm
from deltawire_layers.numeric import products
from deltawire_layers.numeric.complex_parts import Known, moved_pass, parts

Array = NDArray[Any]

COMPLEX_STEP = 1e-200
SHAPES = [((40, 70), (70, 90)), ((3, 40, 70), (3, 70, 90)), ((2, 3, 40, 70), (2, 3, 70, 90))]
LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "rows": np.ascontiguousarray,
    "columns": lambda array: np.ascontiguousarray(array.swapaxes(-1, -2)).swapaxes(-1, -2),
    "apart": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "reversed": lambda array: np.ascontiguousarray(array[..., ::-1])[..., ::-1],
}


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small matrices are taken apart too."""
    monkeypatch.setattr(products, "FEWEST", 0)


def moved(shape: tuple[int, ...], step: float = COMPLEX_STEP, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + 1j * step * rng.standard_normal(shape)


def same(result: Array, expected: Array) -> None:
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(result.real, expected.real, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(
        result.imag / COMPLEX_STEP, expected.imag / COMPLEX_STEP, rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize("block", [2**18, 20_000, 1_000, 1])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_products_are_numpys(shapes: Any, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "BLOCK", block)
    for left in LAYOUTS.values():
        for right in LAYOUTS.values():
            a, b = left(moved(shapes[0])), right(moved(shapes[1], seed=1))
            same(products.matmul(a, b), a @ b)
            if a.ndim == 2:
                same(products.outer(left(a.T), b), a @ b)


@pytest.mark.parametrize("steps", [(0, COMPLEX_STEP), (COMPLEX_STEP, 0), (0, 0)])
def test_what_does_not_move_takes_no_part(steps: tuple[float, float]) -> None:
    a, b = moved((40, 70), steps[0]), moved((70, 90), steps[1], seed=1)
    same(products.matmul(a, b), a @ b)
    same(products.outer(a.T, b), a @ b)
    one = moved((70, 90), 0)
    one[-1, -1] += 1j * COMPLEX_STEP  # not in the first row
    same(products.matmul(a, one), a @ one)
    same(products.matmul(one.T, a.T), one.T @ a.T)


@np.errstate(invalid="ignore")
@pytest.mark.parametrize(
    "steps", [(0, 0), (0, COMPLEX_STEP), (COMPLEX_STEP, 0), (COMPLEX_STEP, COMPLEX_STEP)]
)
def test_what_is_not_finite_in_blas_is_not_finite_here(steps: tuple[float, float]) -> None:
    a, b = moved((40, 70), steps[0]), moved((70, 90), steps[1], seed=1)
    a[3, 5] = np.inf
    expected = a @ b
    value, gradient = products.matmul(a, b), products.outer(a.T, b)
    for result in (value, gradient):
        np.testing.assert_allclose(result.real, a.real @ b.real, rtol=1e-12, atol=1e-12)  # BLAS: not a number
    for part in (value.real, value.imag, gradient.real):
        np.testing.assert_array_equal(np.isfinite(part), np.isfinite(expected))
    # Nothing follows a gradient: how it moves may be finite where it is not, as where no factor moves.
    moves = a.imag @ b.real + (a.real @ b.imag if steps[1] else 0)
    np.testing.assert_array_equal(np.isfinite(gradient.imag), np.isfinite(moves))


@pytest.mark.parametrize("steps", [(0, COMPLEX_STEP), (COMPLEX_STEP, 0), (COMPLEX_STEP, COMPLEX_STEP)])
@pytest.mark.parametrize("block", [2**18, 1_000])
def test_of_a_result_the_real_part_is_left_out_where_nobody_reads_it(
    steps: tuple[float, float], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "BLOCK", block)
    a, b = moved((70, 40), steps[0]), moved((70, 90), steps[1], seed=1)
    whole = products.outer(a, b)
    same(whole, a.T @ b)
    with moved_pass([], only_moves=True):
        np.testing.assert_array_equal(products.outer(a, b), whole)
        part = products.outer(a, b, of_result=True)
    assert np.isnan(part.real).all()
    np.testing.assert_array_equal(part.imag, whole.imag)
    with moved_pass([], only_moves=False):
        np.testing.assert_array_equal(products.outer(a, b, of_result=True), whole)


VIEWS: dict[str, Callable[[Array], Array]] = {
    "as it is": lambda W: W,
    "transposed": lambda W: W.T,
    "as another matrix": lambda W: W.reshape(30, 100),
    "in part": lambda W: W[:, :40],
    "backwards": lambda W: W[::-1],
    "of one row for all": lambda W: np.broadcast_to(W[:1], (60, 50)),
}


@pytest.mark.parametrize("imag", [True, False])
@pytest.mark.parametrize("name", VIEWS)
def test_known_parts_make_no_difference(name: str, imag: bool) -> None:
    W = moved((60, 50), COMPLEX_STEP if imag else 0)
    known = Known(W, W.real.copy(), W.imag.copy() if imag else None)
    view = VIEWS[name](W)
    x, y = moved((70, view.shape[0]), seed=1), moved((view.shape[1], 70), seed=2)
    alone = products.matmul(x, view), products.matmul(view, y)
    with moved_pass([known], only_moves=False):
        together = products.matmul(x, view), products.matmul(view, y)
        found = parts(view)
    for one, other in zip(alone, together, strict=True):
        for each, known_each in ((one.real, other.real), (one.imag, other.imag)):
            # Rows of parts that are not known are further apart: some BLAS sum in another order then.
            np.testing.assert_allclose(known_each, each, rtol=0, atol=1e-14 * np.abs(each).max())
    taken = found.real.base is not None and np.shares_memory(found.real, known.real)
    assert taken == (name in ("as it is", "transposed", "as another matrix"))


def test_the_product_of_two_steps_is_left_out() -> None:
    a, b = moved((40, 70), 1.0), moved((70, 90), 1.0)
    np.testing.assert_allclose(products.matmul(a, b).real, a.real @ b.real, rtol=1e-13)


def test_real_and_small_products_are_numpys_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "FEWEST", 32)
    for array in (moved((6, 7)), moved((60, 70)).real, moved((60, 70)).real.astype(np.float32)):
        np.testing.assert_array_equal(products.matmul(array, array.T), np.dot(array, array.T))
        np.testing.assert_array_equal(products.outer(array, array), np.dot(array.T, array))
        assert products.matmul(array, array.T).dtype == array.dtype


@pytest.mark.parametrize("rows", [20_000, 40_000])
def test_what_is_taken_apart_is_bounded(rows: int) -> None:
    x, W, delta = moved((rows, 50)), moved((40, 50)), moved((rows, 40))
    pairs = moved((2, rows // 50, 40)), moved((2, 40, rows // 50))  # of which one alone is too large
    for call in (
        lambda: products.matmul(x, W.T),
        lambda: products.matmul(delta, W),
        lambda: products.outer(delta, x),
        lambda: products.matmul(*pairs),
    ):
        tracemalloc.start()
        result = call()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak - result.nbytes <= 40 * products.BLOCK


@pytest.mark.parametrize(
    "layer, shapes",
    [
        (Linear(units=3), [(2, 4)]),
        (Matmul(), [(2, 3), (3, 4)]),
        (Attention(), [(3, 2), (4, 2), (4, 3)]),
        (MultiHeadAttention(heads=2), [(3, 4), (2, 4), (2, 4)]),
        (Conv1d(channels=4, kernel=2, groups=2), [(4, 5)]),
        (Elman(units=3), [(3, 2)]),
        (Gru(units=2), [(3, 2)]),
        (Lstm(units=2), [(3, 2)]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_layers_keep_the_contract_by_them(
    layer: Layer, shapes: list[Shape], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "BLOCK", 20)
    check_layer(layer, *shapes)
