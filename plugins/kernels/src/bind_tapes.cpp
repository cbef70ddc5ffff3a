// Tapes: operations number by number, one after the other, over blocks of numbers that stay in the nearest cache.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "team.hpp"

namespace {

constexpr std::size_t BLOCK = 256;          // numbers
constexpr std::size_t SHARED = 1 << 16;     // operations of a piece that another thread computes, at least
constexpr std::size_t MOST_PIECES = 16;

// Row of a tape: an operation, the register it writes, and the two that it reads.
struct Step { std::int32_t operation, to, a, b; };

// Where the numbers of a register begin in the present block, and how far it is to the next block.
template <class T> struct Register {
    T *at;
    std::size_t stride;
};

// The arrays of a tape. Registers are, in this order: arrays given, arrays made, slots of the memory, and slots of a
// scratch area.
template <class T> struct Arrays {
    std::vector<T *> first;
    T *memory;
    std::size_t slots, numbers;

    Arrays(const nb::tuple &given, const nb::tuple &made, const Out<T> &memory, std::size_t numbers)
        : memory(memory.data()), slots(divided(memory.size(), numbers)), numbers(numbers) {
        for (nb::handle each : given) {
            const auto array = array_of<In<T>>(each);
            same(array.size(), numbers);
            first.push_back(const_cast<T *>(array.data()));
        }
        for (nb::handle each : made) {
            const auto array = array_of<Out<T>>(each);
            same(array.size(), numbers);
            first.push_back(array.data());
        }
    }

    std::size_t count() const { return first.size() + slots; }

    // The registers for the numbers from `start` on, those of the scratch area (of rows of `width` numbers) behind them.
    std::vector<Register<T>> registers(std::size_t start, T *area, std::size_t scratch, std::size_t width) const {
        std::vector<Register<T>> all;
        for (T *each : first) all.push_back({each + start, BLOCK});
        const std::size_t block = std::min(BLOCK, numbers - start);
        for (std::size_t slot = 0; slot < slots; ++slot)
            all.push_back({memory + start * slots + slot * block, BLOCK * slots});
        for (std::size_t slot = 0; slot < scratch; ++slot) all.push_back({area + slot * width, 0});
        return all;
    }
};

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

// Steps (rows, 4) over the numbers from start to stop, which are multiples of a block or the end. team: helps; null to
// compute alone.
template <class T>
void tape(In<std::int32_t> rows, nb::tuple given, nb::tuple made, Out<T> memory, std::size_t scratch,
          std::size_t numbers, std::size_t start, std::size_t stop, Team *team) {
    static_assert(sizeof(Step) == 4 * sizeof(std::int32_t));
    const std::size_t count = divided(rows.size(), 4);
    if (start >= stop || stop > numbers || start % BLOCK || (stop % BLOCK && stop != numbers))
        throw std::invalid_argument("a tape computes whole blocks");
    const Arrays<T> arrays(given, made, memory, numbers);
    const Step *steps = reinterpret_cast<const Step *>(rows.data());
    const auto known = [](std::int32_t number, std::size_t count) { return number >= 0 && std::size_t(number) < count; };
    for (std::size_t i = 0; i < count; ++i) {
        const auto [operation, to, a, b] = steps[i];
        const std::size_t all = arrays.count() + scratch;
        if (!known(operation, OPERATIONS) || !known(a, all) || !known(b, all) || !known(to, all) ||
            std::size_t(to) < given.size())
            throw std::invalid_argument("a row of the tape names no operation, or no register");
    }
    const std::size_t blocks = (stop - start + BLOCK - 1) / BLOCK, work = (stop - start) * count;
    const std::size_t most = std::min(blocks, work / SHARED), pieces = team && most > 1 ? std::min(MOST_PIECES, most) : 1;
    const std::size_t first_slot = arrays.first.size(), stop_slot = arrays.count();
    struct Piece {
        std::size_t numbers;
        std::unique_ptr<T[]> area;
        std::vector<Register<T>> registers;
    };
    std::vector<Piece> all;
    for (std::size_t number = 0; number < pieces; ++number) {
        const std::size_t from = start + blocks * number / pieces * BLOCK;
        const std::size_t to = std::min(stop, start + blocks * (number + 1) / pieces * BLOCK);
        const std::size_t width = std::min(BLOCK, to - from);
        std::unique_ptr<T[]> area(new T[scratch * width]);
        std::vector<Register<T>> registers = arrays.registers(from, area.get(), scratch, width);
        all.push_back({to - from, std::move(area), std::move(registers)});
    }
    const auto piece = [&](std::size_t number) {
        compute(steps, count, all[number].registers, first_slot, stop_slot, all[number].numbers);
    };
    const Unlocked unlocked(work);
    if (pieces == 1)
        piece(0);
    else
        share(*team, pieces, piece);
}

template <class T> void bind(nb::module_ &m) {
    m.def("tape", tape<T>, "rows"_a.noconvert(), "given"_a, "made"_a, "memory"_a.noconvert(), "scratch"_a, "numbers"_a,
          "start"_a, "stop"_a, "team"_a = nb::none());
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
