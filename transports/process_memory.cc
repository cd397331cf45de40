#include "gearman/transports/process_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace gearman {
namespace {

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

size_t LimitOf(int resource) {
  rlimit limit;
  if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0 ||
      limit.rlim_cur == RLIM_INFINITY) {
    return kNoLimit;
  }
  return limit.rlim_cur;
}

size_t MachineMemory() {
  const long pages = sysconf(_SC_PHYS_PAGES);     // NOLINT(runtime/int)
  const long page_bytes = sysconf(_SC_PAGESIZE);  // NOLINT(runtime/int)
  return pages <= 0 || page_bytes <= 0
             ? kNoLimit
             : static_cast<size_t>(pages) * static_cast<size_t>(page_bytes);
}

std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The number in a file; kNoLimit if the file holds "max" or can't be read.
size_t NumberIn(const std::string& path) {
  uint64_t number = 0;
  return absl::SimpleAtoi(absl::StripAsciiWhitespace(Read(path)), &number)
             ? static_cast<size_t>(number)
             : kNoLimit;
}

// Returns the smallest limit of a group and of all groups around it.
size_t LeastOnTheWayUp(const std::string& root, absl::string_view group,
                       absl::string_view file) {
  size_t least = kNoLimit;
  for (;;) {
    least = std::min(least, NumberIn(absl::StrCat(root, group, "/", file)));
    const size_t parent = group.rfind('/');
    if (parent == absl::string_view::npos) return least;
    group = group.substr(0, parent);
  }
}

}  // namespace

size_t ControlGroupMemory(absl::string_view cgroup, const std::string& root) {
  size_t least = kNoLimit;
  // The lines are "0::/group" (version 2) or "4:memory:/group" (version 1).
  for (const absl::string_view line : absl::StrSplit(cgroup, '\n')) {
    const std::vector<absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const absl::string_view group = parts[2] == "/" ? "" : parts[2];
    if (parts[1].empty()) {
      least = std::min(least, LeastOnTheWayUp(root, group, "memory.max"));
    } else if (absl::StrContains(absl::StrCat(",", parts[1], ","),
                                 ",memory,")) {
      least = std::min(least, LeastOnTheWayUp(absl::StrCat(root, "/memory"),
                                              group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

size_t ProcessMemory() {
  return std::min(
      {MachineMemory(), LimitOf(RLIMIT_AS), LimitOf(RLIMIT_DATA),
       ControlGroupMemory(Read("/proc/self/cgroup"), "/sys/fs/cgroup")});
}

size_t PacketLimit(size_t max_packet_bytes, size_t max_memory) {
  // Packets of this size are allowed with any limit of memory, because they
  // hold names and small payloads.
  constexpr size_t kLeast = 65536;
  if (max_memory == 0) return max_packet_bytes;
  return std::min(max_packet_bytes, std::max(max_memory / 2, kLeast));
}

}  // namespace gearman
