// Pooling: each window over a plane becomes its greatest number, or its mean.
//
// Planes are (planes, height, width), windows (planes, rows of windows, windows of a row). No padding is stored: a
// window reads the places that lie on the plane. Windows are computed row by row. Numbers are added in numpy's order:
// those of a window from the first place to the last, those of δ from the last window to the first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <vector>

#include "lanes.hpp"
#include "variant.hpp"

namespace VARIANT {

// Equal numbers leave the greatest as it is, and NaN stays.
template <class T> INLINE T greater_or_nan(T most, T number) {
    return (number > most) | (number != number) ? number : most;
}

// Of S numbers, or of `size` where S is 0. GCC makes vectors of a loop around the calls, not of one around a loop.
template <std::size_t S, class T> INLINE T greatest_of(const T *numbers, std::size_t size) {
    if constexpr (S == 1) {
        return numbers[0];
    } else if constexpr (S > 1) {
        return greater_or_nan(greatest_of<S - 1>(numbers, size), numbers[S - 1]);
    } else {
        T most = numbers[0];
        for (std::size_t place = 1; place < size; ++place) most = greater_or_nan(most, numbers[place]);
        return most;
    }
}

// Calls a function with a common stride as a constant, of which the compiler makes vectors; 0 stands for the others.
template <class Call> INLINE void with_constant(std::size_t stride, Call call) {
    switch (stride) {
    case 1: return call(std::integral_constant<std::size_t, 1>());
    case 2: return call(std::integral_constant<std::size_t, 2>());
    case 3: return call(std::integral_constant<std::size_t, 3>());
    case 4: return call(std::integral_constant<std::size_t, 4>());
    default: return call(std::integral_constant<std::size_t, 0>());
    }
}

// How windows lie on planes.
class Slides {
  public:
    // The windows of a row that read a number at one place of the kernel, and where the first of these numbers is.
    struct Reads {
        std::size_t first, count, from;
    };
    // Rows of a plane that a row of windows reads.
    struct Rows {
        std::size_t first, count;
    };

    explicit Slides(const Windows &windows) : w(windows), run((w.width + w.stride_x - 1) / w.stride_x) {
        const Span places = span(w.width, w.out_width, w.kernel_width, w.stride_x, w.left, w.dilation_x);
        for (std::size_t place = places.first; place < places.stop; ++place) {
            const auto start = signed_of(place * w.dilation_x) - signed_of(w.left);
            const auto last = signed_of(w.width) - 1 - start;
            const std::size_t first = start < 0 ? (w.stride_x - 1 - start) / w.stride_x : 0;
            const std::size_t stop = last < 0 ? 0 : std::min(w.out_width, last / w.stride_x + 1);
            if (first >= stop) continue;
            const std::size_t number = first * w.stride_x + start;
            reads.push_back({first, stop - first, number % w.stride_x * run + number / w.stride_x});
        }
        for (std::size_t row = 0; row < w.out_height; ++row) {
            const auto start = signed_of(row * w.stride_y) - signed_of(w.top);
            const Span span_y = span(w.height, 1, w.kernel_height, 1, -start, w.dilation_y);
            if (span_y.first < span_y.stop)
                rows.push_back({start + span_y.first * w.dilation_y, span_y.stop - span_y.first});
            else
                rows.push_back({0, 0});
        }
    }

    // Whether each window of a row begins where the one before ends, and no place lies outside.
    bool touch_in_rows() const {
        return w.kernel_width == w.stride_x && w.dilation_x == 1 && !w.left && w.out_width * w.stride_x <= w.width;
    }
    bool touch() const {
        return touch_in_rows() && w.kernel_height == w.stride_y && w.dilation_y == 1 && !w.top &&
               w.out_height * w.stride_y <= w.height;
    }
    bool cover() const { return w.out_height * w.stride_y == w.height && w.out_width * w.stride_x == w.width; }

    const Windows w;
    const std::size_t run;  // numbers of a row that are a stride apart, at most
    std::vector<Reads> reads;
    std::vector<Rows> rows;

  private:
    struct Span {
        std::size_t first, stop;
    };
    static std::ptrdiff_t signed_of(std::size_t size) { return static_cast<std::ptrdiff_t>(size); }

    // Places of the kernel at which any of `count` windows may read a number.
    static Span span(std::size_t size, std::size_t count, std::size_t kernel, std::size_t stride, std::ptrdiff_t before,
                     std::size_t dilation) {
        const auto last = signed_of((count - 1) * stride) - before, end = signed_of(size) - 1 + before;
        const auto apart = signed_of(dilation);
        return {last < 0 ? std::size_t((apart - 1 - last) / apart) : 0,
                end < 0 ? 0 : std::min(kernel, std::size_t(end / apart) + 1)};
    }
};

// A row of a plane. Numbers that are a stride apart follow each other, so that windows read them side by side.
template <class T> class Phases {
  public:
    explicit Phases(const Slides &slides)
        : width(slides.w.width), stride(slides.w.stride_x), run(slides.run),
          numbers(stride == 1 ? 0 : run * std::min(stride, width)) {}

    const T *read(const T *row) {
        if (stride == 1) return row;
        each([](T &number, const T &of_row) { number = of_row; }, row);
        return numbers.data();
    }
    T *take(T *row) { return stride == 1 ? row : (read(row), numbers.data()); }
    void give(T *row) {
        if (stride != 1) each([](T &number, T &of_row) { of_row = number; }, row);
    }

  private:
    template <class Row, class Move> void each(Move move, Row *__restrict row) {
        T *__restrict phases = numbers.data();
        const std::size_t whole = width / stride, length = run;
        with_constant(stride, [=, this](auto constant) {
            constexpr std::size_t S = constant;
            const std::size_t s = S ? S : stride;
            if constexpr (S != 0) {
                for (std::size_t i = 0; i < whole; ++i)
#pragma GCC unroll 4
                    for (std::size_t phase = 0; phase < S; ++phase) move(phases[phase * length + i], row[i * S + phase]);
            } else {
                for (std::size_t i = 0; i < whole; ++i)
                    for (std::size_t phase = 0; phase < s; ++phase) move(phases[phase * length + i], row[i * s + phase]);
            }
            for (std::size_t phase = 0; whole * s + phase < width; ++phase)
                move(phases[phase * length + whole], row[whole * s + phase]);
        });
    }

    const std::size_t width, stride, run;
    std::vector<T> numbers;
};

// The greatest number of each column of some rows.
template <class T>
const T *greatest_of_columns(const T *row, std::size_t rows, std::size_t apart, std::size_t width, std::vector<T> &most) {
    if (rows == 1) return row;
    T *__restrict to = most.data();
    const T *__restrict second = row + apart;
    for (std::size_t i = 0; i < width; ++i) to[i] = greater_or_nan(row[i], second[i]);
    for (std::size_t each = 2; each < rows; ++each) {
        const T *__restrict next = row + each * apart;
        for (std::size_t i = 0; i < width; ++i) to[i] = greater_or_nan(to[i], next[i]);
    }
    return to;
}

// S numbers for each window of a row; S is 0 where their number is no constant.
template <std::size_t S, class T>
INLINE void greatest_of_row(const T *__restrict read, T *__restrict y, std::size_t windows, std::size_t size) {
    for (std::size_t i = 0; i < windows; ++i) y[i] = greatest_of<S>(read + i * (S ? S : size), size);
}

template <class T> void max_pool(const T *x, T *y, Windows w) {
    const Slides slides(w);
    const bool touch = slides.touch_in_rows();
    Phases<T> phases(slides);
    std::vector<T> columns(w.width);
    for (std::size_t plane = 0; plane < w.planes; ++plane, x += w.height * w.width)
        for (std::size_t row = 0; row < w.out_height; ++row, y += w.out_width) {
            const Slides::Rows rows = slides.rows[row];
            if (!touch || !rows.count) std::fill_n(y, w.out_width, -std::numeric_limits<T>::infinity());
            if (!rows.count) continue;
            const T *most = greatest_of_columns(x + rows.first * w.width, rows.count, w.dilation_y * w.width, w.width,
                                                columns);
            if (touch) {
                with_constant(w.stride_x, [&](auto S) { greatest_of_row<S>(most, y, w.out_width, w.stride_x); });
                continue;
            }
            most = phases.read(most);
            for (const Slides::Reads &reads : slides.reads) {
                const T *__restrict from = most + reads.from;
                T *__restrict to = y + reads.first;
                for (std::size_t i = 0; i < reads.count; ++i) to[i] = greater_or_nan(to[i], from[i]);
            }
        }
}

// Sends what is left of δ to the numbers of a row that are the greatest of their windows; each number has one window.
template <std::size_t S, class T>
INLINE void send_to_row(const T *__restrict x, const T *__restrict y, T *__restrict left, T *__restrict below,
                        std::size_t windows, std::size_t size) {
    for (std::size_t i = 0; i < windows; ++i) {
        T rest = left[i];
#pragma GCC unroll 4
        for (std::size_t place = 0; place < (S ? S : size); ++place) {
            const std::size_t at = i * (S ? S : size) + place;
            const bool sent = x[at] == y[i];
            below[at] = sent ? rest : T(0);
            rest = sent ? T(0) : rest;
        }
        left[i] = rest;
    }
}

template <class T>
void send_to_touching(const T *x, const T *y, const T *delta, T *below, T *left, const Windows &w) {
    for (std::size_t row = 0; row < w.out_height; ++row, y += w.out_width, delta += w.out_width) {
        for (std::size_t i = 0; i < w.out_width; ++i) left[i] = T(0) + delta[i];  // 0 + -0 is 0
        for (std::size_t place = 0; place < w.kernel_height; ++place, x += w.width, below += w.width)
            with_constant(w.stride_x, [=, &w](auto S) { send_to_row<S>(x, y, left, below, w.out_width, w.stride_x); });
    }
}

template <class T> void max_pool_delta(const T *x, const T *y, const T *delta, T *below, Windows w) {
    const Slides slides(w);
    const bool touch = slides.touch(), cover = touch && slides.cover();
    const std::size_t wide = w.height * w.width, narrow = w.out_height * w.out_width;
    Phases<T> phases(slides), sums(slides);
    std::vector<T> rest(w.out_width);
    T *__restrict left = rest.data();
    for (std::size_t plane = 0; plane < w.planes; ++plane, x += wide, below += wide, y += narrow, delta += narrow) {
        if (!cover) std::fill_n(below, wide, T(0));
        if (touch) {
            send_to_touching(x, y, delta, below, left, w);
            continue;
        }
        for (std::size_t row = w.out_height; row--;) {
            const Slides::Rows rows = slides.rows[row];
            std::copy_n(delta + row * w.out_width, w.out_width, left);
            for (std::size_t place = 0; place < rows.count; ++place) {
                const std::size_t at = (rows.first + place * w.dilation_y) * w.width;
                const T *numbers = phases.read(x + at);
                T *added = sums.take(below + at);
                for (const Slides::Reads &reads : slides.reads) {
                    const T *__restrict from = numbers + reads.from, *__restrict most = y + row * w.out_width + reads.first;
                    T *__restrict to = added + reads.from, *__restrict rest_of = left + reads.first;
                    for (std::size_t i = 0; i < reads.count; ++i) {
                        const bool sent = from[i] == most[i];
                        to[i] += sent ? rest_of[i] : T(0);
                        rest_of[i] = sent ? T(0) : rest_of[i];
                    }
                }
                sums.give(below + at);
            }
        }
    }
}

// Adds the numbers of a row to the sums of their windows; each number has one window.
template <std::size_t S, class T>
INLINE void add_row_to(const T *__restrict read, T *__restrict sums, std::size_t windows, std::size_t size) {
    for (std::size_t i = 0; i < windows; ++i) {
        T sum = sums[i];
#pragma GCC unroll 4
        for (std::size_t place = 0; place < (S ? S : size); ++place) sum += read[i * (S ? S : size) + place];
        sums[i] = sum;
    }
}

// `share` has 1 / k for each window of a plane.
template <class T> void avg_pool(const T *x, const T *share, T *y, Windows w) {
    const Slides slides(w);
    const bool touch = slides.touch_in_rows();
    Phases<T> phases(slides);
    for (std::size_t plane = 0; plane < w.planes; ++plane, x += w.height * w.width)
        for (std::size_t row = 0; row < w.out_height; ++row, y += w.out_width) {
            T *__restrict sums = y;
            const Slides::Rows rows = slides.rows[row];
            std::fill_n(sums, w.out_width, T(0));
            for (std::size_t place = 0; place < rows.count; ++place) {
                const T *numbers = x + (rows.first + place * w.dilation_y) * w.width;
                if (touch) {
                    with_constant(w.stride_x,
                                  [=, &w](auto S) { add_row_to<S>(numbers, sums, w.out_width, w.stride_x); });
                    continue;
                }
                numbers = phases.read(numbers);
                for (const Slides::Reads &reads : slides.reads) {
                    const T *__restrict from = numbers + reads.from;
                    for (std::size_t i = 0; i < reads.count; ++i) sums[reads.first + i] += from[i];
                }
            }
            const T *__restrict factors = share + row * w.out_width;
            for (std::size_t i = 0; i < w.out_width; ++i) sums[i] *= factors[i];
        }
}

// Writes each number S times.
template <std::size_t S, class T>
INLINE void repeat(const T *__restrict numbers, T *__restrict to, std::size_t count, std::size_t size) {
    for (std::size_t i = 0; i < count; ++i)
#pragma GCC unroll 4
        for (std::size_t place = 0; place < (S ? S : size); ++place) to[i * (S ? S : size) + place] = numbers[i];
}

template <class T> void avg_pool_delta(const T *share, const T *delta, T *below, Windows w) {
    const Slides slides(w);
    const bool touch = slides.touch(), cover = touch && slides.cover();
    const std::size_t wide = w.height * w.width, narrow = w.out_height * w.out_width;
    Phases<T> sums(slides);
    std::vector<T> scaled(w.out_width);
    T *__restrict sent = scaled.data();
    for (std::size_t plane = 0; plane < w.planes; ++plane, below += wide, delta += narrow) {
        if (!cover) std::fill_n(below, wide, T(0));
        for (std::size_t row = w.out_height; row--;) {
            const T *__restrict above = delta + row * w.out_width, *__restrict factors = share + row * w.out_width;
            for (std::size_t i = 0; i < w.out_width; ++i) sent[i] = T(0) + above[i] * factors[i];  // 0 + -0 is 0
            const Slides::Rows rows = slides.rows[row];
            for (std::size_t place = 0; place < rows.count; ++place) {
                T *target = below + (rows.first + place * w.dilation_y) * w.width;
                if (touch) {
                    with_constant(w.stride_x, [=, &w](auto S) { repeat<S>(sent, target, w.out_width, w.stride_x); });
                    continue;
                }
                T *added = sums.take(target);
                for (const Slides::Reads &reads : slides.reads) {
                    T *__restrict to = added + reads.from;
                    for (std::size_t i = 0; i < reads.count; ++i) to[i] += sent[reads.first + i];
                }
                sums.give(target);
            }
        }
    }
}

}  // namespace VARIANT
