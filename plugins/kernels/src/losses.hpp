// Losses of rows with a label each.
#pragma once

#include "softmax.hpp"

namespace VARIANT {

// -log softmax(x)[label] of each row, and p = softmax(x). Labels are places of their rows.
template <class T>
void softmax_nll(const T *x, const std::int64_t *labels, T *p, T *losses, std::size_t rows, std::size_t count) {
    const Seen all{nullptr, 1, 1, false};
    for (std::size_t row = 0; row < rows; ++row, x += count, p += count) {
        T most, log_total;
        softmax(x, p, &most, &log_total, 1, count, -std::numeric_limits<T>::infinity(), T(1), all);
        losses[row] = log_total - (x[labels[row]] - most);
    }
}

// δ (p - e), with e the unit vector of the label. Each δ is that of so many rows, one below the other.
template <class T>
void softmax_nll_delta(const T *p, const std::int64_t *labels, const T *delta, T *below, std::size_t rows,
                       std::size_t count, std::size_t rows_of_delta) {
    for (std::size_t row = 0; row < rows; ++row, p += count, below += count) {
        const T factor = delta[row / rows_of_delta];
        for (std::size_t i = 0; i < count; ++i) below[i] = p[i] * factor;
        const std::size_t label = labels[row];
        below[label] = (p[label] - 1) * factor;
    }
}

}  // namespace VARIANT
