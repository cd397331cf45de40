// How much memory this process may have.
#ifndef GEARMAN_TRANSPORTS_PROCESS_MEMORY_H_
#define GEARMAN_TRANSPORTS_PROCESS_MEMORY_H_

#include <cstddef>
#include <limits>
#include <string>

#include "absl/strings/string_view.h"

namespace gearman {

// A limit of bytes that stands for a share of ProcessMemory. The option that
// has it says which share.
inline constexpr size_t kShareOfMemory = std::numeric_limits<size_t>::max();

// Bytes: the smallest of the machine's memory, the process's address space
// (RLIMIT_AS, RLIMIT_DATA) and the limits of its control groups. A limit that
// can't be read counts as no limit. Any thread.
size_t ProcessMemory();

// The bytes that one packet may have where all packets together may have
// `max_memory` bytes (0: no limit): `max_packet_bytes`, and at most half of the
// memory. So a packet that the memory could never hold is too large by itself,
// and is skipped; it does not end the connection that brings it.
size_t PacketLimit(size_t max_packet_bytes, size_t max_memory);

// The smallest limit of the control groups that `cgroup` (the text of
// /proc/self/cgroup) names and of those around them. Their files lie under
// `root` (/sys/fs/cgroup). SIZE_MAX: none. For tests.
size_t ControlGroupMemory(absl::string_view cgroup, const std::string& root);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_PROCESS_MEMORY_H_
