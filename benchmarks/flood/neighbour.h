// Neighbour: a well-behaved connection beside a flood. It sends an ECHO_REQ at
// a steady pace, whatever has become of those before, and notes when each is
// answered.
#ifndef GEARMAN_BENCHMARKS_FLOOD_NEIGHBOUR_H_
#define GEARMAN_BENCHMARKS_FLOOD_NEIGHBOUR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace gearman {
namespace benchmarks {

struct Echo {
  absl::Time due;
  // From the moment at which it was due, sent late or not; of one that is not
  // answered: until Run gave up.
  absl::Duration latency;
  bool answered = false;
};

class Neighbour {
 public:
  // Connects to that port of the loopback.
  explicit Neighbour(uint16_t port);
  ~Neighbour();
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

  // Sends for `duration`, calls `at_end`, and waits for the answers that are
  // left `grace` longer at most. Blocks its thread.
  std::vector<Echo> Run(absl::Duration duration, absl::Duration grace,
                        absl::FunctionRef<void()> at_end);
  // The server closed the connection.
  bool closed() const { return closed_; }

 private:
  // Takes what has come. The answers to the echoes that are due come in order.
  void Read(std::vector<Echo>* echoes);

  const int socket_;
  bool closed_ = false;
  size_t answered_ = 0;
  size_t received_ = 0;  // bytes of an answer that is not complete
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_NEIGHBOUR_H_
