// FrameReader: bytes to packets, incrementally, whatever the chunking; what
// the packets mean to whom is Decoder's business.
//
// Not thread-safe: owned by one decoder.
#ifndef GEARMAN_CODECS_WIRE_FRAME_READER_H_
#define GEARMAN_CODECS_WIRE_FRAME_READER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"

namespace gearman {
namespace wire {

struct DecoderOptions {
  // Bytes of one packet, header included. The payload of a larger packet is
  // skipped as it arrives and takes no memory.
  size_t max_packet_bytes = 64 << 20;
};

enum class DecodeResult : unsigned char { kMessage, kNeedMore, kError };

// One packet. Views are valid until the next Prepare.
struct Frame {
  enum class Body : unsigned char {
    kRead,      // arguments and data are here
    kTooLarge,  // the arguments are here; the data is skipped
    kSkipped,   // the verdict was kSkip: the whole body is skipped
  };

  Header header;
  const CommandInfo* info = nullptr;
  std::array<absl::string_view, 8> arguments;
  Payload data;
  Body body = Body::kRead;
};

// Behind the message of a stream that FrameReader::LooksLikeTls.
inline constexpr absl::string_view kThisIsTls =
    ": this is TLS, for which addresses begin with tls://";

class FrameReader {
 public:
  // What to do with a packet whose header has been read, a known one.
  enum class Verdict : unsigned char {
    kRead,
    kSkip,   // pass it on without its body
    kError,  // the stream is broken: the reader's `error` has been set
  };

  explicit FrameReader(const DecoderOptions& options);

  // As in Decoder. Prepare and Next throw std::bad_alloc when there is no
  // memory for the peer's bytes. The stream is lost then.
  absl::Span<char> Prepare();
  void Commit(size_t bytes);
  const absl::Status& error() const { return error_; }
  uint64_t offset() const { return offset_; }
  bool in_packet() const {
    return begin_ != end_ || payload_expected_ > 0 || skip_ > 0;
  }
  // Bytes of memory held for the stream.
  size_t capacity() const {
    // What a string holds in itself is not memory of its own.
    const size_t payload = payload_.capacity();
    return capacity_ + spare_bytes_ +
           (payload > std::string().capacity() ? payload : 0);
  }

  // The memory of a large payload that nobody needs any more, for one to come:
  // fresh memory is zeroed and mapped page by page, which costs more than
  // reading into it (a worker's job of 1 MiB: 0.99 ms of CPU instead of 0.5).
  // Some of it is kept, until the stream is quiet.
  void Recycle(std::string payload);

  // The next packet. `judge(header, info)` -> Verdict decides by its header;
  // it may call Fail.
  template <typename Judge>
  DecodeResult Next(Frame* frame, Judge&& judge) {
    if (!error_.ok()) return DecodeResult::kError;
    if (!SkipRest()) return DecodeResult::kNeedMore;
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

  // Ends the stream with DATA_LOSS; the text gets the offset, which is that of
  // the first byte not consumed unless given.
  void Fail(absl::string_view what) { Fail(what, offset_); }
  void Fail(absl::string_view what, uint64_t offset);

  // The limit in the reader's options.
  size_t max_packet_bytes() const { return options_.max_packet_bytes; }

  // The bytes that have come begin as an alert or a handshake of TLS does.
  bool LooksLikeTls() const;
  // The next byte of a packet not begun, or -1: none is here. For a port on
  // which text lines are mixed in.
  int PeekFirstByte() const {
    return has_header_ || payload_expected_ > 0 || skip_ > 0 || begin_ == end_
               ? -1
               : static_cast<unsigned char>(memory_[begin_]);
  }
  // Takes a line out of the stream, without its LF. False: there is no whole
  // line yet; `too_long` then tells that there are `limit` bytes without one.
  bool TakeLine(size_t limit, absl::string_view* line, bool* too_long);
  // Drops the first part of a line that TakeLine found too long: the bytes that
  // TakeLine has searched.
  void DropLinePart();

 private:
  // The bytes that are here begin a packet: a peer of another protocol may send
  // fewer than a header and wait.
  bool CheckMagic();
  bool ParseHeader();
  // Decides whether the packet is too large. False: it is, and it has no
  // payload that could be skipped. Then this has called Fail.
  bool CheckSize();
  // Takes a packet that is here from its first byte to its last, as nearly
  // every small one is. False: it is not, or it is no sound packet; then
  // nothing has changed, and ParseArguments goes on.
  bool TakeWhole(Frame* frame);
  DecodeResult ParseArguments();
  // The packet may end right behind its only argument. Its data is empty then.
  bool MayLackData() const;
  // Fails: the next argument has more bytes than a packet may spend on
  // arguments.
  DecodeResult FailArgumentTooLong();
  DecodeResult Finish(Frame* frame);
  // Fills in the arguments that ParseArguments has found.
  void PutArguments(Frame* frame) const;
  DecodeResult Skip(Frame* frame);
  // Passes on a too large packet without its data, and skips the data.
  DecodeResult FinishTooLarge(Frame* frame);
  // Drops the rest of a skipped body. False: more of it has yet to arrive.
  bool SkipRest();
  // A string for a payload of so many bytes, which holds anything.
  std::string TakeSpare(size_t bytes);
  // Makes room behind end_.
  void Reserve();
  void Grow();
  // The next bytes of the stream belong into payload_.
  bool reading_payload() const { return payload_expected_ > payload_read_; }

  const DecoderOptions options_;
  // The bytes [begin_, end_) of the stream that have not been consumed.
  std::unique_ptr<char[]> memory_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  int small_commits_ = 0;
  size_t line_scanned_ = 0;  // bytes from begin_ on without an LF
  uint64_t offset_ = 0;      // of begin_

  // The packet being read, once has_header_.
  bool has_header_ = false;
  bool too_large_ = false;
  Header header_;
  const CommandInfo* info_ = nullptr;
  size_t arguments_bytes_ = 0;  // with their separators
  size_t scanned_ = 0;          // bytes of the body looked at for separators
  size_t arguments_found_ = 0;
  std::array<size_t, 8> argument_end_{};  // offsets in the body
  uint64_t skip_ = 0;

  // A large payload on its way: so many bytes in all, so many here.
  size_t payload_expected_ = 0;
  size_t payload_read_ = 0;
  // Longer than what has been read: bytes from payload_read_ on mean nothing.
  std::string payload_;
  std::vector<std::string> spares_;
  size_t spare_bytes_ = 0;

  absl::Status error_;
};

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_FRAME_READER_H_
