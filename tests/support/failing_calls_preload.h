// Names and memory that FailingCalls shares with its preloaded library.
#ifndef GEARMAN_TESTS_SUPPORT_FAILING_CALLS_PRELOAD_H_
#define GEARMAN_TESTS_SUPPORT_FAILING_CALLS_PRELOAD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gearman {
namespace support {

// The functions that can be made to fail. Each name stands for its variants
// too: "open" for open64. "any_descriptor" is each of them that makes
// descriptors.
inline constexpr const char* kFailingCallNames[] = {
    "any_descriptor", "accept4",  "clone",  "epoll_create1", "epoll_ctl",
    "eventfd",        "fork",     "open",   "pidfd_open",    "pipe2",
    "pthread_create", "signalfd", "socket", "socketpair",    "timerfd_create",
};
inline constexpr size_t kFailingCallCount =
    sizeof(kFailingCallNames) / sizeof(kFailingCallNames[0]);

// The file that is named by kCallCountsVariable: one number for each name, in
// the order of kFailingCallNames.
struct CallCounts {
  std::atomic<uint64_t> made[kFailingCallCount];
};
static_assert(std::atomic<uint64_t>::is_always_lock_free,
              "two processes share it");

// A path. Without it nothing is counted, and nothing fails.
inline constexpr char kCallCountsVariable[] = "FAILING_CALLS_COUNTS";
// "NAME:NTH:ERRNO", several separated by commas: the NTH call of NAME fails
// with ERRNO; 0: each of them.
inline constexpr size_t kMaxFailingCalls = 64;
inline constexpr char kFailingCallVariable[] = "FAILING_CALLS_FAIL";

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_FAILING_CALLS_PRELOAD_H_
