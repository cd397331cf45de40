// The processes of a comparison: gearmand, and this program in its other roles.
#ifndef GEARMAN_BENCHMARKS_COMPARE_CHILDREN_H_
#define GEARMAN_BENCHMARKS_COMPARE_CHILDREN_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gearman {
namespace benchmarks {

// A child that ends with this object at the latest.
class Child {
 public:
  // Its standard output is kept for Output when `keep_output`.
  Child(std::vector<std::string> arguments, bool keep_output);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits for its good end and returns what it printed.
  std::string Output();
  // Kills it and returns the seconds of CPU that it used.
  double Kill();
  // Seconds of CPU used so far.
  double CpuSeconds() const;

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

// A gearmand with two threads on a free port of the loopback, which serves.
class Gearmand {
 public:
  Gearmand();

  uint16_t port() const { return port_; }
  double CpuSeconds() const { return process_->CpuSeconds(); }

 private:
  uint16_t port_;
  std::unique_ptr<Child> process_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_CHILDREN_H_
