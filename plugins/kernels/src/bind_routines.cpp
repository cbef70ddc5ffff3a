// Routines: operations one after the other, each on all numbers of arrays: those of tapes, and products of matrices.
#include <memory>
#include <stdexcept>
#include <vector>

#include "bindings.hpp"
#include "blas.hpp"

namespace {

constexpr std::size_t BLAS_SUM = 1 << 14;  // numbers whose rows are added by a product, as in numeric/sums.py

// Row of a routine: an operation, the register it writes, and the two that it reads.
struct Step { std::int32_t operation, to, a, b; };

template <class T> struct Register {
    T *at;
    std::size_t size;
};

enum Matrix { PROJECT = OPERATIONS, SEND, OUTER, ADD_ROW, SUM_ROWS, ALL };

// The sizes of a step on matrices: `rows` examples, numbers of one in what it reads, and in what it writes.
struct Sizes { std::size_t rows, from, to; };

void fits(bool true_of_sizes) {
    if (!true_of_sizes) throw std::invalid_argument("the arrays of a step do not fit each other");
}

template <class T> Sizes sizes(const Step &step, const std::vector<Register<T>> &all, std::size_t rows) {
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

template <class T> void compute(const Step &step, const std::vector<Register<T>> &all, const Sizes &s) {
    const T *a = all[step.a].at, *b = all[step.b].at;
    T *to = all[step.to].at;
    switch (step.operation) {
    case PROJECT: return blas::project(a, b, to, s.rows, s.from, s.to);
    case SEND: return blas::send(a, b, to, s.rows, s.from, s.to);
    case OUTER: return blas::outer(a, b, to, s.rows, s.from, s.to);
    case ADD_ROW: return kernels<T>().add_row(a, b, to, s.rows, s.to);
    case SUM_ROWS:
        if (s.rows > 1 && s.rows * s.to >= BLAS_SUM) return blas::sum_rows(a, to, s.rows, s.to);
        return kernels<T>().sum_rows(a, to, s.rows, s.to);
    default: return kernels<T>().operations[step.operation](a, b, to, s.to);
    }
}

// Registers are, in this order: arrays given, arrays made, parts of the memory, and parts of a scratch area. `places`
// has where numbers of an example begin in those of the last two, and how many. Returns whether the last `checked`
// arrays made are finite.
template <class T>
bool routine(In<std::int32_t> steps, nb::tuple given, nb::tuple made, Out<T> memory, In<std::int64_t> places,
             std::size_t kept, std::size_t scratch, std::size_t rows, std::size_t checked) {
    static_assert(sizeof(Step) == 4 * sizeof(std::int32_t));
    if (!blas::functions(T()).gemm) throw std::runtime_error("no products were handed over");
    const std::size_t parts = divided(places.size(), 2);
    if (!rows || kept > parts || checked > made.size()) throw std::invalid_argument("there is too little of something");
    std::vector<Register<T>> all;
    for (nb::handle each : given) {
        const auto array = array_of<In<T>>(each);
        all.push_back({const_cast<T *>(array.data()), array.size()});
    }
    for (nb::handle each : made) {
        const auto array = array_of<Out<T>>(each);
        all.push_back({array.data(), array.size()});
    }
    const std::unique_ptr<T[]> area(new T[scratch * rows]);
    const std::size_t lengths[] = {memory.size() / rows, scratch};
    for (std::size_t i = 0; i < parts; ++i) {
        const std::int64_t begin = places.data()[2 * i], width = places.data()[2 * i + 1];
        const bool passing = i >= kept;
        if (begin < 0 || width < 0 || std::size_t(begin) + std::size_t(width) > lengths[passing])
            throw std::invalid_argument("a part is not in the memory");
        all.push_back({(passing ? area.get() : memory.data()) + rows * std::size_t(begin), rows * std::size_t(width)});
    }
    const std::size_t count = divided(steps.size(), 4);
    const Step *each = reinterpret_cast<const Step *>(steps.data());
    const auto known = [](std::int32_t number, std::size_t most) { return number >= 0 && std::size_t(number) < most; };
    std::vector<Sizes> all_sizes;
    std::size_t work = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto [operation, to, a, b] = each[i];
        if (!known(operation, ALL) || !known(a, all.size()) || !known(b, all.size()) || !known(to, all.size()) ||
            std::size_t(to) < given.size())
            throw std::invalid_argument("a row of the routine names no operation, or no register");
        if ((operation == PROJECT || operation == OUTER) && all[a].at == all[b].at)
            throw std::invalid_argument("numpy multiplies a matrix by itself in another way");
        all_sizes.push_back(sizes(each[i], all, rows));
        work += all[to].size * (operation < OPERATIONS ? 1 : all_sizes.back().from);
    }
    const Unlocked unlocked(work);
    for (std::size_t i = 0; i < count; ++i) compute(each[i], all, all_sizes[i]);
    const std::size_t stop = given.size() + made.size();
    bool all_finite = true;
    for (std::size_t i = stop - checked; i < stop; ++i)
        all_finite = kernels<T>().finite(all[i].at, all[i].size) && all_finite;
    return all_finite;
}

void take_products(std::uintptr_t sgemm, std::uintptr_t sgemv, std::uintptr_t dgemm, std::uintptr_t dgemv, bool wide) {
    const auto pointer = [](std::uintptr_t address) { return reinterpret_cast<void *>(address); };
    blas::numpy = {{pointer(sgemm), pointer(sgemv)}, {pointer(dgemm), pointer(dgemv)}, wide};
}

template <class T> void bind(nb::module_ &m) {
    m.def("routine", routine<T>, "steps"_a.noconvert(), "given"_a, "made"_a, "memory"_a.noconvert(),
          "places"_a.noconvert(), "kept"_a, "scratch"_a, "rows"_a, "checked"_a);
}

}  // namespace

void bind_routines(nb::module_ &m) {
    m.attr("matrix_operations") = nb::make_tuple("project", "send", "outer", "add_row", "sum_rows");
    m.def("take_products", take_products, "sgemm"_a, "sgemv"_a, "dgemm"_a, "dgemv"_a, "wide"_a);
    bind<float>(m);
    bind<double>(m);
}
