// Numbers that are computed at once.
#pragma once

#include <type_traits>
#include <utility>

#include "lanes.hpp"

namespace VARIANT {

template <class T> struct Block {
    static constexpr std::size_t size = VECTOR / sizeof(T);
    typedef T Numbers __attribute__((vector_size(VECTOR)));
    typedef T Loose __attribute__((vector_size(VECTOR), aligned(sizeof(T)), may_alias));
    static Numbers load(const T *x) { return *reinterpret_cast<const Loose *>(x); }
    static void store(T *x, Numbers numbers) { *reinterpret_cast<Loose *>(x) = numbers; }
};

template <class Half, std::size_t first, class Vector, std::size_t... i>
INLINE Half half_of(Vector numbers, std::index_sequence<i...>) {
    return Half{numbers[first + i]...};
}

// One of all numbers of a vector, by the ones of two vectors or numbers that `keep` returns.
template <class Vector, class Keep> INLINE auto fold(Vector numbers, Keep keep) {
    using T = std::remove_cvref_t<decltype(numbers[0])>;
    constexpr std::size_t bytes = sizeof(Vector) / 2, half = bytes / sizeof(T);
    if constexpr (half == 1) {
        return keep(T(numbers[0]), T(numbers[1]));
    } else {
        typedef T Half __attribute__((vector_size(bytes)));
        constexpr std::make_index_sequence<half> places;
        return fold(keep(half_of<Half, 0>(numbers, places), half_of<Half, half>(numbers, places)), keep);
    }
}

}  // namespace VARIANT
