// The numbers that windows read, as columns of a matrix, and the way back.
//
// Planes are (examples, channels, height, width), columns (channels, kernel height, kernel width, examples, windows).
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "blocks.hpp"
#include "variant.hpp"

namespace VARIANT {

// For one place of the kernel: the windows that have a number there, and the first of these numbers.
struct Span {
    std::ptrdiff_t first, stop, start;

    Span(std::ptrdiff_t offset, std::size_t stride, std::size_t size, std::size_t windows) {
        const std::ptrdiff_t step = stride, last = std::ptrdiff_t(size) - 1 - offset;
        first = offset < 0 ? (-offset + step - 1) / step : 0;
        stop = last < 0 ? 0 : std::min<std::ptrdiff_t>(windows, last / step + 1);
        first = std::min(first, stop);
        start = first * step + offset;
    }
};

// Calls move(plane, columns, rows, along) for each place of the kernel and example of a channel: `columns` are its
// windows, `rows` and `along` those that have a number of the plane there.
template <class T, class Plane, class Row>
inline void each_row(const Columns &s, std::size_t channel, Plane *x, T *columns, Row move) {
    const std::size_t windows = s.out_height * s.out_width;
    for (std::size_t y = 0; y < s.kernel_height; ++y) {
        const Span rows(std::ptrdiff_t(y * s.dilation_y) - s.top, s.stride_y, s.height, s.out_height);
        for (std::size_t place = 0; place < s.kernel_width; ++place) {
            const Span along(std::ptrdiff_t(place * s.dilation_x) - s.left, s.stride_x, s.width, s.out_width);
            for (std::size_t example = 0; example < s.examples; ++example, columns += windows)
                move(x + (example * s.channels + channel) * s.height * s.width, columns, rows, along);
        }
    }
}

// Calls move(i, i * stride): a stride that the compiler knows becomes vectors.
template <class Move> inline void each_number(std::ptrdiff_t count, std::size_t stride, Move move) {
    if (stride == 1)
        for (std::ptrdiff_t i = 0; i < count; ++i) move(i, i);
    else if (stride == 2)
        for (std::ptrdiff_t i = 0; i < count; ++i) move(i, 2 * i);
    else
        for (std::ptrdiff_t i = 0; i < count; ++i) move(i, i * std::ptrdiff_t(stride));
}

// A plane with its padding, cut into `stride_x` parts: windows that follow each other read, at one place of the kernel,
// numbers that follow each other in one part.
template <class T> class Parts {
  public:
    static constexpr std::size_t MOST = 1 << 16;  // numbers, which stay in the second cache
    const Columns s;
    const std::size_t rows, width;

    explicit Parts(const Columns &shape)
        : s(shape), rows((s.out_height - 1) * s.stride_y + (s.kernel_height - 1) * s.dilation_y + 1),
          width(s.out_width + (s.kernel_width - 1) * s.dilation_x / s.stride_x) {}

    // Whether several places of the kernel read from each part.
    bool pay() const {
        const std::size_t most = MOST / s.stride_x;
        return s.kernel_width > s.stride_x && rows <= most && width <= most && rows * width <= most;
    }

    // Begins with padding alone, which is the same for all planes.
    void allocate() { numbers.assign(s.stride_x * rows * width, T(0)); }

    void read(const T *plane) {
        each(plane, [](T &number, const T &from) { number = from; });
    }

    // Begins with zeros for a plane, to which numbers are added.
    void clear() { std::fill(numbers.begin(), numbers.end(), T(0)); }

    void add_to(T *plane) {
        each(plane, [](T &number, T &to) { to += number; });
    }

    // The numbers that the first row of windows reads at a place of the kernel.
    T *at(std::size_t y, std::size_t x) {
        const std::size_t offset = x * s.dilation_x;
        return &numbers[(offset % s.stride_x * rows + y * s.dilation_y) * width + offset / s.stride_x];
    }
    std::size_t step() const { return s.stride_y * width; }  // to the next row of windows

  private:
    std::vector<T> numbers;  // (stride_x, rows, width)

    // Calls move(number, number of the plane).
    template <class Plane, class Move> void each(Plane *plane, Move move) {
        const Span down(-s.top, 1, s.height, rows);
        for (std::size_t part = 0; part < s.stride_x; ++part) {
            const Span along(std::ptrdiff_t(part) - s.left, s.stride_x, s.width, width);
            for (std::ptrdiff_t row = down.first; row < down.stop; ++row) {
                Plane *beside = plane + (down.start + row - down.first) * s.width + along.start;
                T *own = numbers.data() + (part * rows + row) * width + along.first;
                each_number(along.stop - along.first, s.stride_x,
                            [=](std::ptrdiff_t i, std::ptrdiff_t at) { move(own[i], beside[at]); });
            }
        }
    }
};

// So many bytes of numbers, wherever they begin.
template <class T, std::size_t bytes> struct Loose {
    typedef T Numbers __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));
    static constexpr std::size_t size = bytes / sizeof(T);
};

// Copies blocks of numbers; the last two share some where the blocks do not fill the row.
template <class T, std::size_t bytes = VECTOR> INLINE void copy(const T *from, T *to, std::size_t count) {
    using Block = Loose<T, bytes>;
    using Numbers = typename Block::Numbers;
    const auto move = [=](std::size_t i) {
        *reinterpret_cast<Numbers *>(to + i) = *reinterpret_cast<const Numbers *>(from + i);
    };
    if (count >= Block::size) {
        for (std::size_t i = 0; i + Block::size <= count; i += Block::size) move(i);
        move(count - Block::size);
    } else if constexpr (bytes > 16) {
        copy<T, bytes / 2>(from, to, count);
    } else {
        for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
    }
}

// Adds rows, which begin at offsets, one after the other to each number: by blocks, then by smaller ones.
template <class T, std::size_t bytes = VECTOR>
INLINE void add_rows(const T *from, const std::size_t *offsets, std::size_t rows, T *to, std::size_t count) {
    using Block = Loose<T, bytes>;
    using Numbers = typename Block::Numbers;
    std::size_t i = 0;
    for (; i + Block::size <= count; i += Block::size) {
        Numbers sum = *reinterpret_cast<const Numbers *>(to + i);
        for (std::size_t row = 0; row < rows; ++row)
            sum += *reinterpret_cast<const Numbers *>(from + offsets[row] + i);
        *reinterpret_cast<Numbers *>(to + i) = sum;
    }
    if constexpr (bytes > 16) {
        add_rows<T, bytes / 2>(from + i, offsets, rows, to + i, count - i);
    } else {
        for (; i < count; ++i)
            for (std::size_t row = 0; row < rows; ++row) to[i] += from[offsets[row] + i];
    }
}

// The columns of channels, one after the other.
template <class T> class Gathering {
  public:
    Gathering(const T *planes, const Columns &shape) : x(planes), s(shape), parts(shape), cut(parts.pay()) {
        if (cut) parts.allocate();
    }

    // Writes (kernel height, kernel width, examples, windows).
    void channel(std::size_t channel, T *columns) {
        if (cut) return from_parts(channel, columns);
        each_row(s, channel, x, columns, [this](const T *plane, T *to, Span rows, Span along) {
            std::fill_n(to, rows.first * s.out_width, T(0));
            for (std::ptrdiff_t row = rows.first; row < rows.stop; ++row) {
                const T *from = plane + (rows.start + (row - rows.first) * s.stride_y) * s.width + along.start;
                T *target = to + row * s.out_width;
                std::fill_n(target, along.first, T(0));
                const std::ptrdiff_t count = along.stop - along.first;
                T *seen = target + along.first;
                each_number(count, s.stride_x, [=](std::ptrdiff_t i, std::ptrdiff_t at) { seen[i] = from[at]; });
                std::fill_n(target + along.stop, s.out_width - along.stop, T(0));
            }
            std::fill_n(to + rows.stop * s.out_width, (s.out_height - rows.stop) * s.out_width, T(0));
        });
    }

  private:
    const T *x;
    const Columns s;
    Parts<T> parts;
    const bool cut;

    void from_parts(std::size_t channel, T *columns) {
        const std::size_t windows = s.out_height * s.out_width;
        for (std::size_t example = 0; example < s.examples; ++example) {
            parts.read(x + (example * s.channels + channel) * s.height * s.width);
            T *to = columns + example * windows;
            for (std::size_t y = 0; y < s.kernel_height; ++y)
                for (std::size_t place = 0; place < s.kernel_width; ++place, to += s.examples * windows)
                    for (std::size_t row = 0; row < s.out_height; ++row)
                        copy(parts.at(y, place) + row * parts.step(), to + row * s.out_width, s.out_width);
        }
    }
};

template <class T> void gather(const T *x, T *columns, Columns s) {
    Gathering<T> gathering(x, s);
    for (std::size_t channel = 0; channel < s.channels; ++channel)
        gathering.channel(channel, columns + channel * s.of_channel());
}

// The way back from parts: all rows of windows that read a row at one place along it are added to it at once.
template <class T> void spread_parts(const T *columns, T *x, const Columns &s, Parts<T> &parts) {
    const std::size_t windows = s.out_height * s.out_width, place = s.examples * windows;
    std::vector<std::size_t> offsets, ends;  // of these rows of windows, for each row; where those of a row end
    for (std::size_t row = 0; row < parts.rows; ++row) {
        for (std::size_t y = 0; y < s.kernel_height && y * s.dilation_y <= row; ++y) {
            const std::size_t above = row - y * s.dilation_y;
            if (above % s.stride_y == 0 && above / s.stride_y < s.out_height)
                offsets.push_back(y * s.kernel_width * place + above / s.stride_y * s.out_width);
        }
        ends.push_back(offsets.size());
    }
    parts.allocate();
    for (std::size_t channel = 0; channel < s.channels; ++channel)
        for (std::size_t example = 0; example < s.examples; ++example) {
            parts.clear();
            for (std::size_t along = 0; along < s.kernel_width; ++along) {
                const T *from = columns + channel * s.of_channel() + along * place + example * windows;
                T *to = parts.at(0, along);
                std::size_t first = 0;
                for (const std::size_t end : ends) {
                    add_rows(from, offsets.data() + first, end - first, to, s.out_width);
                    first = end, to += parts.width;
                }
            }
            parts.add_to(x + (example * s.channels + channel) * s.height * s.width);
        }
}

// Adds each number of the columns to the number of the planes that `gather` reads it from.
template <class T> void spread(const T *columns, T *x, Columns s) {
    if (Parts<T> parts(s); parts.pay()) return spread_parts(columns, x, s, parts);
    const auto add = [&s](T *plane, const T *from, Span rows, Span along) {
        const std::ptrdiff_t count = along.stop - along.first;
        for (std::ptrdiff_t row = rows.first; row < rows.stop; ++row) {
            T *target = plane + (rows.start + (row - rows.first) * s.stride_y) * s.width + along.start;
            const T *source = from + row * s.out_width + along.first;
            each_number(count, s.stride_x, [=](std::ptrdiff_t i, std::ptrdiff_t at) { target[at] += source[i]; });
        }
    };
    for (std::size_t channel = 0; channel < s.channels; ++channel)
        each_row(s, channel, x, columns + channel * s.of_channel(), add);
}

}  // namespace VARIANT
