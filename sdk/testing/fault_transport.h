// FaultTransport: a transport with a bad network in between.
//
// Each connection has a FaultPlan, which a function of the test usually draws
// from a seed. Times are on the poller's clock, so the class works in a
// Simulation and on real sockets.
#ifndef GEARMAN_SDK_TESTING_FAULT_TRANSPORT_H_
#define GEARMAN_SDK_TESTING_FAULT_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/base/callback.h"
#include "gearman/transports/clock.h"
#include "gearman/transports/piece_stream.h"
#include "gearman/transports/transport.h"
#include "gearman/transports/transport_factory.h"

namespace gearman {
namespace testing {

// The faults of one connection. Offsets count bytes of the stream, from 0.
struct FaultPlan {
  // The offset of a fault that does not happen.
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  // Whether connecting fails.
  bool refuse = false;
  // The time that connecting takes.
  absl::Duration connect_delay;
  // The time between the arrival of bytes and the moment when they are
  // readable.
  absl::Duration read_delay;
  // Each read and write moves at most a random number of bytes, from 1 to this.
  // 0 means no limit.
  size_t max_piece = 0;
  // The connection is cut after this number of bytes was written or read. The
  // bytes before the cut are delivered, and no bytes after it.
  uint64_t cut_after_written = kNever;
  uint64_t cut_after_read = kNever;
  // The peer seems to end the stream after this number of bytes. Writing still
  // works.
  uint64_t half_close_after_read = kNever;
  // One bit of the byte at this offset is flipped.
  uint64_t corrupt_written_at = kNever;
  uint64_t corrupt_read_at = kNever;
  // After this number of bytes the network swallows everything that is written,
  // and nothing more arrives: neither an error nor an end.
  uint64_t black_hole_after_written = kNever;
  uint64_t black_hole_after_read = kNever;
  // Strings don't pass whole (PieceStream), as over TCP.
  bool bytes_only = false;
  // The seed of the random pieces.
  uint64_t seed = 0;
};

// Strings pass whole (PieceStream) where the next transport passes them and no
// fault of the plan lies in them.
class FaultTransport final : public ForwardingTransport, private PieceStream {
 public:
  // `clock` must outlive the transport.
  FaultTransport(std::unique_ptr<Transport> next, FaultPlan plan, Clock* clock);

  IoResult Connect() override;
  IoResult Read(absl::Span<char> into) override;
  IoResult Write(absl::Span<const absl::string_view> pieces) override;
  Interest interest(bool want_write) const override;
  void Close() override;
  std::string Describe() const override;
  PieceStream* pieces() override;

 private:
  bool CanGive() const override;
  void Give(gearman::Piece piece) override;
  bool Take(size_t bytes, gearman::Piece* piece) override;

  IoResult Cut();
  // Returns how many of `size` bytes one call may move.
  size_t Part(size_t size);
  // Returns how many bytes may still be written before a fault.
  uint64_t SoundToWrite() const;
  // The bytes that have arrived may not be read yet. Begins to wait if a delay
  // is due.
  bool Delayed();
  bool Swallows() const;

  // The pieces of the next transport, when connected. Null means that it has
  // bytes only.
  PieceStream* stream_ = nullptr;
  const FaultPlan plan_;
  Clock* const clock_;
  std::mt19937_64 random_;
  bool cut_ = false;
  bool connected_ = false;
  // The last write found no room.
  bool full_ = false;
  uint64_t read_ = 0;
  uint64_t written_ = 0;
  absl::Time connect_at_ = absl::InfinitePast();
  // The time when the bytes that have arrived may be read. InfiniteFuture means
  // that no bytes are known to have arrived.
  absl::Time readable_at_ = absl::InfiniteFuture();
};

// Puts a FaultTransport over each transport that `next` makes. Listening goes
// to `next` unchanged.
class FaultTransportFactory final : public TransportFactory {
 public:
  // `plan` is called for each connection, on the thread that makes it.
  FaultTransportFactory(std::shared_ptr<TransportFactory> next,
                        Callback<FaultPlan(const Address&)> plan);

  absl::StatusOr<std::unique_ptr<Transport>> Create(const Address& address,
                                                    Poller* poller,
                                                    Poller::Key key) override;
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const Address& address,
                                                   Poller* poller,
                                                   Poller::Key key) override;
  absl::Status Check(const Address& address) override;

 private:
  const std::shared_ptr<TransportFactory> next_;
  const Callback<FaultPlan(const Address&)> plan_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_FAULT_TRANSPORT_H_
