// Connection is a transport with the decoder that reads from it and the output
// buffer that is written to it. Clients, workers and admin clients use it.
// Sessions give the events a meaning.
//
// Decoder is wire::Decoder<wire::ToClient>, wire::Decoder<wire::ToWorker> or
// admin::ReplyDecoder. Not thread-safe: its owner guards it by a lock.
#ifndef GEARMAN_SDK_INTERNAL_NET_CONNECTION_H_
#define GEARMAN_SDK_INTERNAL_NET_CONNECTION_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/net/packet_tap.h"
#include "gearman/sdk/internal/net/silence_hint.h"
#include "gearman/sdk/values/hand_over.h"
#include "gearman/transports/piece_stream.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {
namespace internal {

struct ConnectionOptions {
  // After this many bytes the other connections get their turn.
  size_t read_budget = 1 << 20;
  // Counts the memory of packets being read. It must outlive the connection. If
  // it is null, nothing is counted. Reading ends with an error when the account
  // holds more than max_memory bytes besides those of this connection's own
  // packet (0: no limit).
  ByteAccount* account = nullptr;
  size_t max_memory = 0;
};

template <typename Decoder>
class Connection {
 public:
  using Event = typename Decoder::Event;

  // Takes over `transport`, which has not begun to connect, and watches it on
  // `poller` under `key`. The poller must outlive the connection.
  Connection(std::unique_ptr<Transport> transport, Poller* poller,
             Poller::Key key, const typename Decoder::Options& decoder,
             const ConnectionOptions& options)
      : transport_(std::move(transport)),
        poller_(poller),
        key_(key),
        read_budget_(options.read_budget),
        account_(options.account),
        max_memory_(options.max_memory),
        decoder_(decoder),
        input_(options.account) {}

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { Close(); }

  // The tap sees every byte in both directions. Null (the default) means no
  // tap.
  void SetTap(std::unique_ptr<PacketTap> tap) { tap_ = std::move(tap); }

  bool connected() const { return connected_; }
  bool closed() const { return closed_; }
  Poller::Key key() const { return key_; }
  uint64_t bytes_received() const { return bytes_received_; }
  // True if a part of a packet was read, or a part of the output was written,
  // since the last call. The rest may take long, but the peer lives.
  bool TakeProgress() { return std::exchange(progress_, false); }
  // The peer, for messages.
  std::string Describe() const { return transport_->Describe(); }

  // For what the owner must tell the decoder, such as the replies that are due.
  Decoder& decoder() { return decoder_; }

  // The bytes to send. Nothing leaves before Flush. The buffer may be filled
  // before connected().
  wire::OutputBuffer& output() { return output_; }
  const wire::OutputBuffer& output() const { return output_; }

  // Lets only the bytes leave that are in the output now, until Release. So the
  // peer can show that it answers before it gets what must not be lost.
  void HoldRest() { held_from_ = output_.total_appended(); }
  void Release() { held_from_ = kNothingHeld; }

  // Continues to connect. After OK, connected() tells whether the connection is
  // made. An error is final.
  absl::Status Connect() {
    if (connected_) return absl::OkStatus();
    const IoResult result = transport_->Connect();
    if (result.done()) {
      connected_ = true;
      stream_ = transport_->pieces();
    }
    if (result.closed()) {
      return absl::UnavailableError(
          absl::StrCat(Describe(), ": closed by the server while connecting"));
    }
    if (result.failed()) return result.status;
    return absl::OkStatus();
  }

  // Reads the bytes that have arrived, up to the read budget, and calls
  // `on_event(Event&)` -> absl::Status for each event. The first error of
  // `on_event` ends the reading and is returned. Other errors: UNAVAILABLE: the
  // peer closed or the stream failed. DATA_LOSS: the peer broke the protocol.
  // RESOURCE_EXHAUSTED: there is no memory for the peer's packets, or the
  // account holds more than max_memory bytes. An error is final.
  template <typename OnEvent>
  absl::Status ReadEvents(OnEvent&& on_event) {
    try {
      absl::Status status = ReadAll(on_event);
      input_.Set(decoder_.capacity());
      return status;
    } catch (const std::bad_alloc&) {
      return OutOfMemory();
    }
  }

  // RESOURCE_EXHAUSTED: the account holds more than max_memory bytes, not
  // counting `except` bytes. The message names the server and the limit.
  absl::Status CheckMemory(size_t except = 0) const {
    if (max_memory_ == 0 || account_ == nullptr ||
        account_->bytes() - except <= max_memory_) {
      return absl::OkStatus();
    }
    return absl::ResourceExhaustedError(absl::StrCat(
        Describe(), ": what the servers have sent and nobody has taken holds ",
        account_->bytes(), " bytes; the limit is ", max_memory_,
        " (max_memory_bytes)"));
  }

  // Gives the memory of `payload` back to the decoder (wire::Decoder::Recycle).
  void Recycle(std::string payload) {
    try {
      decoder_.Recycle(std::move(payload));
    } catch (const std::bad_alloc&) {
      // The decoder then does not keep the payload's memory.
    }
  }

  // Writes as much of the output as the transport takes now. Of bodies from
  // sources it writes a part and leaves the rest to the next call, so that the
  // other connections get their turn; UpdateInterest then asks for that call.
  // An error is final.
  absl::Status Flush() {
    try {
      return WriteAll();
    } catch (const std::bad_alloc&) {
      return OutOfMemory();
    }
  }

  // Tells the poller which readiness this connection waits for. The owner calls
  // it after every turn.
  absl::Status UpdateInterest() {
    if (closed_) return absl::OkStatus();
    const Interest interest = transport_->interest(may_write());
    if (watched_ == interest) return absl::OkStatus();
    absl::Status status = poller_->Watch(key_, interest);
    if (status.ok()) watched_ = interest;
    return status;
  }

  // True if Flush has failed because a body could not be read from its source.
  // The server is not to blame.
  bool body_failed() const { return body_failed_; }

  // Removes the key from the poller and closes the stream. Idempotent.
  void Close() {
    if (closed_) return;
    closed_ = true;
    connected_ = false;
    stream_ = nullptr;
    poller_->Forget(key_);
    transport_->Close();
  }

  // Counts the calls of Transport::Write that moved bytes. Tests and metrics
  // read it.
  uint64_t writes() const { return writes_; }

 private:
  // A payload that is passed on whole costs as much as reading so many bytes.
  static constexpr size_t kBudgetOfPayload = 4096;
  // One write takes at most this many pieces. The next write takes the others.
  static constexpr size_t kMaxPieces = 64;
  static constexpr uint64_t kNothingHeld = UINT64_MAX;
  // One Flush reads at most about this many bytes of bodies from their sources.
  static constexpr size_t kBodyBudget = 1 << 20;

  template <typename OnEvent>
  absl::Status ReadAll(OnEvent&& on_event) {
    size_t budget = read_budget_;
    while (!closed_) {
      if (TakePayload()) {
        absl::Status status = Dispatch(on_event);
        if (!status.ok() || budget <= kBudgetOfPayload) return status;
        budget -= kBudgetOfPayload;
        continue;
      }
      absl::Span<char> memory = decoder_.Prepare();
      input_.Set(decoder_.capacity());
      // The packet being read is not counted, because it has a limit of its
      // own.
      absl::Status within = CheckMemory(input_.bytes());
      if (!within.ok()) return within;
      const IoResult result = transport_->Read(memory);
      switch (result.outcome) {
        case IoResult::Outcome::kWouldBlock:
          return absl::OkStatus();
        case IoResult::Outcome::kFailed:
          return Lost(result.status);
        case IoResult::Outcome::kClosed:
          return Lost(Ended());
        case IoResult::Outcome::kDone:
          break;
      }
      if (tap_ != nullptr) tap_->OnReceived({memory.data(), result.bytes});
      decoder_.Commit(result.bytes);
      bytes_received_ += result.bytes;
      absl::Status status = Dispatch(on_event);
      if (!status.ok()) return status;
      if (decoder_.in_packet()) progress_ = true;
      // A short read has emptied the stream, or a piece is next. Another read
      // of an empty stream would only cost a call.
      if (result.bytes < memory.size() &&
          (stream_ == nullptr || decoder_.wanted_payload() == 0)) {
        return absl::OkStatus();
      }
      if (result.bytes >= budget) return absl::OkStatus();
      budget -= result.bytes;
    }
    return absl::OkStatus();
  }

  // Takes a large payload from a stream that passes it on whole.
  bool TakePayload() {
    const size_t bytes = TakeWantedPayload(stream_, &decoder_,
                                           [this](absl::string_view payload) {
                                             if (tap_ != nullptr)
                                               tap_->OnReceived(payload);
                                           });
    bytes_received_ += bytes;
    return bytes > 0;
  }

  absl::Status ClosedByServer() const {
    return absl::UnavailableError(
        absl::StrCat(Describe(), ": closed by the server"));
  }
  // The error for a stream that has ended where the decoder stands.
  absl::Status Ended() const {
    const absl::Status end = decoder_.CheckEnd();
    if (end.ok()) return ClosedByServer();
    return absl::Status(
        end.code(),
        absl::StrCat(Describe(), ": closed by the server ", end.message()));
  }
  // Adds a hint to `status` if the stream ended before the server sent a byte.
  absl::Status Lost(const absl::Status& status) const {
    const absl::string_view hint = SilenceHint(Describe(), bytes_received_);
    if (hint.empty() || !absl::IsUnavailable(status)) return status;
    return absl::UnavailableError(absl::StrCat(status.message(), hint));
  }

  // True if the output has bytes that are not held.
  bool may_write() const {
    return !output_.empty() && output_.total_consumed() < held_from_;
  }
  // Takes the bytes that are held out of the first `count` of `pieces`, which
  // are what the output begins with. Returns how many are left.
  size_t WithoutHeld(absl::Span<absl::string_view> pieces, size_t count) const {
    if (held_from_ == kNothingHeld) return count;
    uint64_t room = held_from_ - output_.total_consumed();
    size_t left = 0;
    while (left < count && room > 0) {
      absl::string_view& piece = pieces[left++];
      piece = piece.substr(
          0, static_cast<size_t>(std::min<uint64_t>(room, piece.size())));
      room -= piece.size();
    }
    return left;
  }

  absl::Status WriteAll() {
    if (!connected_) return absl::OkStatus();
    std::array<absl::string_view, kMaxPieces> pieces;
    size_t body_bytes = 0;
    while (!closed_ && may_write()) {
      if (output_.unread() > 0) {
        if (body_bytes >= kBodyBudget) return absl::OkStatus();
        absl::Status status = output_.ReadBody(&body_bytes);
        if (!status.ok()) return BodyFailed(status);
      }
      if (const Payload* const payload = PayloadToGive(stream_, output_)) {
        ++writes_;
        const absl::string_view view = payload->view();
        if (tap_ != nullptr) tap_->OnSent({view}, view.size());
        Give(stream_, output_.TakeFrontPayload());
        continue;
      }
      const size_t count = WithoutHeld(
          absl::MakeSpan(pieces),
          output_.Gather(absl::MakeSpan(pieces), stream_ != nullptr));
      const IoResult result =
          transport_->Write(absl::MakeConstSpan(pieces.data(), count));
      if (result.would_block()) break;
      if (result.failed()) return Lost(result.status);
      if (result.closed()) return Lost(ClosedByServer());
      ++writes_;
      if (tap_ != nullptr) {
        tap_->OnSent(absl::MakeConstSpan(pieces.data(), count), result.bytes);
      }
      output_.Consume(result.bytes);
      if (may_write()) progress_ = true;
    }
    return absl::OkStatus();
  }

  absl::Status BodyFailed(const absl::Status& status) {
    body_failed_ = true;
    return absl::UnavailableError(absl::StrCat(
        Describe(), ": closed by this side in the middle of a packet, because ",
        status.message()));
  }

  absl::Status OutOfMemory() const {
    try {
      return absl::ResourceExhaustedError(absl::StrCat(
          Describe(),
          ": there is no memory for what the server sends or is to "
          "be sent"));
    } catch (const std::bad_alloc&) {
      return absl::Status(absl::StatusCode::kResourceExhausted, "");
    }
  }

  template <typename OnEvent>
  absl::Status Dispatch(OnEvent&& on_event) {
    while (!closed_) {
      switch (decoder_.Next(&event_)) {
        case wire::DecodeResult::kNeedMore:
          // Frees a payload that `on_event` has not taken.
          event_ = Event();
          return absl::OkStatus();
        case wire::DecodeResult::kError:
          return absl::Status(
              decoder_.error().code(),
              absl::StrCat(Describe(), ": ", decoder_.error().message()));
        case wire::DecodeResult::kMessage:
          break;
      }
      absl::Status status = on_event(event_);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  const std::unique_ptr<Transport> transport_;
  // The transport's. Null: it has bytes only, or is not connected.
  PieceStream* stream_ = nullptr;
  Poller* const poller_;
  const Poller::Key key_;
  const size_t read_budget_;
  ByteAccount* const account_;
  const size_t max_memory_;
  Decoder decoder_;
  ByteShare input_;
  Event event_;
  wire::OutputBuffer output_;
  std::unique_ptr<PacketTap> tap_;
  // The poller has been told this; not set before the first Watch.
  std::optional<Interest> watched_;
  // The bytes of the output from this one on, of all ever appended, are held.
  uint64_t held_from_ = kNothingHeld;
  uint64_t bytes_received_ = 0;
  uint64_t writes_ = 0;
  bool progress_ = false;
  bool body_failed_ = false;
  bool connected_ = false;
  bool closed_ = false;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_CONNECTION_H_
