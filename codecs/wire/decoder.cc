#include "gearman/codecs/wire/decoder.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/packets.h"

namespace gearman {
namespace wire {
namespace {

using layout::kPacket;
using Verdict = FrameReader::Verdict;

// For last arguments, which may hold NULs by the framing but should hold none
// by their meaning. gearmand sends a WORK_FAIL in place of an exception with a
// NUL behind its handle, and accepts handles with one.
absl::string_view WithoutNuls(absl::string_view argument) {
  while (!argument.empty() && argument.back() == '\0') {
    argument.remove_suffix(1);
  }
  return argument;
}

// Bytes of an ERROR's text that are passed on. The text is copied into messages
// and logs.
constexpr size_t kMaxErrorText = 4096;

// gearmand, too, treats an argument that it passes on as a C string.
absl::string_view UntilNul(absl::string_view argument) {
  return argument.substr(0, argument.find('\0'));
}

Verdict Broken(FrameReader *reader, absl::string_view what) {
  reader->Fail(what);
  return Verdict::kError;
}

template <typename Receiver>
Verdict Judge(FrameReader *reader, const Header &header,
              const CommandInfo &info) {
  if constexpr (std::is_same_v<Receiver, ToServer>) {
    return !header.response && info.to_server() ? Verdict::kRead
                                                : Verdict::kSkip;
  }
  constexpr bool kToClient = std::is_same_v<Receiver, ToClient>;
  if (!header.response) {
    return Broken(reader,
                  absl::StrCat(info.name, " with the magic of a request"));
  }
  if (!(kToClient ? info.server_to_client : info.server_to_worker)) {
    return Broken(reader,
                  absl::StrCat(info.name, ", which no server sends to a ",
                               kToClient ? "client" : "worker"));
  }
  return Verdict::kRead;
}

// A message to fill in. The constructor is not defaulted, because GCC then
// clears the whole message first, which costs a JOB_ASSIGN a third more.
template <typename Message>
struct Blank {
  Blank() {}
  Message message;
};

// Makes the event of a packet from its row. Does nothing for packets that the
// receiver never gets: Judge lets none of them through.
template <typename Receiver, size_t kRow>
void Build([[maybe_unused]] Frame &frame, [[maybe_unused]] Receiver *event) {
  using Message = layout::MessageOf<kRow>;
  if constexpr (kGoesTo<Message, Receiver>) {
    constexpr const auto &row = kPacket<kRow>;
    Blank<Message> blank;
    Message &message = blank.message;
    row.SetConditions(message);
    for (size_t i = 0; i < row.kArguments; ++i) {
      message.*row.arguments[i].member = frame.arguments[i];
    }
    if constexpr (std::is_same_v<Message, Error>) {
      message.*row.data = frame.data.view().substr(0, kMaxErrorText);
    } else if constexpr (row.kHasData) {
      message.*row.data = std::move(frame.data);
    } else if constexpr (row.EndsInCutArgument()) {
      absl::string_view &last = message.*row.arguments.back().member;
      last = std::is_same_v<Receiver, ToServer> ? UntilNul(last)
                                                : WithoutNuls(last);
    }
    event->template emplace<Message>(std::move(message));
  }
}

template <typename Receiver>
using Builder = void (*)(Frame &, Receiver *);

template <typename Receiver, size_t... kRow>
constexpr std::array<Builder<Receiver>, sizeof...(kRow)> BuildersOf(
    std::index_sequence<kRow...>) {
  return {&Build<Receiver, kRow>...};
}
// The functions that make the events of a receiver. That of packet n is n - 1.
template <typename Receiver>
constexpr auto kBuilders = BuildersOf<Receiver>(layout::Rows());

RefusedPacket Refused(const Header &header) {
  return header.response
             ? RefusedPacket{"INVALID_MAGIC", "Request magic expected"}
             : RefusedPacket{"INVALID_COMMAND", "Command not expected"};
}

}  // namespace

template <typename Receiver>
DecodeResult Decoder<Receiver>::Next(Receiver *event) {
  const DecodeResult result = reader_.Next(
      &frame_, [this](const Header &header, const CommandInfo &info) {
        return Judge<Receiver>(&reader_, header, info);
      });
  if (result != DecodeResult::kMessage) return result;
  switch (frame_.body) {
    case Frame::Body::kRead:
      kBuilders<Receiver>[frame_.header.type - 1](frame_, event);
      break;
    case Frame::Body::kTooLarge:
      event->template emplace<TooLargePacket>(
          TooLargePacket{frame_.info,
                         absl::MakeConstSpan(frame_.arguments.data(),
                                             frame_.info->argument_count),
                         uint64_t{frame_.header.body_bytes} + kHeaderBytes,
                         reader_.max_packet_bytes()});
      break;
    case Frame::Body::kBegins:
      if constexpr (std::is_same_v<Receiver, ToClient>) {
        event->template emplace<PayloadBegins>(
            PayloadBegins{frame_.info, frame_.arguments[0], frame_.data_bytes});
      }
      break;
    case Frame::Body::kPiece:
      if constexpr (std::is_same_v<Receiver, ToClient>) {
        event->template emplace<PayloadPiece>(
            PayloadPiece{frame_.data.view(), frame_.data_bytes});
      }
      break;
    case Frame::Body::kSkipped:
      if constexpr (std::is_same_v<Receiver, ToServer>) {
        event->template emplace<RefusedPacket>(Refused(frame_.header));
      }
      break;
  }
  return result;
}

template class Decoder<ToClient>;
template class Decoder<ToWorker>;
template class Decoder<ToServer>;

}  // namespace wire
}  // namespace gearman
