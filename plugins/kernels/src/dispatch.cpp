// The choice of a variant for this processor, at the start of the process.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "variant.hpp"

#if defined(__x86_64__)
namespace avx2 { extern const Variant variant; }
namespace avx512 { extern const Variant variant; }

namespace {

// The variants that this processor computes, the fastest first.
std::vector<const Variant *> possible() {
    std::vector<const Variant *> found;
    __builtin_cpu_init();
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    if (wide && __builtin_cpu_supports("fma")) found.push_back(&avx512::variant);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&avx2::variant);
    return found;
}

}  // namespace
#elif defined(__aarch64__)
namespace neon { extern const Variant variant; }

namespace { std::vector<const Variant *> possible() { return {&neon::variant}; } }
#else
namespace { std::vector<const Variant *> possible() { return {}; } }
#endif

const Variant *best_variant() {
    const char *wanted = std::getenv("DELTAWIRE_KERNELS_INSTRUCTIONS");
    const std::vector<const Variant *> found = possible();
    if (!wanted || !*wanted) return found.empty() ? nullptr : found.front();
    std::string names;
    for (const Variant *each : found) {
        if (!std::strcmp(each->instructions, wanted)) return each;
        names += names.empty() ? each->instructions : std::string(", ") + each->instructions;
    }
    throw std::invalid_argument("DELTAWIRE_KERNELS_INSTRUCTIONS is " + std::string(wanted) +
                                "; this processor has kernels for: " + (names.empty() ? "none" : names));
}
