// Tapes: operations number by number, one after the other, over blocks of numbers that stay in the nearest cache.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "bindings.hpp"

namespace {

constexpr std::size_t BLOCK = 256;  // numbers

// Row of a tape: an operation, the register it writes, and the two that it reads.
struct Step { std::int32_t operation, to, a, b; };

// Where the numbers of a register begin in the present block, and how far it is to the next block.
template <class T> struct Register {
    T *at;
    std::size_t stride;
};

// Registers are, in this order: arrays given, arrays made, slots of the memory, and slots of a scratch area.
template <class T>
std::vector<Register<T>> registers(const nb::tuple &given, const nb::tuple &made, const Out<T> &memory,
                                   std::size_t numbers, std::size_t start) {
    std::vector<Register<T>> all;
    for (nb::handle each : given) {
        const auto array = array_of<In<T>>(each);
        same(array.size(), numbers);
        all.push_back({const_cast<T *>(array.data()) + start, BLOCK});
    }
    for (nb::handle each : made) {
        const auto array = array_of<Out<T>>(each);
        same(array.size(), numbers);
        all.push_back({array.data() + start, BLOCK});
    }
    const std::size_t slots = divided(memory.size(), numbers), block = std::min(BLOCK, numbers - start);
    for (std::size_t slot = 0; slot < slots; ++slot)
        all.push_back({memory.data() + start * slots + slot * block, BLOCK * slots});
    return all;
}

template <class T> void compute(const Step *steps, std::size_t count, std::vector<Register<T>> &registers,
                                std::size_t first_slot, std::size_t stop_slot, std::size_t numbers) {
    const auto &operations = kernels<T>().operations;
    for (std::size_t left = numbers;;) {
        const std::size_t now = std::min(BLOCK, left);
        for (std::size_t i = 0; i < count; ++i) {
            const auto [operation, to, a, b] = steps[i];
            operations[operation](registers[a].at, registers[b].at, registers[to].at, now);
        }
        left -= now;
        if (!left) return;
        const std::size_t next = std::min(BLOCK, left);
        for (Register<T> &each : registers) each.at += each.stride;
        // The slots of the last block are as short as the block.
        for (std::size_t i = first_slot; i < stop_slot; ++i)
            registers[i].at -= (i - first_slot) * (now - next);
    }
}

// Steps (rows, 4) over the numbers from start to stop, which are multiples of a block or the end.
template <class T>
void tape(In<std::int32_t> rows, nb::tuple given, nb::tuple made, Out<T> memory, std::size_t scratch,
          std::size_t numbers, std::size_t start, std::size_t stop) {
    static_assert(sizeof(Step) == 4 * sizeof(std::int32_t));
    const std::size_t count = divided(rows.size(), 4);
    if (start >= stop || stop > numbers || start % BLOCK || (stop % BLOCK && stop != numbers))
        throw std::invalid_argument("a tape computes whole blocks");
    std::vector<Register<T>> all = registers(given, made, memory, numbers, start);
    const std::size_t first_slot = given.size() + made.size(), stop_slot = all.size();
    const std::size_t width = std::min(BLOCK, stop - start);
    const std::unique_ptr<T[]> area(new T[scratch * width]);
    for (std::size_t slot = 0; slot < scratch; ++slot) all.push_back({area.get() + slot * width, 0});
    const Step *steps = reinterpret_cast<const Step *>(rows.data());
    const auto known = [](std::int32_t number, std::size_t count) { return number >= 0 && std::size_t(number) < count; };
    for (std::size_t i = 0; i < count; ++i) {
        const auto [operation, to, a, b] = steps[i];
        if (!known(operation, OPERATIONS) || !known(a, all.size()) || !known(b, all.size()) ||
            !known(to, all.size()) || std::size_t(to) < given.size())
            throw std::invalid_argument("a row of the tape names no operation, or no register");
    }
    const Unlocked unlocked((stop - start) * count);
    compute(steps, count, all, first_slot, stop_slot, stop - start);
}

template <class T> void bind(nb::module_ &m) {
    m.def("tape", tape<T>, "rows"_a.noconvert(), "given"_a, "made"_a, "memory"_a.noconvert(), "scratch"_a, "numbers"_a,
          "start"_a, "stop"_a);
}

}  // namespace

void bind_tapes(nb::module_ &m) {
    nb::list names;
    for (const char *name : OPERATION_NAMES) names.append(name);
    for (const char *name : POINTWISE_NAMES) names.append(name);
    for (const char *name : POINTWISE_NAMES) names.append(nb::str((std::string(name) + "_delta").c_str()));
    m.attr("operations") = nb::tuple(names);
    m.attr("block") = BLOCK;
    bind<float>(m);
    bind<double>(m);
}
