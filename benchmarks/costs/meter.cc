#include "gearman/benchmarks/costs/meter.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

namespace gearman {
namespace benchmarks {

Meter::Meter() {
  perf_event_attr attributes;
  std::memset(&attributes, 0, sizeof(attributes));
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  // This thread, on any processor.
  instructions_ = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0,
                                           -1, -1, PERF_FLAG_FD_CLOEXEC));
}

Meter::~Meter() {
  if (instructions_ >= 0) close(instructions_);
}

Spent Meter::Now() const {
  Spent spent;
  uint64_t instructions = 0;
  if (instructions_ >= 0 &&
      read(instructions_, &instructions, sizeof(instructions)) ==
          static_cast<ssize_t>(sizeof(instructions))) {
    spent.instructions = instructions;
  }
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  spent.cpu_ns = static_cast<double>(time.tv_sec) * 1e9 +
                 static_cast<double>(time.tv_nsec);
  return spent;
}

}  // namespace benchmarks
}  // namespace gearman
