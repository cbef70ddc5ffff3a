// Rows of matrices: added to, added up, and tested.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace VARIANT {

template <class T> void add_row(const T *a, const T *row, T *to, std::size_t rows, std::size_t count) {
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < count; ++j) to[i * count + j] = a[i * count + j] + row[j];
}

// As numpy adds rows: one after the other, the first to 0. A single row is itself.
template <class T> void sum_rows(const T *a, T *to, std::size_t rows, std::size_t count) {
    if (rows == 1) {
        std::copy_n(a, count, to);
        return;
    }
    std::fill_n(to, count, T(0));
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < count; ++j) to[j] += a[i * count + j];
}

// Whether no number is NaN or infinite: all bits of their exponents are 1.
template <class T> bool finite(const T *numbers, std::size_t count) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr Bits exponent = sizeof(T) == 4 ? Bits(0x7f800000) : Bits(0x7ff0000000000000);
    Bits found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        Bits bits;
        std::memcpy(&bits, numbers + i, sizeof(T));
        found |= Bits((bits & exponent) == exponent);
    }
    return !found;
}

}  // namespace VARIANT
