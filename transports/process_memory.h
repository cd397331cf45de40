// How much memory this process may have.
#ifndef GEARMAN_TRANSPORTS_PROCESS_MEMORY_H_
#define GEARMAN_TRANSPORTS_PROCESS_MEMORY_H_

#include <cstddef>
#include <limits>
#include <string>

#include "absl/strings/string_view.h"

namespace gearman {

// A limit of bytes that stands for a share of ProcessMemory; whose limit it is
// says which share.
inline constexpr size_t kShareOfMemory = std::numeric_limits<size_t>::max();

// Bytes: the least of the machine's memory, the process's address space
// (RLIMIT_AS, RLIMIT_DATA) and the limits of its control groups. What cannot be
// read counts as no limit. Any thread.
size_t ProcessMemory();

// The limit of the control group that `cgroup` (/proc/self/cgroup's text) names
// and of those around it, whose files lie under `root` (/sys/fs/cgroup).
// SIZE_MAX: none. For tests.
size_t ControlGroupMemory(absl::string_view cgroup, const std::string& root);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_PROCESS_MEMORY_H_
