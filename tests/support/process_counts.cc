#include "gearman/tests/support/process_counts.h"

#include <dirent.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace gearman {
namespace support {
namespace {

int EntriesOf(const char* folder) {
  DIR* const directory = opendir(folder);
  if (directory == nullptr) return -1;
  int count = 0;
  while (const dirent* const entry = readdir(directory)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(directory);
  return count;
}

}  // namespace

int ThreadCount() { return EntriesOf("/proc/self/task"); }

// The folder itself is open while it is read.
int DescriptorCount() { return EntriesOf("/proc/self/fd") - 1; }

int64_t ResidentBytes(pid_t process) {
  std::ifstream file(
      "/proc/" + (process == 0 ? "self" : std::to_string(process)) + "/statm");
  int64_t total = 0;
  int64_t resident = 0;
  if (!(file >> total >> resident)) return -1;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace support
}  // namespace gearman
