// Threads that help the one that computes: while it has tasks they wait busily, for to wake a thread takes longer than most.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

inline void pause_shortly() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Waits busily, and lets others run now and then: what is waited for may have no processor.
class Patience {
  public:
    void wait() {
        pause_shortly();
        if (++waited % 1024 == 0) std::this_thread::yield();
    }

  private:
    std::size_t waited = 0;
};

// Tasks with numbers from 0 on, begun in this order, each once by whoever is free.
class Work {
  public:
    // `most`: tasks, at most. `compute` computes one; it throws nothing.
    Work(std::size_t most, std::function<void(std::size_t)> compute)
        : compute(std::move(compute)), ended(new std::atomic<bool>[most]()) {}

    // Adds a task. Only the thread that began the work does, and only it waits.
    void add() { added.fetch_add(1, std::memory_order_release); }

    // Computes a task that has not begun. Returns whether there was one.
    bool help() {
        std::size_t task = begun.load(std::memory_order_relaxed);
        while (task < added.load(std::memory_order_acquire)) {
            if (!begun.compare_exchange_weak(task, task + 1)) continue;
            compute(task);
            ended[task].store(true, std::memory_order_release);
            return true;
        }
        return false;
    }

    // Helps until a task has ended.
    void finish(std::size_t task) {
        for (Patience patience; !ended[task].load(std::memory_order_acquire);)
            if (!help()) patience.wait();
    }

    std::atomic<bool> over{false};

  private:
    std::function<void(std::size_t)> compute;
    std::unique_ptr<std::atomic<bool>[]> ended;
    std::atomic<std::size_t> begun{0}, added{0};
};

// Threads that wait for work until their team is freed. Nothing waits for them when the process ends.
class Team {
  public:
    explicit Team(std::size_t helpers) : shared(std::make_shared<Shared>()) {
        sigset_t all, before;  // signals are for the threads of the interpreter
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        for (std::size_t i = 0; i < helpers; ++i) std::thread([shared = shared] { shared->help(); }).detach();
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    Team(const Team &) = delete;
    Team &operator=(const Team &) = delete;

    ~Team() {
        shared->closed.store(true, std::memory_order_release);
        shared->call();
    }

    // Calls the helpers to a work, until `end`.
    void begin(std::shared_ptr<Work> begun) {
        shared->set(std::move(begun));
        shared->call();
    }

    void end() { shared->set(nullptr); }

  private:
    struct Shared {
        void help() {
            for (std::uint32_t seen = 0;;) {
                for (std::size_t i = 0; i < AWAKE && calls.load(std::memory_order_acquire) == seen; ++i) pause_shortly();
                calls.wait(seen, std::memory_order_acquire);
                seen = calls.load(std::memory_order_acquire);
                if (closed.load(std::memory_order_acquire)) return;
                if (const std::shared_ptr<Work> now = current())
                    for (Patience patience; !now->over.load(std::memory_order_acquire);)
                        if (!now->help()) patience.wait();
            }
        }

        void call() {
            calls.fetch_add(1, std::memory_order_release);
            calls.notify_all();
        }

        std::shared_ptr<Work> current() {
            const std::lock_guard guard(lock);
            return work;
        }

        void set(std::shared_ptr<Work> other) {
            const std::lock_guard guard(lock);
            if (work) work->over.store(true, std::memory_order_release);
            work = std::move(other);
        }

        static constexpr std::size_t AWAKE = 4000;  // pauses until a helper sleeps: some 0.1 ms

        std::mutex lock;
        std::shared_ptr<Work> work;
        std::atomic<std::uint32_t> calls{0};
        std::atomic<bool> closed{false};
    };

    std::shared_ptr<Shared> shared;
};

// Computes tasks 0 to `count` - 1 together with a team.
inline void share(Team &team, std::size_t count, std::function<void(std::size_t)> compute) {
    const auto work = std::make_shared<Work>(count, std::move(compute));
    for (std::size_t task = 0; task < count; ++task) work->add();
    team.begin(work);
    for (std::size_t task = 0; task < count; ++task) work->finish(task);
    team.end();
}
