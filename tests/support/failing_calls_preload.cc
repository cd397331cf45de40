// A library to be preloaded: counts the system calls of one program that may
// fail for want of something, and makes chosen ones fail (failing_calls.h).
//
// It sees calls through the C library's functions, also those of other
// libraries such as libstdc++, but not those that the C library makes itself.
// Programs that this program starts are left alone.
#include "gearman/tests/support/failing_calls_preload.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace gearman {
namespace support {
namespace {

// Constant-initialised: calls come before the constructors have run.
std::atomic<CallCounts*> counts{nullptr};
struct Failure {
  size_t call = kFailingCallCount;  // none
  uint64_t nth = 0;
  bool and_later = false;
  int error = 0;
};
Failure failures[kMaxFailingCalls];

size_t IndexOf(const char* name, size_t length) {
  size_t index = 0;
  while (index < kFailingCallCount &&
         (std::strlen(kFailingCallNames[index]) != length ||
          std::strncmp(kFailingCallNames[index], name, length) != 0)) {
    ++index;
  }
  return index;
}

__attribute__((constructor)) void Arm() {
  const char* const path = std::getenv(kCallCountsVariable);
  if (path == nullptr) return;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  void* const memory = mmap(nullptr, sizeof(CallCounts), PROT_READ | PROT_WRITE,
                            MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) std::abort();
  const char* what = std::getenv(kFailingCallVariable);
  for (Failure& failure : failures) {
    if (what == nullptr || *what == '\0') break;
    const char* const colon = std::strchr(what, ':');
    char* rest;
    failure.call = IndexOf(what, static_cast<size_t>(colon - what));
    failure.nth = std::strtoull(colon + 1, &rest, 10);
    failure.and_later = *rest == '+';
    if (failure.and_later) ++rest;
    failure.error = static_cast<int>(std::strtol(rest + 1, &rest, 10));
    what = *rest == ',' ? rest + 1 : rest;
  }
  unsetenv("LD_PRELOAD");
  unsetenv(kCallCountsVariable);
  unsetenv(kFailingCallVariable);
  counts.store(static_cast<CallCounts*>(memory), std::memory_order_release);
}

int CountAs(const char* name, CallCounts* memory) {
  const size_t index = IndexOf(name, std::strlen(name));
  const uint64_t nth = memory->made[index].fetch_add(1) + 1;
  for (const Failure& failure : failures) {
    if (index == failure.call &&
        (failure.and_later ? nth >= failure.nth : nth == failure.nth)) {
      return failure.error;
    }
  }
  return 0;
}

bool MakesDescriptors(const char* name) {
  for (const char* const other :
       {"clone", "epoll_ctl", "fork", "pthread_create"}) {
    if (std::strcmp(name, other) == 0) return false;
  }
  return true;
}

// Counts a call. Not 0: it fails, with this errno.
int ErrorOf(const char* name) {
  CallCounts* const memory = counts.load(std::memory_order_acquire);
  if (memory == nullptr) return 0;
  const int error = CountAs(name, memory);
  const int general =
      MakesDescriptors(name) ? CountAs("any_descriptor", memory) : 0;
  return error != 0 ? error : general;
}

// The function that stands behind this library's. `name` says what it counts
// as, `symbol` which of the variants it is.
template <typename Function>
Function* Next(const char* symbol) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, symbol));
}

// For functions that return -1 and set errno.
template <typename Function, typename... Arguments>
auto Call(const char* name, const char* symbol, Arguments... arguments)
    -> decltype(Next<Function>(symbol)(arguments...)) {
  if (const int error = ErrorOf(name)) {
    errno = error;
    return -1;
  }
  return Next<Function>(symbol)(arguments...);
}

}  // namespace
}  // namespace support
}  // namespace gearman

using gearman::support::Call;
using gearman::support::ErrorOf;
using gearman::support::Next;

extern "C" {

int accept4(int fd, __SOCKADDR_ARG address, socklen_t* length, int flags) {
  return Call<int(int, __SOCKADDR_ARG, socklen_t*, int)>(
      "accept4", "accept4", fd, address, length, flags);
}

int clone(int (*work)(void*), void* stack, int flags, void* argument,
          ...) noexcept {
  va_list arguments;
  va_start(arguments, argument);
  void* values[3];
  for (void*& value : values) value = va_arg(arguments, void*);
  va_end(arguments);
  return Call<int(int (*)(void*), void*, int, void*, ...)>(
      "clone", "clone", work, stack, flags, argument, values[0], values[1],
      values[2]);
}

int epoll_create1(int flags) noexcept {
  return Call<int(int)>("epoll_create1", "epoll_create1", flags);
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  // A removal needs no resources, so it is not made to fail.
  if (operation == EPOLL_CTL_DEL) {
    return Next<int(int, int, int, epoll_event*)>("epoll_ctl")(epoll, operation,
                                                               fd, event);
  }
  return Call<int(int, int, int, epoll_event*)>("epoll_ctl", "epoll_ctl", epoll,
                                                operation, fd, event);
}

int eventfd(unsigned int count, int flags) noexcept {
  return Call<int(unsigned int, int)>("eventfd", "eventfd", count, flags);
}

pid_t fork() noexcept { return Call<pid_t()>("fork", "fork"); }

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0
                          ? va_arg(arguments, mode_t)
                          : mode_t{0};
  va_end(arguments);
  return Call<int(const char*, int, ...)>("open", "open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0
                          ? va_arg(arguments, mode_t)
                          : mode_t{0};
  va_end(arguments);
  return Call<int(const char*, int, ...)>("open", "open64", path, flags, mode);
}

int pipe2(int ends[2], int flags) noexcept {
  return Call<int(int*, int)>("pipe2", "pipe2", ends, flags);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                   void* (*work)(void*), void* argument) noexcept {
  if (const int error = ErrorOf("pthread_create")) return error;
  return Next<decltype(pthread_create)>("pthread_create")(thread, attributes,
                                                          work, argument);
}

int signalfd(int fd, const sigset_t* signals, int flags) noexcept {
  return Call<int(int, const sigset_t*, int)>("signalfd", "signalfd", fd,
                                              signals, flags);
}

int socket(int domain, int type, int protocol) noexcept {
  return Call<int(int, int, int)>("socket", "socket", domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int ends[2]) noexcept {
  return Call<int(int, int, int, int*)>("socketpair", "socketpair", domain,
                                        type, protocol, ends);
}

// Calls that the C library has no function for.
long syscall(long number, ...) noexcept {
  va_list arguments;
  va_start(arguments, number);
  long values[6];
  for (long& value : values) value = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_pidfd_open) {
    if (const int error = ErrorOf("pidfd_open")) {
      errno = error;
      return -1;
    }
  }
  static std::atomic<long (*)(long, ...)> next{nullptr};
  long (*function)(long, ...) = next.load(std::memory_order_relaxed);
  if (function == nullptr) {
    function = Next<long(long, ...)>("syscall");
    next.store(function, std::memory_order_relaxed);
  }
  return function(number, values[0], values[1], values[2], values[3], values[4],
                  values[5]);
}

int timerfd_create(clockid_t clock, int flags) noexcept {
  return Call<int(clockid_t, int)>("timerfd_create", "timerfd_create", clock,
                                   flags);
}

}  // extern "C"
