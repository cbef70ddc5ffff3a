// Routines for Python: their arrays, and the products that they call.
#include <memory>
#include <stdexcept>
#include <vector>

#include "bindings.hpp"
#include "routines.hpp"

namespace {

using routines::Register;
using routines::Step;

// Registers are, in this order: arrays given, arrays made, parts of the memory, and parts of a scratch area. `places`
// has where numbers of an example begin in those of the last two, and how many. The last `gradients` arrays made are
// gradients, which nothing reads. Returns whether they are finite. team: helps; None to compute alone.
template <class T>
bool routine(In<std::int32_t> steps, nb::tuple given, nb::tuple made, Out<T> memory, In<std::int64_t> places,
             std::size_t kept, std::size_t scratch, std::size_t rows, std::size_t gradients, Team *team) {
    static_assert(sizeof(Step) == 4 * sizeof(std::int32_t));
    if (!blas::numpy.functions(T()).gemm) throw std::runtime_error("no products were handed over");
    const std::size_t parts = divided(places.size(), 2);
    if (!rows || kept > parts || gradients > made.size())
        throw std::invalid_argument("there is too little of something");
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
    for (std::size_t i = 0; i < count; ++i) {
        const auto [operation, to, a, b] = each[i];
        if (!known(operation, routines::ALL) || !known(a, all.size()) || !known(b, all.size()) ||
            !known(to, all.size()) || std::size_t(to) < given.size())
            throw std::invalid_argument("a row of the routine names no operation, or no register");
    }
    const std::size_t stop = given.size() + made.size();
    routines::Routine<T> whole(each, count, std::move(all), rows, stop - gradients, stop);
    const Unlocked unlocked(whole.work);
    return whole.compute(team);
}

void *pointer(std::uintptr_t address) { return reinterpret_cast<void *>(address); }

void take_products(std::uintptr_t sgemm, std::uintptr_t sgemv, std::uintptr_t dgemm, std::uintptr_t dgemv, bool wide) {
    blas::numpy = {{pointer(sgemm), pointer(sgemv)}, {pointer(dgemm), pointer(dgemv)}, wide};
}

void take_large_products(std::uintptr_t sgemm, std::uintptr_t dgemm, std::size_t least) {
    blas::large = {{pointer(sgemm)}, {pointer(dgemm)}, false, least};
}

template <class T> void bind(nb::module_ &m) {
    m.def("routine", routine<T>, "steps"_a.noconvert(), "given"_a, "made"_a, "memory"_a.noconvert(),
          "places"_a.noconvert(), "kept"_a, "scratch"_a, "rows"_a, "gradients"_a, "team"_a = nb::none());
}

}  // namespace

void bind_routines(nb::module_ &m) {
    m.attr("matrix_operations") = nb::make_tuple("project", "send", "outer", "add_row", "sum_rows");
    m.attr("most_left") = routines::LEFT;
    m.def("take_products", take_products, "sgemm"_a, "sgemv"_a, "dgemm"_a, "dgemv"_a, "wide"_a);
    m.def("take_large_products", take_large_products, "sgemm"_a, "dgemm"_a, "least"_a);
    bind<float>(m);
    bind<double>(m);
}
