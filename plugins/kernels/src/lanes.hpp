// Vectors of the processor, and sums of a row in eight lanes of double precision.
//
// The lanes have the same order on every processor, whatever the size of its vectors.
#pragma once

#include <cstddef>
#include <cstring>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace VARIANT {

#if defined(__AVX512F__)
constexpr std::size_t VECTOR = 64;  // bytes
#elif defined(__AVX2__)
constexpr std::size_t VECTOR = 32;
#else
constexpr std::size_t VECTOR = 16;
#endif

// Past a size of its own, the compiler calls instead: then each vector of a sum goes through memory.
#define INLINE __attribute__((always_inline)) inline

constexpr std::size_t RUN = 16;  // terms that are summed in the format of the numbers, before double precision
constexpr std::size_t MANY = std::size_t(1) << 20;  // terms of which one may be far from the mean of all
constexpr std::size_t WIDTH = 256;  // columns whose sums stay in the nearest cache

// 64 bytes of numbers.
template <class T> struct Wide {
    typedef T Part __attribute__((vector_size(VECTOR)));
    static constexpr std::size_t bytes = 64, count = bytes / sizeof(T), size = VECTOR / sizeof(T), parts = count / size;

    Part part[parts];

    INLINE static Wide filled(T number) {
        Wide numbers;
        for (Part &part : numbers.part) part = number - Part{};
        return numbers;
    }
    INLINE static Wide load(const T *x) {
        typedef T Loose __attribute__((vector_size(VECTOR), aligned(sizeof(T)), may_alias));
        Wide numbers;
#pragma GCC unroll 4
        for (std::size_t i = 0; i < parts; ++i) numbers.part[i] = *reinterpret_cast<const Loose *>(x + i * size);
        return numbers;
    }
    // The first numbers of an array, and `rest` in the other places.
    INLINE static Wide load(const T *x, std::size_t few, T rest) {
        T numbers[count];
        for (std::size_t i = 0; i < count; ++i) numbers[i] = i < few ? x[i] : rest;
        return load(numbers);
    }
    INLINE void store(T *x) const {
        typedef T Loose __attribute__((vector_size(VECTOR), aligned(sizeof(T)), may_alias));
#pragma GCC unroll 4
        for (std::size_t i = 0; i < parts; ++i) *reinterpret_cast<Loose *>(x + i * size) = part[i];
    }
    INLINE T operator[](std::size_t place) const { return part[place / size][place % size]; }
    INLINE Wide &operator+=(const Wide &other) { return *this = *this + other; }

    INLINE friend Wide operator+(const Wide &a, const Wide &b) {
        return each([&](std::size_t i) { return a.part[i] + b.part[i]; });
    }
    INLINE friend Wide operator-(const Wide &a, const Wide &b) {
        return each([&](std::size_t i) { return a.part[i] - b.part[i]; });
    }
    INLINE friend Wide operator*(const Wide &a, const Wide &b) {
        return each([&](std::size_t i) { return a.part[i] * b.part[i]; });
    }

  private:
    template <class Make> INLINE static Wide each(Make make) {
        Wide numbers;
#pragma GCC unroll 4
        for (std::size_t i = 0; i < parts; ++i) numbers.part[i] = make(i);
        return numbers;
    }
};

using Lanes = Wide<double>;
constexpr std::size_t LANES = Lanes::count;

INLINE Lanes::Part load_part(const double *x) {
    typedef double Loose __attribute__((vector_size(VECTOR), aligned(sizeof(double)), may_alias));
    return *reinterpret_cast<const Loose *>(x);
}

// GCC makes two conversions of one, and goes through memory.
INLINE Lanes::Part load_part(const float *x) {
#if defined(__AVX512F__)
    return _mm512_cvtps_pd(_mm256_loadu_ps(x));
#elif defined(__AVX2__)
    return _mm256_cvtps_pd(_mm_loadu_ps(x));
#else
    typedef float Loose __attribute__((vector_size(VECTOR / 2), aligned(sizeof(float)), may_alias));
    return __builtin_convertvector(*reinterpret_cast<const Loose *>(x), Lanes::Part);
#endif
}

template <class T> INLINE Lanes load(const T *x) {
    Lanes lanes;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < Lanes::parts; ++i) lanes.part[i] = load_part(x + i * Lanes::size);
    return lanes;
}

// The numbers at eight places.
template <class T> INLINE Lanes lanes(const Wide<T> &numbers, std::size_t first) {
    return load(reinterpret_cast<const T *>(numbers.part) + first);
}

#if defined(__AVX512F__)
INLINE Lanes lanes(const Wide<float> &numbers, std::size_t first) {
    const __m512 part = numbers.part[0];
    return {{_mm512_cvtps_pd(first ? _mm512_extractf32x8_ps(part, 1) : _mm512_castps512_ps256(part))}};
}
#elif defined(__AVX2__)
INLINE Lanes lanes(const Wide<float> &numbers, std::size_t first) {
    const __m256 part = numbers.part[first / LANES];
    return {{_mm256_cvtps_pd(_mm256_castps256_ps128(part)), _mm256_cvtps_pd(_mm256_extractf128_ps(part, 1))}};
}
#endif

// Adds numbers to their sums.
template <class T> INLINE void add(const Wide<T> &numbers, double *sums) {
#pragma GCC unroll 2
    for (std::size_t i = 0; i < Wide<T>::count; i += LANES) (Lanes::load(sums + i) + lanes(numbers, i)).store(sums + i);
}

INLINE double total(const Lanes &lanes) {
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// The first `count` of eight numbers, and `rest` in the other places.
template <class T> INLINE Lanes load(const T *x, std::size_t count, double rest) {
    double numbers[LANES];
    for (std::size_t i = 0; i < LANES; ++i) numbers[i] = i < count ? double(x[i]) : rest;
    return load(numbers);
}

// Two numbers a place, both summed.
template <class Each> struct Two {
    Each first, second;
    INLINE Two &operator+=(const Two &other) {
        first += other.first, second += other.second;
        return *this;
    }
    INLINE friend Two operator+(const Two &a, const Two &b) { return {a.first + b.first, a.second + b.second}; }
};

INLINE Two<double> total(const Two<Lanes> &lanes) { return {total(lanes.first), total(lanes.second)}; }

// Σ term(...) over a row, for terms made of eight numbers of each array. The term of `rest` alone is 0.
template <class Term, class... Arrays>
INLINE auto sum(std::size_t count, Term term, double rest, const Arrays *...arrays) {
    decltype(term(load(arrays)...)) even = {}, odd = {};
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

template <class T> INLINE double sum(const T *x, std::size_t count) {
    return sum(count, [](const Lanes &a) { return a; }, 0, x);
}

template <class T> INLINE double sum_squares(const T *x, std::size_t count) {
    return sum(count, [](const Lanes &a) { return a * a; }, 0, x);
}

// Σ (x - from) and Σ (x - from)².
template <class T> INLINE Two<double> sum_differences(const T *x, std::size_t count, double from) {
    const Lanes start = Lanes::filled(from);
    const auto term = [=](const Lanes &a) {
        const Lanes apart = a - start;
        return Two<Lanes>{apart, apart * apart};
    };
    return sum(count, term, from, x);
}

// Σ x (y - from).
template <class T> INLINE double sum_moved_products(const T *x, const T *y, std::size_t count, double from) {
    const Lanes start = Lanes::filled(from);
    return sum(count, [=](const Lanes &a, const Lanes &b) { return a * (b - start); }, 0, x, y);
}

}  // namespace VARIANT
