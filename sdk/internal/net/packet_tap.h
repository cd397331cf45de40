// PacketTap sees every byte of one connection in both directions. It counts the
// packets, and at debug level it logs each one:
//
//   sent SUBMIT_JOB to tcp://jobs-1:4730: function "resize", unique "7f3a",
//   48 bytes
//   received JOB_CREATED from tcp://jobs-1:4730: handle "H:jobs-1:7", 22 bytes
//
// The tap reads the stream independently of the encoder and the decoder. A
// connection without a tap pays one branch for each read and write, and none
// for a packet. The decoder reports a breach of the protocol; after one, the
// tap ignores that direction.
//
// Not thread-safe. The lock of the connection guards the tap, too, and the part
// of the Metrics that it writes.
#ifndef GEARMAN_SDK_INTERNAL_NET_PACKET_TAP_H_
#define GEARMAN_SDK_INTERNAL_NET_PACKET_TAP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/log.h"

namespace gearman {
namespace internal {

class PacketTap {
 public:
  // Makes a tap for a connection to `server`. Returns null when `metrics` is
  // null and the logger drops debug messages, because a tap would then do
  // nothing. `metrics` must outlive the tap.
  static std::unique_ptr<PacketTap> Create(Metrics* metrics,
                                           const Logger& logger,
                                           absl::string_view server);
  PacketTap(const PacketTap&) = delete;
  PacketTap& operator=(const PacketTap&) = delete;

  // The first `bytes` bytes of `pieces` have been written.
  void OnSent(absl::Span<const absl::string_view> pieces, size_t bytes);
  // These bytes have been read.
  void OnReceived(absl::string_view bytes);

 private:
  // One direction's stream.
  struct Stream {
    explicit Stream(PacketDirection direction) : direction(direction) {}

    const PacketDirection direction;
    bool broken = false;
    // The bytes so far of a header that comes in pieces.
    char header[wire::kHeaderBytes];
    size_t header_bytes = 0;
    // The packet whose body has not ended yet.
    wire::Header packet;
    uint64_t body_left = 0;
    // The beginning of a body that came in pieces, up to BytesToSee.
    std::string start;
  };

  PacketTap(Metrics* metrics, const Logger& logger, absl::string_view server);

  void Scan(absl::string_view bytes, Stream* stream);
  // Scans a part of a packet that came in pieces. Returns the number of bytes
  // taken.
  size_t ScanPiece(absl::string_view bytes, Stream* stream);
  // Begins a packet whose body is not all there yet.
  void OnHeader(const wire::Header& packet, Stream* stream);
  // The number of bytes of a body that the tap must see.
  size_t BytesToSee(const wire::Header& packet) const;
  // Ends a packet. `body` is its whole body, or at least BytesToSee of it.
  void OnPacket(const Stream& stream, const wire::Header& packet,
                absl::string_view body);
  // Counts an ERROR by its code, and logs the packet at debug level.
  void LookInto(const Stream& stream, const wire::Header& packet,
                absl::string_view body);
  void Log(PacketDirection direction, const wire::Header& packet,
           const wire::CommandInfo& info, absl::string_view body) const;

  Metrics* const metrics_;
  const Logger logger_;
  const bool logs_;
  const std::string server_;
  Stream sent_{PacketDirection::kSent};
  Stream received_{PacketDirection::kReceived};
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_PACKET_TAP_H_
