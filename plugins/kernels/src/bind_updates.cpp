// Steps of optimizers.
#include <array>

#include "bindings.hpp"

namespace {

template <class T, std::size_t count> std::array<T, count> rounded(const std::array<double, count> &numbers) {
    std::array<T, count> found;
    for (std::size_t i = 0; i < count; ++i) found[i] = static_cast<T>(numbers[i]);
    return found;
}

template <class T> double squared_norm(In<T> array, std::size_t piece) {
    if (!piece) throw std::invalid_argument("a piece has no numbers");
    const Unlocked unlocked(array.size());
    return kernels<T>().squared_norm(array.data(), array.size(), piece);
}

// The arrays of a parameter, the gradient and the arrays that are written, all of one size.
template <class... Arrays> std::size_t size_of_all(const Arrays &...arrays) {
    const std::size_t sizes[] = {arrays.size()...};
    for (const std::size_t size : sizes) same(sizes[0], size);
    return sizes[0];
}

// An array that may be missing is missing on both sides.
template <class T> void paired(const MaybeIn<T> &old, const MaybeOut<T> &to, std::size_t count) {
    if (old.has_value() != to.has_value()) throw std::invalid_argument("an array is read and not written, or written only");
    size_of(old, count);
    size_of(to, count);
}

// Numbers: how much of the parameter stays (1: all), the weight decay (0: none), β₁, 1 - β₁, β₂, 1 - β₂, what the root
// is divided by, ε, and the rate.
template <class T>
void adam(In<T> param, In<T> mean, In<T> square, MaybeIn<T> most, In<T> gradient, Out<T> new_param, Out<T> new_mean,
          Out<T> new_square, MaybeOut<T> new_most, std::array<double, 9> numbers) {
    const std::size_t count = size_of_all(param, mean, square, gradient, new_param, new_mean, new_square);
    paired<T>(most, new_most, count);
    const auto n = rounded<T>(numbers);
    const AdamStep<T> step = {numbers[0] != 1, numbers[1] != 0, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]};
    const Unlocked unlocked(count);
    kernels<T>().adam({param.data(), mean.data(), square.data(), data_of(most)}, gradient.data(),
                      {new_param.data(), new_mean.data(), new_square.data(), data_of(new_most)}, count, step);
}

// Numbers: the weight decay (0: none), how much of the momentum stays, how much is new, and the rate.
template <class T>
void sgd(In<T> param, MaybeIn<T> buffer, In<T> gradient, Out<T> new_param, MaybeOut<T> new_buffer, bool starts,
         bool nesterov, std::array<double, 4> numbers) {
    const std::size_t count = size_of_all(param, gradient, new_param);
    paired<T>(buffer, new_buffer, count);
    const auto n = rounded<T>(numbers);
    const SgdStep<T> step = {starts, nesterov, numbers[0] != 0, n[0], n[1], n[2], n[3]};
    const Unlocked unlocked(count);
    kernels<T>().sgd({param.data(), data_of(buffer)}, gradient.data(), {new_param.data(), data_of(new_buffer)}, count,
                     step);
}

// Numbers: the weight decay (0: none), how much of the means stays, how much is new, ε, how much of the momentum
// stays, and the rate.
template <class T>
void rms(In<T> param, In<T> square, MaybeIn<T> mean, MaybeIn<T> buffer, In<T> gradient, Out<T> new_param,
         Out<T> new_square, MaybeOut<T> new_mean, MaybeOut<T> new_buffer, std::array<double, 6> numbers) {
    const std::size_t count = size_of_all(param, square, gradient, new_param, new_square);
    paired<T>(mean, new_mean, count);
    paired<T>(buffer, new_buffer, count);
    const auto n = rounded<T>(numbers);
    const RmsStep<T> step = {numbers[0] != 0, n[0], n[1], n[2], n[3], n[4], n[5]};
    const Unlocked unlocked(count);
    kernels<T>().rms({param.data(), square.data(), data_of(mean), data_of(buffer)}, gradient.data(),
                     {new_param.data(), new_square.data(), data_of(new_mean), data_of(new_buffer)}, count, step);
}

// Numbers: how much of the parameter stays (1: all), β₁, 1 - β₁, β₂, 1 - β₂, and the rate.
template <class T>
void lion(In<T> param, In<T> mean, In<T> gradient, Out<T> new_param, Out<T> new_mean, std::array<double, 6> numbers) {
    const std::size_t count = size_of_all(param, mean, gradient, new_param, new_mean);
    const auto n = rounded<T>(numbers);
    const LionStep<T> step = {numbers[0] != 1, n[0], n[1], n[2], n[3], n[4], n[5]};
    const Unlocked unlocked(count);
    kernels<T>().lion({param.data(), mean.data()}, gradient.data(), {new_param.data(), new_mean.data()}, count, step);
}

template <class T> void bind(nb::module_ &m) {
    m.def("squared_norm", squared_norm<T>, "array"_a.noconvert(), "piece"_a);
    m.def("adam", adam<T>, "param"_a.noconvert(), "mean"_a.noconvert(), "square"_a.noconvert(),
          "most"_a.noconvert().none(), "gradient"_a.noconvert(), "new_param"_a.noconvert(), "new_mean"_a.noconvert(),
          "new_square"_a.noconvert(), "new_most"_a.noconvert().none(), "numbers"_a);
    m.def("sgd", sgd<T>, "param"_a.noconvert(), "buffer"_a.noconvert().none(), "gradient"_a.noconvert(),
          "new_param"_a.noconvert(), "new_buffer"_a.noconvert().none(), "starts"_a, "nesterov"_a, "numbers"_a);
    m.def("rms", rms<T>, "param"_a.noconvert(), "square"_a.noconvert(), "mean"_a.noconvert().none(),
          "buffer"_a.noconvert().none(), "gradient"_a.noconvert(), "new_param"_a.noconvert(),
          "new_square"_a.noconvert(), "new_mean"_a.noconvert().none(), "new_buffer"_a.noconvert().none(),
          "numbers"_a);
    m.def("lion", lion<T>, "param"_a.noconvert(), "mean"_a.noconvert(), "gradient"_a.noconvert(),
          "new_param"_a.noconvert(), "new_mean"_a.noconvert(), "numbers"_a);
}

}  // namespace

void bind_updates(nb::module_ &m) {
    bind<float>(m);
    bind<double>(m);
}
