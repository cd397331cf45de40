#include "gearman/sdk/internal/net/packet_tap.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// ERRORs are counted by their code. A longer code is cut to this size.
constexpr size_t kMaxCodeBytes = 64;
// The log shows at most this much of an argument, and of an ERROR's text.
constexpr size_t kMaxShownBytes = 256;

constexpr uint32_t kError = static_cast<uint32_t>(wire::Command::kError);

// Appends `bytes` escaped, in quotes, and cut to `max_bytes`.
void AppendShown(absl::string_view bytes, size_t max_bytes, std::string* text) {
  absl::StrAppend(text, "\"", SafeText(bytes.substr(0, max_bytes)),
                  bytes.size() > max_bytes ? "\"..." : "\"");
}

}  // namespace

std::unique_ptr<PacketTap> PacketTap::Create(Metrics* metrics,
                                             const Logger& logger,
                                             absl::string_view server) {
  if (metrics == nullptr && !logger.enabled(LogLevel::kDebug)) return nullptr;
  return std::unique_ptr<PacketTap>(new PacketTap(metrics, logger, server));
}

PacketTap::PacketTap(Metrics* metrics, const Logger& logger,
                     absl::string_view server)
    : metrics_(metrics),
      logger_(logger),
      logs_(logger.enabled(LogLevel::kDebug)),
      server_(server) {}

inline void PacketTap::OnPacket(const Stream& stream,
                                const wire::Header& packet,
                                absl::string_view body) {
  if (metrics_ != nullptr) metrics_->Packet(stream.direction, packet.type);
  if (logs_ || packet.type == kError) LookInto(stream, packet, body);
}

void PacketTap::OnSent(absl::Span<const absl::string_view> pieces,
                       size_t bytes) {
  for (const absl::string_view piece : pieces) {
    if (bytes == 0) return;
    const size_t part = std::min(bytes, piece.size());
    Scan(piece.substr(0, part), &sent_);
    bytes -= part;
  }
}

void PacketTap::OnReceived(absl::string_view bytes) { Scan(bytes, &received_); }

void PacketTap::Scan(absl::string_view bytes, Stream* stream) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end && !stream->broken) {
    const size_t left = static_cast<size_t>(end - at);
    wire::Header packet;
    if (stream->body_left > 0 || stream->header_bytes > 0 ||
        left < wire::kHeaderBytes) {
      at += ScanPiece({at, left}, stream);
    } else if (!wire::ReadHeader(at, &packet)) {
      stream->broken = true;
    } else if (left - wire::kHeaderBytes < packet.body_bytes) {
      OnHeader(packet, stream);
      at += wire::kHeaderBytes;
    } else {  // usual case: the whole packet is there
      at += wire::kHeaderBytes;
      OnPacket(*stream, packet, {at, packet.body_bytes});
      at += packet.body_bytes;
    }
  }
}

size_t PacketTap::ScanPiece(absl::string_view bytes, Stream* stream) {
  if (stream->body_left > 0) {
    const size_t part = static_cast<size_t>(
        std::min<uint64_t>(stream->body_left, bytes.size()));
    const size_t seen = stream->start.size();
    const size_t to_see = BytesToSee(stream->packet);
    if (seen < to_see) {
      stream->start.append(bytes.data(), std::min(part, to_see - seen));
    }
    stream->body_left -= part;
    if (stream->body_left == 0) {
      OnPacket(*stream, stream->packet, stream->start);
    }
    return part;
  }
  const size_t part =
      std::min(wire::kHeaderBytes - stream->header_bytes, bytes.size());
  std::memcpy(stream->header + stream->header_bytes, bytes.data(), part);
  stream->header_bytes += part;
  if (stream->header_bytes == wire::kHeaderBytes) {
    stream->header_bytes = 0;
    wire::Header packet;
    if (wire::ReadHeader(stream->header, &packet)) {
      OnHeader(packet, stream);
    } else {
      stream->broken = true;
    }
  }
  return part;
}

void PacketTap::OnHeader(const wire::Header& packet, Stream* stream) {
  stream->packet = packet;
  stream->start.clear();
  stream->body_left = packet.body_bytes;
  if (packet.body_bytes == 0) OnPacket(*stream, packet, absl::string_view());
}

size_t PacketTap::BytesToSee(const wire::Header& packet) const {
  if (logs_) {
    return wire::kMaxArgumentBytes + kMaxShownBytes + logger_.payload_bytes();
  }
  return packet.type == kError ? kMaxCodeBytes : 0;
}

void PacketTap::LookInto(const Stream& stream, const wire::Header& packet,
                         absl::string_view body) {
  if (metrics_ != nullptr && packet.type == kError) {
    metrics_->ProtocolError(
        body.substr(0, std::min(body.find('\0'), kMaxCodeBytes)));
  }
  const wire::CommandInfo* const info = wire::FindCommand(packet.type);
  // For an unknown type, the decoder's error names it.
  if (logs_ && info != nullptr) Log(stream.direction, packet, *info, body);
}

void PacketTap::Log(PacketDirection direction, const wire::Header& packet,
                    const wire::CommandInfo& info,
                    absl::string_view body) const {
  const bool sent = direction == PacketDirection::kSent;
  const size_t size = wire::kHeaderBytes + packet.body_bytes;
  std::string text = absl::StrCat(sent ? "sent " : "received ", info.name,
                                  sent ? " to " : " from ", server_, ": ");
  // The tap may not have seen the end of a large body. That end is only
  // payload.
  size_t payload = packet.body_bytes;
  for (size_t i = 0; i < info.argument_count; ++i) {
    const bool last = i + 1 == info.argument_count && !info.has_data;
    const size_t end = last ? body.size() : body.find('\0');
    const absl::string_view argument = body.substr(0, end);
    absl::StrAppend(&text, info.arguments[i], " ");
    AppendShown(argument, kMaxShownBytes, &text);
    absl::StrAppend(&text, ", ");
    const size_t skipped = std::min(argument.size() + 1, body.size());
    body.remove_prefix(skipped);
    payload -= skipped;
  }
  if (info.has_data && packet.type == kError) {
    text.append("text ");
    AppendShown(body, kMaxShownBytes, &text);
    text.append(", ");
  } else if (info.has_data && logger_.payload_bytes() > 0) {
    const absl::string_view shown = body.substr(0, logger_.payload_bytes());
    absl::StrAppend(&text, "data \"", SafeText(shown),
                    payload > shown.size() ? "\"..., " : "\", ");
  }
  logger_.Log(LogLevel::kDebug, text, size, " bytes");
}

}  // namespace internal
}  // namespace gearman
