#include "gearman/benchmarks/compare/workload.h"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <limits>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/side.h"

namespace gearman {
namespace benchmarks {
namespace {

// The first byte of a payload.
constexpr char kSlow = 's';
constexpr char kFast = 'f';

// Handlers of up to so many microseconds count turns instead of time.
constexpr int kSpinUs = 100;

using NumberOfWorkload = int Workload::*;
constexpr NumberOfWorkload kFields[] = {&Workload::jobs,
                                        &Workload::warm_up,
                                        &Workload::in_flight,
                                        &Workload::payload_bytes,
                                        &Workload::threads,
                                        &Workload::rate,
                                        &Workload::workers,
                                        &Workload::grabs,
                                        &Workload::concurrency,
                                        &Workload::busy_us,
                                        &Workload::sleep_ms,
                                        &Workload::slow_one_of,
                                        &Workload::own_task,
                                        &Workload::uniques,
                                        &Workload::callbacks,
                                        &Workload::keep_memory,
                                        &Workload::again,
                                        &Workload::connections,
                                        &Workload::idle_connections,
                                        &Workload::functions,
                                        &Workload::queued,
                                        &Workload::counted};

// Returns the CPU time of the calling thread.
int64_t ThreadCpuNs() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

// Adds to a sum that nobody needs.
void Spin(int64_t turns) {
  volatile int64_t sum = 0;
  for (int64_t i = 0; i < turns; ++i) sum = sum + i;
}

// The turns that use a microsecond of CPU.
int64_t TurnsOfMicrosecond() {
  static const int64_t turns = [] {
    constexpr int64_t kTurns = 10'000'000;
    int64_t least = std::numeric_limits<int64_t>::max();
    for (int run = 0; run < 3; ++run) {
      const int64_t begin = ThreadCpuNs();
      Spin(kTurns);
      least = std::min(least, ThreadCpuNs() - begin);
    }
    return kTurns * 1000 / least;
  }();
  return turns;
}

}  // namespace

std::string EncodeWorkload(const Workload& workload) {
  std::vector<int> numbers = {static_cast<int>(workload.mode)};
  for (const NumberOfWorkload field : kFields) {
    numbers.push_back(workload.*field);
  }
  return absl::StrJoin(numbers, ",");
}

Workload DecodeWorkload(absl::string_view text) {
  Workload workload;
  std::vector<int> numbers;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    numbers.emplace_back();
    if (!absl::SimpleAtoi(part, &numbers.back())) Fail("no workload");
  }
  if (numbers.size() != 1 + std::size(kFields)) Fail("no workload");
  workload.mode = static_cast<Mode>(numbers[0]);
  for (size_t i = 0; i < std::size(kFields); ++i) {
    workload.*kFields[i] = numbers[i + 1];
  }
  return workload;
}

bool IsSlow(const Workload& workload, int job) {
  if (workload.busy_us == 0 && workload.sleep_ms == 0) return false;
  // A multiplicative hash has no pattern with which arrivals could coincide.
  const uint32_t hash = (static_cast<uint32_t>(job) + 1) * 2654435761u >> 8;
  return hash % static_cast<uint32_t>(workload.slow_one_of) == 0;
}

const char* TaskOf(const Workload& workload, int job) {
  return workload.own_task != 0 && IsSlow(workload, job) ? kSlowTask : kTask;
}

std::string PayloadOf(const Workload& workload, int job) {
  return std::string(static_cast<size_t>(workload.payload_bytes),
                     IsSlow(workload, job) ? kSlow : kFast);
}

void DoWork(const Workload& workload, absl::string_view payload) {
  if (payload.empty() || payload[0] != kSlow) return;
  if (workload.busy_us > 0 && workload.busy_us <= kSpinUs) {
    // Asking the clock would cost a good part of so short a time.
    Spin(TurnsOfMicrosecond() * workload.busy_us);
  } else if (workload.busy_us > 0) {
    // The job is work, not time: a thread that waits for a core has not worked.
    const int64_t end = ThreadCpuNs() + int64_t{1000} * workload.busy_us;
    while (ThreadCpuNs() < end) {
    }
  }
  if (workload.sleep_ms > 0) {
    absl::SleepFor(absl::Milliseconds(workload.sleep_ms));
  }
}

}  // namespace benchmarks
}  // namespace gearman
