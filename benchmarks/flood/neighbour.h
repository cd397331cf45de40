// Neighbour: a well-behaved connection beside a flood. It sends ECHO_REQs at a
// steady pace, answered or not, and notes when each is answered.
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
  // The time from `due` to the answer, even if the echo was sent later. Without
  // an answer, the time from `due` until Run gave up.
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

  // Sends for `duration`, calls `at_end`, and waits at most `grace` longer for
  // the remaining answers. Blocks the calling thread.
  std::vector<Echo> Run(absl::Duration duration, absl::Duration grace,
                        absl::FunctionRef<void()> at_end);
  // The server closed the connection.
  bool closed() const { return closed_; }

 private:
  // Reads the answers that have come. They come in the order of the echoes.
  void Read(std::vector<Echo>* echoes);

  const int socket_;
  bool closed_ = false;
  size_t answered_ = 0;
  size_t received_ = 0;  // bytes of an answer that is not complete
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_NEIGHBOUR_H_
