#include "gearman/tests/support/process_counts.h"

#include <dirent.h>

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

}  // namespace support
}  // namespace gearman
