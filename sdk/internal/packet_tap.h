// PacketTap: sees every byte of one connection, both ways; counts the packets,
// and at debug level logs each one:
//
//   sent SUBMIT_JOB to tcp://jobs-1:4730: function "resize", unique "7f3a",
//   48 bytes
//   received JOB_CREATED from tcp://jobs-1:4730: handle "H:jobs-1:7", 22 bytes
//
// It reads the stream beside encoder and decoder, which know nothing of it: a
// connection without one pays a branch for each read and write, none for a
// packet. What breaks the protocol is the decoder's to report; the tap then
// looks at that direction no more.
//
// Not thread-safe: guarded like its connection, as is its part of the Metrics.
#ifndef GEARMAN_SDK_INTERNAL_PACKET_TAP_H_
#define GEARMAN_SDK_INTERNAL_PACKET_TAP_H_

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
  // For a connection to `server`. Null when nobody would hear of its packets:
  // no metrics (which outlive it), and a logger that drops debug messages.
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
    // Of a header that came in pieces.
    char header[wire::kHeaderBytes];
    size_t header_bytes = 0;
    // The packet that has begun, as long as its body has not ended.
    wire::Header packet;
    uint64_t body_left = 0;
    // The beginning of a body that came in pieces: what is to be shown of it.
    std::string start;
  };

  PacketTap(Metrics* metrics, const Logger& logger, absl::string_view server);

  void Scan(absl::string_view bytes, Stream* stream);
  // A part of a packet, which came in pieces; returns how many bytes it took.
  size_t ScanPiece(absl::string_view bytes, Stream* stream);
  // A packet begins whose body does not lie there whole.
  void OnHeader(const wire::Header& packet, Stream* stream);
  // How much of a body has to be seen.
  size_t BytesToSee(const wire::Header& packet) const;
  // A packet has ended. `body` is its whole body or as much as is to be seen.
  void OnPacket(const Stream& stream, const wire::Header& packet,
                absl::string_view body);
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

#endif  // GEARMAN_SDK_INTERNAL_PACKET_TAP_H_
