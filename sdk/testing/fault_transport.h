// FaultTransport: another transport, with a bad network in between.
//
// Faults are given as a FaultPlan for each connection, mostly drawn from a
// seed by a function of the test's. Times are on the poller's clock, so that
// it works in a Simulation and on real sockets alike.
#ifndef GEARMAN_SDK_TESTING_FAULT_TRANSPORT_H_
#define GEARMAN_SDK_TESTING_FAULT_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {
namespace testing {

// What happens to one connection. Offsets count bytes of the stream, from 0.
struct FaultPlan {
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  // Connecting fails.
  bool refuse = false;
  // Connecting takes this long.
  absl::Duration connect_delay;
  // Bytes are readable only so long after they came.
  absl::Duration read_delay;
  // Each read and write moves at most a random number of bytes, from 1 to
  // this. 0: as many as there are.
  size_t max_piece = 0;
  // The connection is cut: after so many bytes were written, or read. What was
  // written before is delivered; nothing behind it is.
  uint64_t cut_after_written = kNever;
  uint64_t cut_after_read = kNever;
  // The peer seems to end the stream after so many bytes; writing still works.
  uint64_t half_close_after_read = kNever;
  // One bit of this byte is turned.
  uint64_t corrupt_written_at = kNever;
  uint64_t corrupt_read_at = kNever;
  // After so many bytes the network swallows everything that is written, and
  // nothing comes any more: no error, no end.
  uint64_t black_hole_after_written = kNever;
  uint64_t black_hole_after_read = kNever;
  // Of the random pieces.
  uint64_t seed = 0;
};

class FaultTransport final : public ForwardingTransport {
 public:
  // `clock` outlives it.
  FaultTransport(std::unique_ptr<Transport> next, FaultPlan plan, Clock* clock);

  IoResult Connect() override;
  IoResult Read(absl::Span<char> into) override;
  IoResult Write(absl::Span<const absl::string_view> pieces) override;
  Interest interest(bool want_write) const override;
  void Close() override;
  std::string Describe() const override;

 private:
  IoResult Cut();
  // How many bytes of `size` one call may move.
  size_t Piece(size_t size);
  bool Swallows() const;

  const FaultPlan plan_;
  Clock* const clock_;
  std::mt19937_64 random_;
  bool cut_ = false;
  bool connected_ = false;
  uint64_t read_ = 0;
  uint64_t written_ = 0;
  absl::Time connect_at_ = absl::InfinitePast();
  // When what has arrived may be read; InfiniteFuture: nothing is known to be.
  absl::Time readable_at_ = absl::InfiniteFuture();
};

// Puts a FaultTransport over each transport that `next` makes. Listening is
// passed on as it is.
class FaultTransportFactory final : public TransportFactory {
 public:
  // `plan` is asked for each connection, from the thread that makes it.
  FaultTransportFactory(std::shared_ptr<TransportFactory> next,
                        std::function<FaultPlan(const Address&)> plan);

  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override;
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address,
                                                   Poller* poller,
                                                   Poller::Key key) override;
  absl::Status Check(const Address& address) override;

 private:
  const std::shared_ptr<TransportFactory> next_;
  const std::function<FaultPlan(const Address&)> plan_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_FAULT_TRANSPORT_H_
