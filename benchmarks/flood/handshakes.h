// Handshakes: connections that send the first flight of a TLS handshake, wait
// for the server's answer and begin again.
#ifndef GEARMAN_BENCHMARKS_FLOOD_HANDSHAKES_H_
#define GEARMAN_BENCHMARKS_FLOOD_HANDSHAKES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "gearman/benchmarks/flood/peer.h"

namespace gearman {
namespace benchmarks {

class Handshakes {
 public:
  // Keeps `at_once` handshakes under way with that port of the loopback. One
  // thread must use the object.
  Handshakes(uint16_t port, int at_once);
  ~Handshakes();

  // The connections, for Drive. This object owns them.
  std::vector<Polled*> polled() const;
  // Flights that the server has answered.
  int64_t answered() const { return answered_; }

 private:
  class One;

  int64_t answered_ = 0;
  std::vector<std::unique_ptr<One>> all_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_HANDSHAKES_H_
