// Matrix products by the CBLAS of numpy, whose functions Python hands over: so every bit is that of numpy's products.
#pragma once

#include <cstddef>
#include <cstdint>
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
};

inline Blas numpy;

inline const Functions &functions(float) { return numpy.singles; }
inline const Functions &functions(double) { return numpy.doubles; }

// Calls a function with a number of the type that the integers of CBLAS have.
template <class Call> void with_integers(Call call) {
    if (numpy.wide)
        call(std::int64_t());
    else
        call(std::int32_t());
}

// a (n, terms) times b (terms, m); each may be stored turned. `a_row` and `b_row`: numbers of a stored row.
template <class T>
void multiply(bool turns_a, bool turns_b, std::size_t n, std::size_t m, std::size_t terms, const T *a, std::size_t a_row,
              const T *b, std::size_t b_row, T *to) {
    with_integers([=]<class Int>(Int) {
        using Gemm = void (*)(int, int, int, Int, Int, Int, T, const T *, Int, const T *, Int, T, T *, Int);
        const int a_is = turns_a ? TRANSPOSED : AS_IT_IS, b_is = turns_b ? TRANSPOSED : AS_IT_IS;
        reinterpret_cast<Gemm>(functions(T()).gemm)(BY_ROWS, a_is, b_is, Int(n), Int(m), Int(terms), 1, a, Int(a_row), b,
                                                    Int(b_row), 0, to, Int(m));
    });
}

// A matrix (rows, columns), perhaps turned, times a vector.
template <class T>
void multiply_vector(bool turns, std::size_t rows, std::size_t columns, const T *matrix, const T *vector, T *to) {
    with_integers([=]<class Int>(Int) {
        using Gemv = void (*)(int, int, Int, Int, T, const T *, Int, const T *, Int, T, T *, Int);
        reinterpret_cast<Gemv>(functions(T()).gemv)(BY_ROWS, turns ? TRANSPOSED : AS_IT_IS, Int(rows), Int(columns), 1,
                                                    matrix, Int(columns), vector, 1, 0, to, 1);
    });
}

// x (rows, n) times the transpose of a matrix (units, n): (rows, units). A single row is a vector, as for numpy.
template <class T>
void project(const T *x, const T *matrix, T *to, std::size_t rows, std::size_t n, std::size_t units) {
    if (rows == 1) return multiply_vector(false, units, n, matrix, x, to);
    multiply(false, true, rows, units, n, x, n, matrix, n, to);
}

// δ (rows, units) times a matrix (units, n): (rows, n).
template <class T>
void send(const T *delta, const T *matrix, T *to, std::size_t rows, std::size_t units, std::size_t n) {
    if (rows == 1) return multiply_vector(true, units, n, matrix, delta, to);
    multiply(false, false, rows, n, units, delta, units, matrix, n, to);
}

// The transpose of δ (rows, units) times x (rows, n): (units, n).
template <class T>
void outer(const T *delta, const T *x, T *to, std::size_t rows, std::size_t units, std::size_t n) {
    multiply(true, false, units, n, rows, delta, units, x, n, to);
}

// The sum of rows, as their transpose times a vector of ones.
template <class T> void sum_rows(const T *a, T *to, std::size_t rows, std::size_t count) {
    const std::vector<T> ones(rows, T(1));
    multiply_vector(true, rows, count, a, ones.data(), to);
}

}  // namespace blas
