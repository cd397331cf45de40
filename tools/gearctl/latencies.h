// Latencies counts how long many jobs took, in constant memory.
//
// It counts in steps of less than 1 %, from a nanosecond to centuries. One
// thread at a time.
#ifndef GEARMAN_TOOLS_GEARCTL_LATENCIES_H_
#define GEARMAN_TOOLS_GEARCTL_LATENCIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace gearman {
namespace gearctl {

class Latencies {
 public:
  // A negative latency counts as zero.
  void Add(absl::Duration latency);

  int64_t count() const { return count_; }
  // min(), max() and mean() are zero while nothing has been added.
  absl::Duration min() const { return min_; }
  absl::Duration max() const { return max_; }
  absl::Duration mean() const;
  // The latency that `part` of all, from 0 to 1, did not exceed.
  absl::Duration Percentile(double part) const;

  // The bars of a plot. Each bar counts latencies above the limit of the bar
  // before and up to its own `limit`. The limits grow by a fixed factor and
  // cover all latencies.
  struct Bar {
    absl::Duration limit;
    int64_t count = 0;
  };
  // Returns at most about `most` bars.
  std::vector<Bar> Bars(int most) const;

 private:
  std::vector<int64_t> counts_;
  int64_t count_ = 0;
  absl::Duration sum_;
  absl::Duration min_;
  absl::Duration max_;
};

// Returns three digits: "85.3us", "1.24ms", "12.0s".
std::string ShortDuration(absl::Duration duration);

// Returns a plot for a terminal: a line for each bar, with limit, count and
// share.
std::string TextPlot(const Latencies& latencies, int columns);
// Returns a plot as an SVG picture.
std::string SvgPlot(const Latencies& latencies, const std::string& title);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_LATENCIES_H_
