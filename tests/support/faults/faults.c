/* A library to preload: chosen calls of the C library fail with chosen errors, as a broken system makes them.

   What fails is said in a file of 4 KiB, mapped into every process and written by the test: see faults.py, which
   has the same layout. Each call fails in a share of its calls, or at the nth one from when that was said. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call { OPEN, READ, PREAD, WRITE, ACCEPT, MMAP, FORK, RENAME, FSYNC, MKDIR, PIPE, EPOLL, CALLS };

enum who { MASTER = 1, WORKERS = 2 };

struct fault {
    _Atomic int32_t error;
    _Atomic int32_t share; /* of a million calls; 0: the nth alone */
    _Atomic int32_t nth;
    _Atomic int32_t who;
    _Atomic int64_t calls;
    _Atomic int64_t made;
};

struct control {
    _Atomic int32_t master;
    _Atomic int32_t seed;
    struct fault faults[CALLS];
};

static struct control *control;

__attribute__((constructor)) static void map_control(void) {
    const char *path = getenv("TEST_FAULTS");
    long file = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    long page = syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    syscall(SYS_close, file);
    if (page > 0) control = (struct control *)page;
}

static uint64_t mixed(uint64_t x) { /* splitmix64 */
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Whether the system could give this error for this descriptor: no disk is full behind a pipe. */
static int possible(enum call call, int error, int file) {
    struct stat status;
    if (call != READ && call != WRITE) return 1;
    if (syscall(SYS_newfstatat, file, "", &status, AT_EMPTY_PATH) < 0) return 0;
    if (error == EPIPE) return file <= 2 && !S_ISREG(status.st_mode); /* its reader has gone */
    return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

static int fails(enum call call, int file) {
    if (!control) return 0;
    struct fault *fault = &control->faults[call];
    int error = fault->error;
    if (!error) return 0;
    int who = syscall(SYS_getpid) == control->master ? MASTER : WORKERS;
    if (!(fault->who & who) || !possible(call, error, file)) return 0;
    int64_t number = atomic_fetch_add(&fault->calls, 1) + 1;
    int chosen = fault->nth ? number == fault->nth
                            : mixed(((uint64_t)control->seed << 32) + number) % 1000000 < (uint64_t)fault->share;
    if (!chosen) return 0;
    atomic_fetch_add(&fault->made, 1);
    errno = error;
    return 1;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

static int open_fails(int flags) {
    if (control && control->faults[OPEN].error == ENOSPC && !(flags & O_CREAT)) return 0;
    return fails(OPEN, -1);
}

int open(const char *path, int flags, ...) {
    REAL(open);
    MODE(flags);
    return open_fails(flags) ? -1 : real(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    REAL(open64);
    MODE(flags);
    return open_fails(flags) ? -1 : real(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    REAL(openat);
    MODE(flags);
    return open_fails(flags) ? -1 : real(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    REAL(openat64);
    MODE(flags);
    return open_fails(flags) ? -1 : real(folder, path, flags, mode);
}

ssize_t read(int file, void *buffer, size_t count) {
    REAL(read);
    return fails(READ, file) ? -1 : real(file, buffer, count);
}

ssize_t pread(int file, void *buffer, size_t count, off_t offset) {
    REAL(pread);
    return fails(PREAD, file) ? -1 : real(file, buffer, count, offset);
}

ssize_t pread64(int file, void *buffer, size_t count, off64_t offset) {
    REAL(pread64);
    return fails(PREAD, file) ? -1 : real(file, buffer, count, offset);
}

ssize_t write(int file, const void *buffer, size_t count) {
    REAL(write);
    return fails(WRITE, file) ? -1 : real(file, buffer, count);
}

int accept4(int file, struct sockaddr *restrict address, socklen_t *restrict length, int flags) {
    REAL(accept4);
    return fails(ACCEPT, file) ? -1 : real(file, address, length, flags);
}

int accept(int file, struct sockaddr *restrict address, socklen_t *restrict length) {
    REAL(accept);
    return fails(ACCEPT, file) ? -1 : real(file, address, length);
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    REAL(mmap);
    return fails(MMAP, file) ? MAP_FAILED : real(address, length, protection, flags, file, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int file, off64_t offset) {
    REAL(mmap64);
    return fails(MMAP, file) ? MAP_FAILED : real(address, length, protection, flags, file, offset);
}

pid_t fork(void) {
    REAL(fork);
    return fails(FORK, -1) ? -1 : real();
}

int rename(const char *from, const char *to) {
    REAL(rename);
    return fails(RENAME, -1) ? -1 : real(from, to);
}

int fsync(int file) {
    REAL(fsync);
    return fails(FSYNC, file) ? -1 : real(file);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return fails(MKDIR, -1) ? -1 : real(path, mode);
}

int pipe2(int files[2], int flags) {
    REAL(pipe2);
    return fails(PIPE, -1) ? -1 : real(files, flags);
}

int epoll_create1(int flags) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "epoll_create1");
    return fails(EPOLL, -1) ? -1 : real(flags);
}
