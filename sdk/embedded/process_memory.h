// How much memory this process may have.
#ifndef GEARMAN_SDK_EMBEDDED_PROCESS_MEMORY_H_
#define GEARMAN_SDK_EMBEDDED_PROCESS_MEMORY_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace gearman {
namespace embedded {

// Bytes: the least of the machine's memory, the process's address space
// (RLIMIT_AS, RLIMIT_DATA) and the limits of its control groups. What cannot be
// read counts as no limit. Any thread.
size_t ProcessMemory();

// The limit of the control group that `cgroup` (/proc/self/cgroup's text) names
// and of those around it, whose files lie under `root` (/sys/fs/cgroup).
// SIZE_MAX: none. For tests.
size_t ControlGroupMemory(absl::string_view cgroup, const std::string& root);

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_PROCESS_MEMORY_H_
