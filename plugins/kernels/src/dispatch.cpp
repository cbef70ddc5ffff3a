// The choice of a variant for this processor, at the start of the process.
#include "variant.hpp"

#if defined(__x86_64__)
namespace avx2 { extern const Variant variant; }
namespace avx512 { extern const Variant variant; }

const Variant *best_variant() {
    __builtin_cpu_init();
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    if (wide && __builtin_cpu_supports("fma")) return &avx512::variant;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2::variant;
    return nullptr;
}
#elif defined(__aarch64__)
namespace neon { extern const Variant variant; }

const Variant *best_variant() { return &neon::variant; }
#else
const Variant *best_variant() { return nullptr; }
#endif
