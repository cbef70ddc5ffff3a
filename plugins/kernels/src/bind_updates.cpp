// Steps of optimizers.
#include <array>

#include "bindings.hpp"

namespace {

// Numbers: how much of the parameter stays (1: all), the weight decay (0: none), β₁, 1 - β₁, β₂, 1 - β₂, what the root
// is divided by, ε, and the rate.
template <class T>
void adam(Out<T> param, In<T> gradient, Out<T> mean, Out<T> square, MaybeOut<T> most, std::array<double, 9> numbers) {
    const std::size_t count = param.size();
    for (const std::size_t size : {gradient.size(), mean.size(), square.size()}) same(count, size);
    size_of(most, count);
    std::array<T, 9> n;
    for (std::size_t i = 0; i < n.size(); ++i) n[i] = static_cast<T>(numbers[i]);
    const AdamStep<T> step = {numbers[0] != 1, numbers[1] != 0, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]};
    const Unlocked unlocked(count);
    kernels<T>().adam(param.data(), gradient.data(), mean.data(), square.data(), data_of(most), count, step);
}

template <class T> void bind(nb::module_ &m) {
    m.def("adam", adam<T>, "param"_a.noconvert(), "gradient"_a.noconvert(), "mean"_a.noconvert(),
          "square"_a.noconvert(), "most"_a.noconvert().none(), "numbers"_a);
}

}  // namespace

void bind_updates(nb::module_ &m) {
    bind<float>(m);
    bind<double>(m);
}
