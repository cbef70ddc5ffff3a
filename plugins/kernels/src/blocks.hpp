// Numbers that are computed at once.
#pragma once

#include "lanes.hpp"

namespace VARIANT {

template <class T> struct Block {
    static constexpr std::size_t size = VECTOR / sizeof(T);
    typedef T Numbers __attribute__((vector_size(VECTOR)));
    typedef T Loose __attribute__((vector_size(VECTOR), aligned(sizeof(T)), may_alias));
    static Numbers load(const T *x) { return *reinterpret_cast<const Loose *>(x); }
    static void store(T *x, Numbers numbers) { *reinterpret_cast<Loose *>(x) = numbers; }
};

}  // namespace VARIANT
