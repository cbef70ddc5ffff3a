// Steps of optimizers.
#include <array>

#include "bindings.hpp"

namespace {

template <class T, std::size_t count> std::array<T, count> rounded(const std::array<double, count> &numbers) {
    std::array<T, count> found;
    for (std::size_t i = 0; i < count; ++i) found[i] = static_cast<T>(numbers[i]);
    return found;
}

// Numbers: how much of the parameter stays (1: all), the weight decay (0: none), β₁, 1 - β₁, β₂, 1 - β₂, what the root
// is divided by, ε, and the rate.
template <class T>
void adam(Out<T> param, In<T> gradient, Out<T> mean, Out<T> square, MaybeOut<T> most, std::array<double, 9> numbers) {
    const std::size_t count = param.size();
    for (const std::size_t size : {gradient.size(), mean.size(), square.size()}) same(count, size);
    size_of(most, count);
    const auto n = rounded<T>(numbers);
    const AdamStep<T> step = {numbers[0] != 1, numbers[1] != 0, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]};
    const Unlocked unlocked(count);
    kernels<T>().adam(param.data(), gradient.data(), mean.data(), square.data(), data_of(most), count, step);
}

// Numbers: the weight decay (0: none), how much of the momentum stays, how much is new, and the rate.
template <class T>
void sgd(Out<T> param, In<T> gradient, MaybeOut<T> buffer, bool starts, bool nesterov, std::array<double, 4> numbers) {
    const std::size_t count = param.size();
    same(count, gradient.size());
    size_of(buffer, count);
    const auto n = rounded<T>(numbers);
    const SgdStep<T> step = {starts, nesterov, numbers[0] != 0, n[0], n[1], n[2], n[3]};
    const Unlocked unlocked(count);
    kernels<T>().sgd(param.data(), gradient.data(), data_of(buffer), count, step);
}

// Numbers: the weight decay (0: none), how much of the means stays, how much is new, ε, how much of the momentum
// stays, and the rate.
template <class T>
void rms(Out<T> param, In<T> gradient, Out<T> square, MaybeOut<T> mean, MaybeOut<T> buffer,
         std::array<double, 6> numbers) {
    const std::size_t count = param.size();
    for (const std::size_t size : {gradient.size(), square.size()}) same(count, size);
    size_of(mean, count);
    size_of(buffer, count);
    const auto n = rounded<T>(numbers);
    const RmsStep<T> step = {numbers[0] != 0, n[0], n[1], n[2], n[3], n[4], n[5]};
    const Unlocked unlocked(count);
    kernels<T>().rms(param.data(), gradient.data(), square.data(), data_of(mean), data_of(buffer), count, step);
}

// Numbers: how much of the parameter stays (1: all), β₁, 1 - β₁, β₂, 1 - β₂, and the rate.
template <class T> void lion(Out<T> param, In<T> gradient, Out<T> mean, std::array<double, 6> numbers) {
    const std::size_t count = param.size();
    for (const std::size_t size : {gradient.size(), mean.size()}) same(count, size);
    const auto n = rounded<T>(numbers);
    const LionStep<T> step = {numbers[0] != 1, n[0], n[1], n[2], n[3], n[4], n[5]};
    const Unlocked unlocked(count);
    kernels<T>().lion(param.data(), gradient.data(), mean.data(), count, step);
}

template <class T> void bind(nb::module_ &m) {
    m.def("adam", adam<T>, "param"_a.noconvert(), "gradient"_a.noconvert(), "mean"_a.noconvert(),
          "square"_a.noconvert(), "most"_a.noconvert().none(), "numbers"_a);
    m.def("sgd", sgd<T>, "param"_a.noconvert(), "gradient"_a.noconvert(), "buffer"_a.noconvert().none(), "starts"_a,
          "nesterov"_a, "numbers"_a);
    m.def("rms", rms<T>, "param"_a.noconvert(), "gradient"_a.noconvert(), "square"_a.noconvert(),
          "mean"_a.noconvert().none(), "buffer"_a.noconvert().none(), "numbers"_a);
    m.def("lion", lion<T>, "param"_a.noconvert(), "gradient"_a.noconvert(), "mean"_a.noconvert(), "numbers"_a);
}

}  // namespace

void bind_updates(nb::module_ &m) {
    bind<float>(m);
    bind<double>(m);
}
