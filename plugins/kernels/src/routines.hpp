// Routines: operations one after the other, each on all numbers of arrays: those of tapes, and products of matrices.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "bindings.hpp"
#include "blas.hpp"
#include "team.hpp"

namespace routines {

constexpr std::size_t BLAS_SUM = 1 << 14;  // numbers whose rows are added by products, as in numeric/sums.py
constexpr std::size_t SHARED = 1 << 13;    // numbers of a piece that another thread computes, at least
constexpr std::size_t LEFT = 4;            // gradients that are begun and wait for another thread, at most

// Row of a routine: an operation, the register it writes, and the two that it reads.
struct Step { std::int32_t operation, to, a, b; };

template <class T> struct Register {
    T *at;
    std::size_t size;
};

enum Matrix { PROJECT = OPERATIONS, SEND, OUTER, ADD_ROW, SUM_ROWS, ALL };

// The sizes of a step on matrices: `rows` examples, numbers of one in what it reads, and in what it writes.
struct Sizes { std::size_t rows, from, to; };

inline void fits(bool true_of_sizes) {
    if (!true_of_sizes) throw std::invalid_argument("the arrays of a step do not fit each other");
}

// A part of a step that one thread computes.
struct Task { std::size_t step, piece, pieces; };

template <class T> class Routine {
  public:
    // `first_gradient` and `stop_gradient`: the registers of gradients, whose numbers are tested.
    Routine(const Step *steps, std::size_t count, std::vector<Register<T>> registers, std::size_t rows,
            std::size_t first_gradient, std::size_t stop_gradient)
        : steps(steps), count(count), all(std::move(registers)), first_gradient(first_gradient),
          stop_gradient(stop_gradient) {
        for (std::size_t i = 0; i < count; ++i) {
            const auto [operation, to, a, b] = steps[i];
            if ((operation == PROJECT || operation == OUTER) && all[a].at == all[b].at)
                throw std::invalid_argument("numpy multiplies a matrix by itself in another way");
            if (is_gradient(a) || is_gradient(b)) throw std::invalid_argument("a step reads a gradient");
            sizes.push_back(sizes_of(steps[i], rows));
            work += all[to].size * (operation < OPERATIONS ? 1 : sizes.back().from);
        }
    }

    // Operations on single numbers.
    std::size_t work = 0;

    // Computes all steps, and returns whether every gradient is finite. team: helps; null to compute alone.
    bool compute(Team *team) {
        if (team) {
            share(*team);
        } else {
            for (std::size_t i = 0; i < count; ++i) each_piece(i, pieces(i), [&](const Task &task) { compute(task); });
        }
        return finite.load(std::memory_order_relaxed);
    }

  private:
    bool is_gradient(std::int32_t number) const {
        return std::size_t(number) >= first_gradient && std::size_t(number) < stop_gradient;
    }

    Sizes sizes_of(const Step &step, std::size_t rows) const {
        const std::size_t to = all[step.to].size, a = all[step.a].size, b = all[step.b].size;
        if (step.operation < OPERATIONS) {
            fits(a == to && b == to);
            return {rows, to, to};
        }
        const std::size_t from = divided(a, rows);
        if (step.operation == OUTER) {
            fits(to == from * divided(b, rows));
            return {rows, from, b / rows};
        }
        if (step.operation == SUM_ROWS) {
            fits(to == from);
            return {rows, from, to};
        }
        const std::size_t width = divided(to, rows);
        fits(step.operation == ADD_ROW ? b == width && from == width : b == from * width);
        return {rows, from, width};
    }

    blas::Product<T> product(std::size_t i) const {
        const T *a = all[steps[i].a].at, *b = all[steps[i].b].at;
        const auto [rows, from, to] = sizes[i];
        if (steps[i].operation == PROJECT) return blas::project(a, b, rows, from, to);
        if (steps[i].operation == SEND) return blas::send(a, b, rows, from, to);
        return blas::outer(a, b, rows, from, to);
    }

    bool is_product(std::size_t i) const { return steps[i].operation >= PROJECT && steps[i].operation <= OUTER; }

    bool is_vector(std::size_t i) const { return sizes[i].rows == 1 && steps[i].operation != OUTER; }

    // The pieces that a step always has: their number is part of its bits.
    std::size_t pieces(std::size_t i) const { return is_product(i) && !is_vector(i) ? product(i).blocks() : 1; }

    // The pieces that threads share.
    std::size_t shared_pieces(std::size_t i) const {
        if (is_product(i)) return pieces(i);
        if (steps[i].operation == SUM_ROWS) return 1;
        const std::size_t most = steps[i].operation == ADD_ROW ? sizes[i].rows : all[steps[i].to].size;
        return std::max<std::size_t>(1, std::min({most, all[steps[i].to].size / SHARED, std::size_t(4)}));
    }

    template <class Call> static void each_piece(std::size_t step, std::size_t pieces, Call call) {
        for (std::size_t piece = 0; piece < pieces; ++piece) call(Task{step, piece, pieces});
    }

    void share(Team &team) {
        std::vector<Task> tasks;
        std::vector<std::size_t> left;  // the last task of each gradient
        std::size_t most = 0;
        for (std::size_t i = 0; i < count; ++i) most += shared_pieces(i);
        tasks.reserve(most);  // helpers read them while others are added
        const auto shared = std::make_shared<Work>(most, [&](std::size_t task) { compute(tasks[task]); });
        const auto add = [&](const Task &task) {
            tasks.push_back(task);
            shared->add();
        };
        const auto finish_from = [&](std::size_t first) {
            for (std::size_t task = first; task < tasks.size(); ++task) shared->finish(task);
        };
        team.begin(shared);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t pieces = shared_pieces(i), first = tasks.size();
            if (is_gradient(steps[i].to)) {
                if (left.size() >= LEFT) {
                    const std::size_t start = left.size() > LEFT ? left[left.size() - LEFT - 1] : 0;
                    for (std::size_t task = start; task < left[left.size() - LEFT]; ++task) shared->finish(task);
                }
                each_piece(i, pieces, add);
                left.push_back(tasks.size());
            } else if (pieces == 1) {
                compute(Task{i, 0, 1});
            } else {
                each_piece(i, pieces, add);
                finish_from(first);
            }
        }
        finish_from(0);
        team.end();
    }

    void compute(const Task &task) noexcept {  // a helper can pass no exception on
        const auto [i, piece, pieces] = task;
        const auto [rows, from, width] = sizes[i];
        const Step &step = steps[i];
        const T *a = all[step.a].at, *b = all[step.b].at;
        T *to = all[step.to].at;
        const std::size_t size = all[step.to].size;
        const auto cut = [&](std::size_t length, std::size_t end) { return length * (piece + end) / pieces; };
        if (is_product(i)) {
            if (!is_vector(i))
                product(i).compute(to, product(i).block(piece, pieces));
            else if (step.operation == PROJECT)
                blas::multiply_vector(false, width, from, b, a, to);
            else
                blas::multiply_vector(true, from, width, b, a, to);
        } else if (step.operation == ADD_ROW) {
            const std::size_t start = cut(rows, 0), stop = cut(rows, 1);
            kernels<T>().add_row(a + start * width, b, to + start * width, stop - start, width);
        } else if (step.operation == SUM_ROWS) {
            if (rows > 1 && (rows * width >= BLAS_SUM || rows > blas::TERMS))
                blas::sum_rows(a, to, rows, width);
            else
                kernels<T>().sum_rows(a, to, rows, width);
        } else {
            const std::size_t start = cut(size, 0), stop = cut(size, 1);
            kernels<T>().operations[step.operation](a + start, b + start, to + start, stop - start);
        }
        if (is_gradient(step.to)) test(task);
    }

    // Notes whether what a task has written of a gradient is finite.
    void test(const Task &task) {
        const T *to = all[steps[task.step].to].at;
        const std::size_t size = all[steps[task.step].to].size;
        bool all_finite = true;
        if (task.pieces == 1) {
            all_finite = kernels<T>().finite(to, size);
        } else {
            const blas::Product<T> whole = product(task.step);
            const blas::Block block = whole.block(task.piece, task.pieces);
            for (std::size_t row = block.row; row < block.row + block.rows; ++row)
                all_finite = kernels<T>().finite(to + row * whole.m + block.column, block.columns) && all_finite;
        }
        if (!all_finite) finite.store(false, std::memory_order_relaxed);
    }

    const Step *steps;
    std::size_t count;
    std::vector<Register<T>> all;
    std::vector<Sizes> sizes;
    std::size_t first_gradient, stop_gradient;
    std::atomic<bool> finite{true};
};

}  // namespace routines
