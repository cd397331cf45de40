// Meter measures what the calling thread spends between two moments.
#ifndef GEARMAN_BENCHMARKS_COSTS_METER_H_
#define GEARMAN_BENCHMARKS_COSTS_METER_H_

#include <cstdint>
#include <optional>

namespace gearman {
namespace benchmarks {

struct Spent {
  double cpu_ns = 0;
  // Instructions in user space. Unset: the machine does not count them for us.
  std::optional<uint64_t> instructions;
};

class Meter {
 public:
  Meter();
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // The time that this thread has spent so far.
  Spent Now() const;

 private:
  int instructions_;  // a descriptor, or -1
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COSTS_METER_H_
