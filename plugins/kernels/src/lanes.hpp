// Vectors of the processor, and sums of a row in eight lanes of double precision.
//
// The lanes have the same order on every processor, whatever the size of its vectors.
#pragma once

#include <cstddef>
#include <cstring>

namespace VARIANT {

#if defined(__AVX512F__)
constexpr std::size_t VECTOR = 64;  // bytes
#elif defined(__AVX2__)
constexpr std::size_t VECTOR = 32;
#else
constexpr std::size_t VECTOR = 16;
#endif

constexpr std::size_t LANES = 8;
constexpr std::size_t RUN = 16;  // rows that are summed in the format of the numbers, before double precision

struct Lanes {
    typedef double Part __attribute__((vector_size(VECTOR)));
    static constexpr std::size_t size = VECTOR / sizeof(double), parts = LANES / size;

    Part part[parts];

    static Lanes filled(double number) {
        Lanes lanes;
        for (Part &part : lanes.part) part = number - Part{};
        return lanes;
    }
    double operator[](std::size_t lane) const { return part[lane / size][lane % size]; }
    Lanes &operator+=(const Lanes &other) { return *this = *this + other; }

    friend Lanes operator+(const Lanes &a, const Lanes &b) {
        return each([&](std::size_t i) { return a.part[i] + b.part[i]; });
    }
    friend Lanes operator-(const Lanes &a, const Lanes &b) {
        return each([&](std::size_t i) { return a.part[i] - b.part[i]; });
    }
    friend Lanes operator*(const Lanes &a, const Lanes &b) {
        return each([&](std::size_t i) { return a.part[i] * b.part[i]; });
    }

  private:
    template <class Make> static Lanes each(Make make) {
        Lanes lanes;
#pragma GCC unroll 4
        for (std::size_t i = 0; i < parts; ++i) lanes.part[i] = make(i);
        return lanes;
    }
};

template <class T> inline Lanes load(const T *x) {
    typedef T Numbers __attribute__((vector_size(Lanes::size * sizeof(T)), aligned(sizeof(T)), may_alias));
    Lanes lanes;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < Lanes::parts; ++i)
        lanes.part[i] = __builtin_convertvector(*reinterpret_cast<const Numbers *>(x + i * Lanes::size), Lanes::Part);
    return lanes;
}

inline double total(const Lanes &lanes) {
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// The first `count` of eight numbers, and `rest` in the other places.
template <class T> inline Lanes load(const T *x, std::size_t count, double rest) {
    double numbers[LANES];
    for (std::size_t i = 0; i < LANES; ++i) numbers[i] = i < count ? double(x[i]) : rest;
    return load(numbers);
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
    return sum(count, [](const Lanes &a) { return a; }, 0, x);
}

template <class T> inline double sum_differences(const T *x, std::size_t count, double from) {
    const Lanes start = Lanes::filled(from);
    return sum(count, [&](const Lanes &a) { return a - start; }, from, x);
}

template <class T> inline double sum_squares(const T *x, std::size_t count, double from) {
    const Lanes start = Lanes::filled(from);
    return sum(count, [&](const Lanes &a) { return (a - start) * (a - start); }, from, x);
}

template <class T> inline double sum_products(const T *x, const T *y, std::size_t count) {
    return sum(count, [](const Lanes &a, const Lanes &b) { return a * b; }, 0, x, y);
}

template <class T> inline double sum_moved_products(const T *x, const T *y, std::size_t count, double from) {
    const Lanes start = Lanes::filled(from);
    return sum(count, [&](const Lanes &a, const Lanes &b) { return a * (b - start); }, 0, x, y);
}

// Σ x (y - from) · factor, the factor first: differences nearest to 0 have few digits.
template <class T>
inline double sum_scaled_products(const T *x, const T *y, std::size_t count, double from, double factor) {
    const Lanes start = Lanes::filled(from), scale = Lanes::filled(factor);
    return sum(count, [&](const Lanes &a, const Lanes &b) { return a * ((b - start) * scale); }, from, x, y);
}

}  // namespace VARIANT
