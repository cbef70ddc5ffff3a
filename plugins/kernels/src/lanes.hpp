// Sums of a row in eight lanes of double precision, whose order is the same on every processor.
#pragma once

#include <cstddef>

namespace VARIANT {

constexpr std::size_t LANES = 8;

typedef double Lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef double LanesOfDouble __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double)), may_alias));
typedef float LanesOfFloat __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

inline Lanes load(const double *x) { return *reinterpret_cast<const LanesOfDouble *>(x); }
inline Lanes load(const float *x) { return __builtin_convertvector(*reinterpret_cast<const LanesOfFloat *>(x), Lanes); }

inline double total(Lanes lanes) {
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// The first `count` of eight numbers, and `rest` in the other places.
template <class T> inline Lanes load(const T *x, std::size_t count, double rest) {
    Lanes lanes = {rest, rest, rest, rest, rest, rest, rest, rest};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = x[i];
    return lanes;
}

// Σ term(...) over a row, for terms made of eight numbers of each array. The term of `rest` alone is 0.
template <class Term, class... Arrays> inline double sum(std::size_t count, Term term, double rest, const Arrays *...arrays) {
    Lanes even = {}, odd = {};
    std::size_t i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
        even += term(load(arrays + i)...);
        odd += term(load(arrays + i + LANES)...);
    }
    if (i + LANES <= count) {
        even += term(load(arrays + i)...);
        i += LANES;
    }
    if (i < count) odd += term(load(arrays + i, count - i, rest)...);
    return total(even + odd);
}

template <class T> inline double sum(const T *x, std::size_t count) {
    return sum(count, [](Lanes a) { return a; }, 0, x);
}

template <class T> inline double sum_differences(const T *x, std::size_t count, double from) {
    return sum(count, [from](Lanes a) { return a - from; }, from, x);
}

template <class T> inline double sum_squares(const T *x, std::size_t count, double from) {
    return sum(count, [from](Lanes a) { return (a - from) * (a - from); }, from, x);
}

template <class T> inline double sum_products(const T *x, const T *y, std::size_t count) {
    return sum(count, [](Lanes a, Lanes b) { return a * b; }, 0, x, y);
}

template <class T> inline double sum_moved_products(const T *x, const T *y, std::size_t count, double from) {
    return sum(count, [from](Lanes a, Lanes b) { return a * (b - from); }, 0, x, y);
}

// Σ x (y - from) · factor, the factor first: differences nearest to 0 have few digits.
template <class T>
inline double sum_scaled_products(const T *x, const T *y, std::size_t count, double from, double factor) {
    return sum(count, [from, factor](Lanes a, Lanes b) { return a * ((b - from) * factor); }, from, x, y);
}

}  // namespace VARIANT
