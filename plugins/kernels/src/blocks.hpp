// Numbers that are computed at once.
#pragma once

#include <cstddef>

namespace VARIANT {

template <class T> struct Block {
    static constexpr std::size_t size = 64 / sizeof(T);
    typedef T Numbers __attribute__((vector_size(64)));
    typedef T Loose __attribute__((vector_size(64), aligned(sizeof(T)), may_alias));
    static Numbers load(const T *x) { return *reinterpret_cast<const Loose *>(x); }
};

}  // namespace VARIANT
