// Latencies: how long many jobs took, counted in constant memory.
//
// Kept in steps of less than 1 %, from a nanosecond to centuries. One thread at
// a time.
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
  // A negative one counts as zero.
  void Add(absl::Duration latency);

  int64_t count() const { return count_; }
  // Zero while there are none, as the others.
  absl::Duration min() const { return min_; }
  absl::Duration max() const { return max_; }
  absl::Duration mean() const;
  // What `part` of them, from 0 to 1, did not exceed.
  absl::Duration Percentile(double part) const;

  // Bars of a plot: each counts what took more than the one before and at most
  // `limit`. Their limits grow by a fixed factor and cover all that there is.
  struct Bar {
    absl::Duration limit;
    int64_t count = 0;
  };
  // At most about so many.
  std::vector<Bar> Bars(int most) const;

 private:
  std::vector<int64_t> counts_;
  int64_t count_ = 0;
  absl::Duration sum_;
  absl::Duration min_;
  absl::Duration max_;
};

// In three digits: "85.3us", "1.24ms", "12.0s".
std::string ShortDuration(absl::Duration duration);

// A bar for each line, with its limit, count and share: what a terminal shows.
std::string TextPlot(const Latencies& latencies, int columns);
// The same as a picture.
std::string SvgPlot(const Latencies& latencies, const std::string& title);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_LATENCIES_H_
