// Watch: whether a program that does the same all the time needs more and more.
#ifndef GEARMAN_TESTS_SOAK_WATCH_H_
#define GEARMAN_TESTS_SOAK_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gearman {
namespace soak {

struct Resources {
  int64_t resident_bytes = 0;
  int64_t descriptors = 0;
  int64_t threads = 0;
};

// Measures the resources of this process. Before that it gives free memory back
// to the system, so that equal use gives equal numbers.
Resources MeasureResources();

// A plain value. Not thread-safe.
class Watch {
 public:
  // How much more a program may have late than early that does not grow: what
  // is cached, fragmented or just being replaced.
  struct Slack {
    int64_t resident_bytes = 8 << 20;
    int64_t descriptors = 4;
    int64_t threads = 2;
  };

  // Samples come at equal amounts of work, at moments at which nothing is under
  // way.
  void Add(const Resources& sample) { samples_.push_back(sample); }
  size_t size() const { return samples_.size(); }

  // The median of each number in the second and in the last quarter of the
  // samples. The first quarter counts for nothing: the program warms up. At
  // least kFewest samples are needed.
  static constexpr size_t kFewest = 8;
  Resources Early() const;
  Resources Late() const;

  // A sentence for each number that is larger late than early by more than
  // `slack`. Empty: nothing grows.
  std::vector<std::string> Growth(const Slack& slack) const;

 private:
  Resources Median(size_t begin, size_t end) const;

  std::vector<Resources> samples_;
};

}  // namespace soak
}  // namespace gearman

#endif  // GEARMAN_TESTS_SOAK_WATCH_H_
