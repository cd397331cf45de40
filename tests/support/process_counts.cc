#include "gearman/tests/support/process_counts.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

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

std::vector<ThreadState> ThreadsOf(pid_t process) {
  const std::string folder =
      "/proc/" + std::to_string(process == 0 ? getpid() : process) + "/task";
  std::vector<ThreadState> threads;
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) return threads;
  while (const dirent* const entry = readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    std::ifstream file(folder + "/" + entry->d_name + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    // A name in parentheses, which may hold any character, then the state, five
    // numbers, and the flags.
    const size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) continue;
    std::istringstream fields(stat.substr(name_end + 1));
    ThreadState thread;
    fields >> thread.state;
    int64_t number = 0;
    for (int i = 0; i < 5; ++i) fields >> number;
    uint64_t flags = 0;
    if (!(fields >> flags)) continue;
    constexpr uint64_t kExiting = 4;  // the kernel's PF_EXITING
    thread.id = static_cast<pid_t>(std::atoi(entry->d_name));
    thread.exiting = (flags & kExiting) != 0;
    threads.push_back(thread);
  }
  closedir(directory);
  return threads;
}

int ThreadCount() {
  int count = 0;
  for (const ThreadState& thread : ThreadsOf()) count += thread.exiting ? 0 : 1;
  return count;
}

bool OtherThreadsSleep() {
  const pid_t own = static_cast<pid_t>(syscall(SYS_gettid));
  for (const ThreadState& thread : ThreadsOf()) {
    if (thread.id != own && thread.state != 'S') return false;
  }
  return true;
}

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
