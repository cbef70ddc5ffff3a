// Matrix products by the CBLAS of this process, whose functions Python hands over: so every bit is that of its products.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace blas {

constexpr int BY_ROWS = 101, AS_IT_IS = 111, TRANSPOSED = 112;  // constants of CBLAS

// Functions for one type of numbers; null until they are handed over.
struct Functions {
    void *gemm = nullptr, *gemv = nullptr;
};

struct Blas {
    Functions singles, doubles;
    bool wide = false;  // whether its integers have 64 bits
    std::size_t least = std::numeric_limits<std::size_t>::max();  // multiplications from which it computes

    const Functions &functions(float) const { return singles; }
    const Functions &functions(double) const { return doubles; }
};

inline Blas numpy, large;  // that of numpy, and the one that computes large products, if there is one

// Calls a function with a number of the type that the integers of a CBLAS have.
template <class Call> void with_integers(const Blas &of, Call call) {
    if (of.wide)
        call(std::int64_t());
    else
        call(std::int32_t());
}

// A matrix as it is stored: turned or not, with so many numbers from a row to the next.
template <class T> struct Stored {
    const T *first;
    std::size_t row;
    bool turned;
};

// a (n, terms) times b (terms, m), to rows that lie `row` numbers apart.
template <class T>
void multiply(const Stored<T> &a, const Stored<T> &b, T *to, std::size_t row, std::size_t n, std::size_t m, std::size_t terms) {
    const Blas &by = n * m * terms >= large.least ? large : numpy;
    with_integers(by, [=]<class Int>(Int) {
        using Gemm = void (*)(int, int, int, Int, Int, Int, T, const T *, Int, const T *, Int, T, T *, Int);
        reinterpret_cast<Gemm>(by.functions(T()).gemm)(
            BY_ROWS, a.turned ? TRANSPOSED : AS_IT_IS, b.turned ? TRANSPOSED : AS_IT_IS, Int(n), Int(m), Int(terms), 1,
            a.first, Int(a.row), b.first, Int(b.row), 0, to, Int(row));
    });
}

// A matrix (rows, columns), perhaps turned, times a vector.
template <class T>
void multiply_vector(bool turns, std::size_t rows, std::size_t columns, const T *matrix, const T *vector, T *to) {
    with_integers(numpy, [=]<class Int>(Int) {
        using Gemv = void (*)(int, int, Int, Int, T, const T *, Int, const T *, Int, T, T *, Int);
        reinterpret_cast<Gemv>(numpy.functions(T()).gemv)(BY_ROWS, turns ? TRANSPOSED : AS_IT_IS, Int(rows), Int(columns),
                                                          1, matrix, Int(columns), vector, 1, 0, to, 1);
    });
}

// Rows and columns of a matrix.
struct Block { std::size_t row, rows, column, columns; };

// A product of matrices, a (n, terms) times b (terms, m), which is computed in blocks.
template <class T> struct Product {
    Stored<T> a, b;
    std::size_t n, m, terms;

    // How many blocks it always has, as in numeric/multiplication/pieces.py: their number is part of its bits.
    std::size_t blocks() const {
        constexpr std::size_t PIECE = 1 << 24, WIDTH = 256, HALF = 128, MOST = 16;
        const std::size_t work = n * m * terms;
        if (work < 2 * PIECE) return 1;
        const std::size_t most = std::max<std::size_t>(std::max(n, m) / WIDTH, std::min(n, m) >= 2 * HALF ? 2 : 1);
        const std::size_t count = std::max<std::size_t>(1, std::min({MOST, most, work / PIECE}));
        return count == 1 ? 1 : count - count % 2;
    }

    Block block(std::size_t number, std::size_t blocks) const {
        const std::size_t length = std::max(n, m), start = length * number / blocks;
        const std::size_t size = length * (number + 1) / blocks - start;
        return n >= m ? Block{start, size, 0, m} : Block{0, n, start, size};
    }

    void compute(T *to, const Block &block) const {
        multiply({a.first + block.row * (a.turned ? 1 : a.row), a.row, a.turned},
                 {b.first + block.column * (b.turned ? b.row : 1), b.row, b.turned},
                 to + block.row * m + block.column, m, block.rows, block.columns, terms);
    }
};

// x (rows, n) times the transpose of a matrix (units, n): (rows, units).
template <class T> Product<T> project(const T *x, const T *matrix, std::size_t rows, std::size_t n, std::size_t units) {
    return {{x, n, false}, {matrix, n, true}, rows, units, n};
}

// δ (rows, units) times a matrix (units, n): (rows, n).
template <class T> Product<T> send(const T *delta, const T *matrix, std::size_t rows, std::size_t units, std::size_t n) {
    return {{delta, units, false}, {matrix, n, false}, rows, n, units};
}

// The transpose of δ (rows, units) times x (rows, n): (units, n).
template <class T> Product<T> outer(const T *delta, const T *x, std::size_t rows, std::size_t units, std::size_t n) {
    return {{delta, units, true}, {x, n, false}, units, n, rows};
}

constexpr std::size_t TERMS = 256;  // of a sum, which are added one after the other, as in numeric/sums.py

// The sum of rows, as their transpose times a vector of ones: in blocks, whose sums are added in pairs.
template <class T> void sum_rows(const T *a, T *to, std::size_t rows, std::size_t count) {
    const std::vector<T> ones(std::min(rows, TERMS), T(1));
    std::size_t blocks = (rows + TERMS - 1) / TERMS;
    if (blocks == 1) return multiply_vector(true, rows, count, a, ones.data(), to);
    std::vector<T> parts(blocks * count);
    for (std::size_t i = 0; i < blocks; ++i)
        multiply_vector(true, std::min(TERMS, rows - i * TERMS), count, a + i * TERMS * count, ones.data(),
                        parts.data() + i * count);
    while (blocks > 1) {
        const std::size_t half = blocks / 2;
        for (std::size_t j = 0; j < half * count; ++j) parts[j] += parts[half * count + j];
        if (blocks % 2)
            for (std::size_t j = 0; j < count; ++j) parts[j] += parts[2 * half * count + j];
        blocks = half;
    }
    std::copy_n(parts.begin(), count, to);
}

}  // namespace blas
