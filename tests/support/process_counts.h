// The threads of a process, and counts of its resources, to show that nothing
// is left behind.
#ifndef GEARMAN_TESTS_SUPPORT_PROCESS_COUNTS_H_
#define GEARMAN_TESTS_SUPPORT_PROCESS_COUNTS_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace gearman {
namespace support {

// A thread as the kernel shows it (proc(5)).
struct ThreadState {
  pid_t id = 0;
  char state = '?';      // 'R': it runs or could, 'S': it sleeps, ...
  bool exiting = false;  // it has ended, though it is still shown
};

// The threads of a process (0: this one), without those that go meanwhile.
std::vector<ThreadState> ThreadsOf(pid_t process = 0);

// Without threads that have ended: a thread that was joined may be shown for a
// moment.
int ThreadCount();
// All threads but the caller's sleep, so that none of them holds a lock of the
// C++ library or of a sanitizer, which a child made by fork would find locked
// for ever (docs/threads.md). It is to be waited for: see wait_for.h.
bool OtherThreadsSleep();
int DescriptorCount();

// Memory that a process (0: this one) has in RAM; -1: there is no such process.
int64_t ResidentBytes(pid_t process = 0);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_PROCESS_COUNTS_H_
