"""Convolutions of several channels: columns and the way back, bands of windows, and what is packed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shared_pieces import shared

from deltawire_layers import kernels, sharing
from deltawire_layers.numeric import correlation
from deltawire_layers.numeric.compiled import panelled, panels
from deltawire_layers.numeric.correlation import Correlation
from deltawire_layers.numeric.windows import Window

pytestmark = pytest.mark.kernels

LARGE: dict[str, tuple[int, tuple[int, ...], tuple[int, ...], Window]] = {
    "several bands": (1, (2, 64, 28, 28), (2, 24, 28, 28), Window(3, 1, (1, 1))),
    "groups, with strides": (2, (3, 8, 30, 31), (3, 34, 14, 14), Window(7, 2, (2, 2))),
    "dilated": (1, (2, 5, 29, 23), (2, 17, 27, 21), Window(3, 1, (2, 2), 3)),
    "one place with strides": (1, (3, 33, 25, 25), (3, 16, 13, 13), Window(1, 2, (0, 0))),
}


def drawn(name: str) -> tuple[Correlation, Any, Any, Any]:
    """Return the windows, W, the wide and the narrow side."""
    groups, wide, narrow, window = LARGE[name]
    random = np.random.default_rng(0)
    sizes = ((narrow[1], wide[1] // groups, window.kernel, window.kernel), wide, narrow)
    arrays = [random.normal(size=size).astype(np.float32) for size in sizes]
    return Correlation((window, window), groups), *arrays


def results(name: str) -> list[Any]:
    """Return the correlation, its transpose, and the gradient of the kernels."""
    correlated, W, wide, narrow = drawn(name)
    return [
        correlated.narrowed(W, wide, narrow.shape),
        correlated.widened(W, narrow, wide.shape),
        correlated.kernel_gradient(narrow, wide, W.shape),
    ]


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("block_bytes", [2**22, 2**17])
def test_products_of_large_convolutions_are_those_of_numpy(
    name: str, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panelled, "INSTRUCTIONS", kernels.instructions())
    monkeypatch.setattr(correlation, "BLOCK_BYTES", block_bytes)
    compiled = results(name)
    monkeypatch.setattr(kernels, "compiled", None)
    for got, expected in zip(compiled, results(name), strict=True):
        assert got.dtype == expected.dtype and got.shape == expected.shape
        size = np.abs(expected).max()
        np.testing.assert_allclose(got, expected, rtol=0, atol=40 * np.finfo(np.float32).eps * size)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bands_have_the_bits_of_a_packed_product_of_all_columns(dtype: str) -> None:
    """`test_panels.py` has the twin of such a product."""
    import deltawire_kernels

    correlated, *arrays = drawn("several bands")
    W, wide, narrow = (array.astype(dtype) for array in arrays)
    value = np.empty_like(narrow)
    matrices = W.reshape(1, len(W), -1)
    assert panelled.narrowed(correlated.windows, matrices, wide, value)
    for example, expected in zip(wide, value, strict=True):
        columns = np.empty((matrices.shape[2], 28 * 28), dtype)
        deltawire_kernels.gather(example, columns, (64, 1, *[28] * 4, *[3] * 2, *[1] * 6))
        product = panels.packed(columns)
        assert product is not None
        assert product(matrices[0]).tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", LARGE)
def test_threads_that_share_rows_of_windows_change_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panelled, "INSTRUCTIONS", kernels.instructions())
    alone = results(name)
    monkeypatch.setattr(sharing, "NUMBERS", 8)
    monkeypatch.setattr(panelled, "MOST", 1)  # a look at the deadline after each row of windows
    counts: list[int] = []
    with shared(counts):
        together = results(name)
    assert max(counts) > 1
    assert [each.tobytes() for each in together] == [each.tobytes() for each in alone]


@pytest.mark.parametrize(
    ("shape", "windows", "dtype", "pays"),
    [
        ((1, 16, 32), 128, "float32", True),
        ((1, 15, 32), 128, "float32", False),
        ((1, 16, 31), 128, "float32", False),
        ((1, 16, 32), 127, "float32", False),
        ((1, 16, 32), 128, "float64", False),
        ((1, 16, 32), 128, "complex128", False),
    ],
)
def test_shapes_decide_which_products_are_packed(
    shape: tuple[int, ...], windows: int, dtype: str, pays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrices = np.ones(shape, dtype)
    monkeypatch.setattr(panelled, "INSTRUCTIONS", kernels.instructions())
    assert panelled.pays(matrices, windows) == pays
    assert bool(panelled.Turned.of(matrices, windows)) == pays
    monkeypatch.setattr(panelled, "LARGEST", 500)
    assert panelled.Turned.of(matrices, windows) is None
    monkeypatch.setattr(panelled, "INSTRUCTIONS", "others")
    assert not panelled.pays(matrices, windows)


def test_a_row_of_windows_that_is_too_large_is_left_to_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    correlated, W, wide, narrow = drawn("dilated")
    matrices, value = W.reshape(1, len(W), -1), np.empty_like(narrow)
    assert panelled.narrowed(correlated.windows, matrices, wide, value)
    assert not panelled.narrowed(correlated.windows[:1], matrices, wide[..., 0], value[..., 0])
    monkeypatch.setattr(panelled, "LARGEST_ROW", W[0].nbytes * narrow.shape[-1] - 1)
    assert not panelled.narrowed(correlated.windows, matrices, wide, value)


@given(
    sizes=st.tuples(*[st.integers(1, 20)] * 2),
    kernel=st.tuples(*[st.integers(1, 5)] * 2),
    strides=st.tuples(*[st.integers(1, 3)] * 2),
    dilations=st.tuples(*[st.integers(1, 3)] * 2),
    padding=st.tuples(*[st.integers(0, 6)] * 4),
    counts=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(1, 9)),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_whole_numbers_are_exact_for_any_windows(
    sizes: Any, kernel: Any, strides: Any, dilations: Any, padding: Any, counts: Any, dtype: str, seed: int
) -> None:
    """Sums of small whole numbers are not rounded: all three functions agree with numpy's to the bit."""
    seen = [1 + (each - 1) * apart for each, apart in zip(kernel, dilations, strict=True)]
    padded = [size + padding[place] + padding[place + 2] for place, size in enumerate(sizes)]
    ahead = [max(0, each - size) for each, size in zip(seen, padded, strict=True)]
    windows = tuple(
        Window(kernel[i], strides[i], (padding[i] + ahead[i], padding[i + 2]), dilations[i]) for i in range(2)
    )
    out = [(padded[i] + ahead[i] - seen[i]) // strides[i] + 1 for i in range(2)]
    batch, groups, channels, rows = counts
    random = np.random.default_rng(seed)
    W, wide, narrow = (
        random.integers(-3, 4, size=size).astype(dtype)
        for size in (
            (groups * rows, channels, *kernel),
            (batch, groups * channels, *sizes),
            (batch, groups * rows, *out),
        )
    )
    correlated = Correlation(windows, groups)

    def all_three() -> list[Any]:
        value = correlated.narrowed(W, wide, narrow.shape)
        return [
            value,
            correlated.widened(W, narrow, wide.shape),
            correlated.kernel_gradient(narrow, wide, W.shape),
        ]

    by_bands = np.full_like(narrow, np.nan)
    with pytest.MonkeyPatch.context() as patch:
        assert panelled.narrowed(windows, W.reshape(groups, rows, -1), wide, by_bands)
        compiled = all_three()
        patch.setattr(kernels, "compiled", None)
        expected = all_three()
    for got, twin in zip([by_bands, *compiled], [expected[0], *expected], strict=True):
        np.testing.assert_array_equal(got, twin)
