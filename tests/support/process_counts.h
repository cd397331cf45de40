// Counts the resources of this process, to show that nothing is left behind.
#ifndef GEARMAN_TESTS_SUPPORT_PROCESS_COUNTS_H_
#define GEARMAN_TESTS_SUPPORT_PROCESS_COUNTS_H_

#include <sys/types.h>

#include <cstdint>

namespace gearman {
namespace support {

// A thread that has been joined may be counted for a moment: see wait_for.h.
int ThreadCount();
int DescriptorCount();

// Memory that a process (0: this one) has in RAM; -1: there is no such process.
int64_t ResidentBytes(pid_t process = 0);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_PROCESS_COUNTS_H_
