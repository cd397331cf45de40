// FrameReader: turns bytes into packets, incrementally, for any chunking.
// Decoder knows the meaning of the packets.
//
// Not thread-safe: one decoder owns it.
#ifndef GEARMAN_CODECS_WIRE_FRAME_READER_H_
#define GEARMAN_CODECS_WIRE_FRAME_READER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/spare_strings.h"

namespace gearman {
namespace wire {

struct DecoderOptions {
  // Bytes of one packet, including its header. The payload of a larger packet
  // is skipped when it arrives and takes no memory.
  size_t max_packet_bytes = 64 << 20;
  // Bytes of one packet whose payload passes in pieces. It may be larger than
  // max_packet_bytes, because such a payload takes no memory.
  size_t max_piecewise_bytes = 0;
  // Memory for large payloads, which other objects share. It must outlive the
  // decoder. Null: the decoder has only what Recycle gives it.
  SpareStrings* spares = nullptr;
};

enum class DecodeResult : unsigned char { kMessage, kNeedMore, kError };

// One packet. Views are valid until the next Prepare.
struct Frame {
  enum class Body : unsigned char {
    kRead,      // arguments and data are here
    kTooLarge,  // the arguments are here; the data is skipped
    kSkipped,   // the verdict was kSkip: the whole body is skipped
    kBegins,    // the arguments are here; the data follows in pieces
    kPiece,     // `data` is the next piece of that data
  };

  Header header;
  const CommandInfo* info = nullptr;
  std::array<absl::string_view, 8> arguments;
  Payload data;
  // kBegins: the size of the data. kPiece: the bytes that follow this piece.
  uint64_t data_bytes = 0;
  Body body = Body::kRead;
};

// The text that follows the message about a stream that
// FrameReader::LooksLikeTls.
inline constexpr absl::string_view kThisIsTls =
    ": this is TLS, for which addresses begin with tls://";

class FrameReader {
 public:
  // The verdict on a known packet whose header has been read.
  enum class Verdict : unsigned char {
    kRead,
    kSkip,   // pass it on without its body
    kError,  // the stream is broken: `error` has been set
  };

  explicit FrameReader(const DecoderOptions& options);

  // Decides whether the payload of a packet with this first argument passes in
  // pieces as it arrives. It is asked about payloads of at least 16 KiB that
  // are not here as a whole, or are too large. Not set: none does.
  using PassesInPieces =
      std::function<bool(const CommandInfo& info, absl::string_view argument)>;
  void set_passes_in_pieces(PassesInPieces function) {
    passes_in_pieces_ = std::move(function);
  }

  // Prepare and Commit work like Decoder's. Prepare and Next throw
  // std::bad_alloc if there is no memory for the peer's bytes. The stream is
  // then lost.
  absl::Span<char> Prepare();
  void Commit(size_t bytes);
  // The bytes of the large payload that comes next, if none of them is here;
  // else 0. The caller may give them to PutPayload instead of Commit.
  size_t wanted_payload() const {
    return payload_read_ == 0 ? payload_expected_ : 0;
  }
  // Takes the payload of wanted_payload() bytes.
  void PutPayload(Payload payload);
  const absl::Status& error() const { return error_; }
  uint64_t offset() const { return offset_; }
  bool in_packet() const {
    return begin_ != end_ || payload_expected_ > 0 || skip_ > 0;
  }
  // DATA_LOSS: the stream must not end here, inside a packet. The message says
  // where, in words that follow "closed".
  absl::Status CheckEnd() const;
  // The bytes of memory held for the stream, without DecoderOptions::spares.
  size_t capacity() const {
    // A short string is stored in the object and takes no other memory.
    const size_t payload = payload_.capacity();
    return capacity_ + own_spares_.bytes() +
           (payload > std::string().capacity() ? payload : 0);
  }

  // Takes the memory of a payload that is no longer needed, for a later one.
  // Some of this memory is kept until the stream is quiet.
  void Recycle(std::string payload) { spares_->Put(std::move(payload)); }
  SpareStrings* spares() { return spares_; }

  // Returns the next packet. `judge(header, info)` returns the Verdict on its
  // header, and may call Fail.
  template <typename Judge>
  DecodeResult Next(Frame* frame, Judge&& judge) {
    if (!error_.ok()) return DecodeResult::kError;
    if (skip_ > 0) {
      if (in_pieces_) return NextPiece(frame);
      if (!SkipRest()) return DecodeResult::kNeedMore;
    }
    if (payload_expected_ == 0) {
      if (!has_header_) {
        if (end_ - begin_ < kHeaderBytes) {
          return begin_ == end_ || CheckMagic() ? DecodeResult::kNeedMore
                                                : DecodeResult::kError;
        }
        if (!ParseHeader()) return DecodeResult::kError;
        switch (judge(header_, *info_)) {
          case Verdict::kRead:
            break;
          case Verdict::kSkip:
            return Skip(frame);
          case Verdict::kError:
            return DecodeResult::kError;
        }
        if (!CheckSize()) return DecodeResult::kError;
        if (TakeWhole(frame)) return DecodeResult::kMessage;
        has_header_ = true;
      }
      const DecodeResult result = ParseArguments();
      if (result != DecodeResult::kMessage) return result;
    }
    return Finish(frame);
  }

  // Ends the stream with DATA_LOSS. The message gets the offset: by default
  // that of the first byte not consumed.
  void Fail(absl::string_view what) { Fail(what, offset_); }
  void Fail(absl::string_view what, uint64_t offset);

  // The limit in the reader's options.
  size_t max_packet_bytes() const { return options_.max_packet_bytes; }

  // Whether the bytes that have come begin like a TLS alert or handshake.
  bool LooksLikeTls() const;
  // Returns the next byte if no packet has begun, or -1 if there is none. For a
  // port where text lines come between packets.
  int PeekFirstByte() const {
    return has_header_ || payload_expected_ > 0 || skip_ > 0 || begin_ == end_
               ? -1
               : static_cast<unsigned char>(memory_[begin_]);
  }
  // Takes a line out of the stream, without its LF. Returns false if there is
  // no whole line yet. `too_long` then says whether `limit` bytes have come
  // without an LF.
  bool TakeLine(size_t limit, absl::string_view* line, bool* too_long);
  // Drops the first part of a line that is too long: the bytes that TakeLine
  // has searched.
  void DropLinePart();

 private:
  // Checks the magic as far as it has come, because a peer of another protocol
  // may send less than a header and wait. Calls Fail if the bytes can't begin a
  // packet.
  bool CheckMagic();
  bool ParseHeader();
  // Decides whether the packet is too large. Calls Fail and returns false if it
  // is too large and has no payload that could be skipped.
  bool CheckSize();
  // Takes a packet that has arrived completely, as nearly every small packet
  // has. Returns false if it has not, or if the packet is unsound; then nothing
  // has changed, and ParseArguments goes on.
  bool TakeWhole(Frame* frame);
  DecodeResult ParseArguments();
  // Whether the packet may end right behind its only argument. Its data is
  // empty then.
  bool MayLackData() const;
  // Calls Fail, because the next argument has more bytes than a packet may have
  // for its arguments.
  DecodeResult FailArgumentTooLong();
  DecodeResult Finish(Frame* frame);
  // Fills in the arguments that ParseArguments has found.
  void PutArguments(Frame* frame) const;
  DecodeResult Skip(Frame* frame);
  // Passes on a too large packet without its data, and skips the data.
  DecodeResult FinishTooLarge(Frame* frame);
  // Begins to pass the payload on in pieces, if it is one of those.
  bool BeginPieces();
  DecodeResult FinishBegins(Frame* frame);
  // Passes on the bytes of the payload that are here.
  DecodeResult NextPiece(Frame* frame);
  // Drops the rest of a skipped body. Returns false if more of it has yet to
  // arrive.
  bool SkipRest();
  // Returns a string for a payload of `bytes` bytes. Its contents are
  // arbitrary.
  std::string TakeSpare(size_t bytes);
  // Makes room behind end_.
  void Reserve();
  void Grow();
  // Whether the next bytes of the stream belong into payload_.
  bool reading_payload() const { return payload_expected_ > payload_read_; }

  const DecoderOptions options_;
  // The bytes [begin_, end_) of the stream that have not been consumed.
  std::unique_ptr<char[]> memory_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  int small_commits_ = 0;
  // The last packets had large payloads, so the next one may have one, too.
  bool large_payloads_ = false;
  size_t line_scanned_ = 0;  // bytes from begin_ on without an LF
  uint64_t offset_ = 0;      // the offset of begin_

  // The packet being read, valid once has_header_ is set.
  bool has_header_ = false;
  bool too_large_ = false;
  Header header_;
  const CommandInfo* info_ = nullptr;
  size_t arguments_bytes_ = 0;  // including their separators
  size_t scanned_ = 0;          // bytes of the body searched for separators
  size_t arguments_found_ = 0;
  std::array<size_t, 8> argument_end_{};  // offsets in the body
  // The bytes of the current payload that are still to be skipped or, with
  // in_pieces_, passed on.
  uint64_t skip_ = 0;
  bool in_pieces_ = false;
  PassesInPieces passes_in_pieces_;

  // The size of a large payload on its way, and the bytes of it that are here.
  size_t payload_expected_ = 0;
  size_t payload_read_ = 0;
  // The string is longer than the bytes read: bytes from payload_read_ on have
  // no meaning.
  std::string payload_;
  Payload given_;  // by PutPayload, in place of payload_
  SpareStrings own_spares_{4 << 20};
  SpareStrings* const spares_;  // own_spares_, or the options'

  absl::Status error_;
};

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_FRAME_READER_H_
