// How much memory this process may have.
#ifndef GEARMAN_TRANSPORTS_PROCESS_MEMORY_H_
#define GEARMAN_TRANSPORTS_PROCESS_MEMORY_H_

#include <cstddef>
#include <limits>
#include <string>

#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// A limit of bytes that stands for a share of ProcessMemory. Each option with
// this value says which share.
inline constexpr size_t kShareOfMemory = std::numeric_limits<size_t>::max();

// Returns, in bytes, the smallest of the machine's memory, the limits of the
// process's address space (RLIMIT_AS, RLIMIT_DATA) and the limits of its
// control groups. A limit that can't be read counts as no limit. Any thread may
// call it.
size_t ProcessMemory();

// Returns the bytes that one packet may have if all packets together may have
// `max_memory` bytes (0 means no limit): the smaller of `max_packet_bytes` and
// half of the memory, but at least 64 KiB for the latter. So a packet that
// memory could never hold is too large by itself and is skipped. It does not
// end the connection that brings it.
size_t PacketLimit(size_t max_packet_bytes, size_t max_memory);

// Returns the smallest memory limit of the control groups in `cgroup` (the text
// of /proc/self/cgroup) and of all groups around them, or SIZE_MAX if there is
// none. `root` is the folder with the groups' files (/sys/fs/cgroup). For
// tests.
size_t ControlGroupMemory(absl::string_view cgroup, const std::string& root);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_PROCESS_MEMORY_H_
