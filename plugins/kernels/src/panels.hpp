// Products of a few rows with a matrix that many products share: it is packed once.
//
// A panel is some columns of the matrix, row after row; zeros fill up the last. The sums of a few rows with a part of
// a panel stay in registers. Each is made in the order of its terms, of fused products, whatever the size of vectors.
#pragma once

#include <algorithm>
#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "blocks.hpp"
#include "variant.hpp"

namespace VARIANT {

// x times each number of b, and the sum added, rounded once.
#if defined(__AVX512F__)
INLINE __m512 fused(float x, __m512 b, __m512 sum) { return _mm512_fmadd_ps(_mm512_set1_ps(x), b, sum); }
INLINE __m512d fused(double x, __m512d b, __m512d sum) { return _mm512_fmadd_pd(_mm512_set1_pd(x), b, sum); }
#elif defined(__AVX2__)
INLINE __m256 fused(float x, __m256 b, __m256 sum) { return _mm256_fmadd_ps(_mm256_set1_ps(x), b, sum); }
INLINE __m256d fused(double x, __m256d b, __m256d sum) { return _mm256_fmadd_pd(_mm256_set1_pd(x), b, sum); }
#else
INLINE float32x4_t fused(float x, float32x4_t b, float32x4_t sum) { return vfmaq_n_f32(sum, b, x); }
INLINE float64x2_t fused(double x, float64x2_t b, float64x2_t sum) { return vfmaq_n_f64(sum, b, x); }
#endif

constexpr std::size_t TERMS = 256;  // of a sum, one after the other; the sums of so many are added up
constexpr std::size_t SECOND = 1 << 18;  // bytes that stay in the second cache
#if defined(__AVX512F__)
constexpr std::size_t PART = 128, ROWS = 8;  // bytes of a panel, and rows, whose sums fit the registers
#else
constexpr std::size_t PART = 64, ROWS = 6;
#endif
constexpr std::size_t LEAST = 64;  // bytes of a part that columns do not fill

// Some rows of panels that have `terms` rows; `panels` is the place of the first of them.
template <class T> void pack_rows(Matrix<T> b, T *panels, std::size_t terms) {
    constexpr std::size_t width = PANEL / sizeof(T), few = 16;  // rows that stay in the nearest cache
    for (std::size_t column = 0; column < b.columns; column += width, panels += terms * width) {
        const std::size_t count = std::min(width, b.columns - column);
        if (count < width) std::fill_n(panels, b.rows * width, T(0));
        if (b.across == 1 && count == width)  // the compiler knows how many
            for (std::size_t k = 0; k < b.rows; ++k) std::copy_n(b.at(k, column), width, panels + k * width);
        else if (b.across == 1)
            for (std::size_t k = 0; k < b.rows; ++k) std::copy_n(b.at(k, column), count, panels + k * width);
        else
            for (std::size_t first = 0; first < b.rows; first += few)
                for (std::size_t i = 0; i < count; ++i)
                    for (std::size_t k = first; k < std::min(first + few, b.rows); ++k)
                        panels[k * width + i] = *b.at(k, column + i);
    }
}

template <class T> void pack(Matrix<T> b, T *panels) { pack_rows(b, panels, b.rows); }

// Numbers of one part of a panel, for some rows: `base` and the sum of `terms` products.
template <std::size_t rows, std::size_t bytes, class T>
void add_products(Matrix<T> a, const T *panel, std::size_t terms, Strided<T> base, T *value, std::size_t stride,
                  std::size_t count) {
    using Blocks = Block<T>;
    constexpr std::size_t blocks = bytes / VECTOR, width = PANEL / sizeof(T);
    const T *from[rows];
    for (std::size_t row = 0; row < rows; ++row) from[row] = a.at(row, 0);
    typename Blocks::Numbers sums[rows][blocks] = {};  // in registers, as no address of theirs is taken
    for (std::size_t k = 0; k < terms; ++k) {
        typename Blocks::Numbers b[blocks];
#pragma GCC unroll 4
        for (std::size_t i = 0; i < blocks; ++i) b[i] = Blocks::load(panel + k * width + i * Blocks::size);
#pragma GCC unroll 8
        for (std::size_t row = 0; row < rows; ++row)
#pragma GCC unroll 4
            for (std::size_t i = 0; i < blocks; ++i) sums[row][i] = fused(from[row][k], b[i], sums[row][i]);
    }
#pragma GCC unroll 8
    for (std::size_t row = 0; row < rows; ++row) {
        T each[bytes / sizeof(T)];
#pragma GCC unroll 4
        for (std::size_t i = 0; i < blocks; ++i) Blocks::store(each + i * Blocks::size, sums[row][i]);
        const T *start = base.at(row, nullptr);
        T *to = value + row * stride;
        for (std::size_t i = 0; i < count; ++i) to[i] = start ? start[i] + each[i] : each[i];
    }
}

// The same for 1 to `most` rows.
template <std::size_t most, std::size_t bytes, class T>
void add_products_of(std::size_t rows, Matrix<T> a, const T *panel, std::size_t terms, Strided<T> base, T *value,
                     std::size_t stride, std::size_t count) {
    if constexpr (most > 1)
        if (rows < most)
            return add_products_of<most - 1, bytes>(rows, a, panel, terms, base, value, stride, count);
    add_products<most, bytes>(a, panel, terms, base, value, stride, count);
}

// Some panels' columns of a product; value (rows, columns), and `plus` is null for 0.
//
// All rows pass for each part of a panel. Where they do not stay in the second cache, as many panels as do pass for
// each few rows, with as many terms as are added up.
template <class T>
void packed_product(Matrix<T> a, const T *panels, Strided<T> plus, T *value, std::size_t stride, std::size_t columns,
                    std::size_t first, std::size_t stop) {
    constexpr std::size_t width = PANEL / sizeof(T), part = PART / sizeof(T);
    const std::size_t blocks = (a.rows + ROWS - 1) / ROWS, last = std::min(stop * width, columns);
    const std::size_t many = SECOND / (PANEL * std::clamp<std::size_t>(a.columns, 1, TERMS)) * width;
    const std::size_t group = a.rows * a.columns * sizeof(T) <= 2 * SECOND ? part : many;
    for (std::size_t start = first * width; start < last; start += group)
        for (std::size_t k = 0; k < a.columns; k += TERMS)
            for (std::size_t block = 0; block < blocks; ++block) {
                const std::size_t row = a.rows * block / blocks, end = a.rows * (block + 1) / blocks;
                const std::size_t terms = std::min(TERMS, a.columns - k);
                for (std::size_t column = start; column < std::min(start + group, last); column += part) {
                    const T *panel = panels + (column / width * a.columns + k) * width + column % width;
                    const std::size_t count = std::min(part, columns - column);
                    T *to = value + row * stride + column;
                    Strided<T> base = {to, stride};
                    if (!k) base = {plus.first ? plus.at(row, nullptr) + column : nullptr, plus.stride};
                    const Matrix<T> from = a.from(row, k);
                    if (LEAST < PART && count <= LEAST / sizeof(T))
                        add_products_of<ROWS, LEAST>(end - row, from, panel, terms, base, to, stride, count);
                    else
                        add_products_of<ROWS, PART>(end - row, from, panel, terms, base, to, stride, count);
                }
            }
}

}  // namespace VARIANT
