// ReplyDecoder: turns bytes from a job server into replies to text commands,
// incrementally, for any chunking.
//
// Replies carry no name and come in the order of the commands. Therefore the
// caller tells the decoder the shape of the reply to each command that it
// sends. The decoder is used like wire::Decoder: Prepare, Commit, then Next
// until it needs more.
//
// Not thread-safe: one connection owns it.
#ifndef GEARMAN_CODECS_ADMIN_REPLY_DECODER_H_
#define GEARMAN_CODECS_ADMIN_REPLY_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/frame_reader.h"

namespace gearman {
namespace admin {

enum class ReplyShape : unsigned char {
  kLine,  // one line
  kList,  // lines up to "."; or one line with an error
  // One or more lines, up to the answer to the getpid that was sent behind the
  // command (drop function).
  kFenced,
};
// Returns the shape of the reply to `command`, which must not be
// RefusedCommand.
ReplyShape ShapeOf(const Command& command);

// Lines without their ends, stored as one text: an empty line takes one byte.
class ReplyLines {
 public:
  using value_type = absl::string_view;
  class const_iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = absl::string_view;
    using difference_type = std::ptrdiff_t;
    using pointer = const absl::string_view*;
    using reference = absl::string_view;

    explicit const_iterator(absl::string_view rest) : rest_(rest) {}
    absl::string_view operator*() const {
      return rest_.substr(0, rest_.find('\n'));
    }
    const_iterator& operator++() {
      rest_.remove_prefix(rest_.find('\n') + 1);
      return *this;
    }
    bool operator==(const const_iterator& other) const {
      return rest_.size() == other.rest_.size();
    }
    bool operator!=(const const_iterator& other) const {
      return !(*this == other);
    }

   private:
    absl::string_view rest_;  // begins with the current line
  };
  using iterator = const_iterator;

  // `line` must hold no line feed.
  void Append(absl::string_view line) {
    text_.append(line.data(), line.size());
    text_ += '\n';
    ++size_;
  }
  size_t size() const { return size_; }
  // The bytes of all lines together.
  size_t bytes() const { return text_.size() - size_; }
  bool empty() const { return size_ == 0; }
  absl::string_view front() const { return *begin(); }
  // These iterators are valid until the next Append.
  const_iterator begin() const { return const_iterator(text_); }
  const_iterator end() const { return const_iterator(""); }

 private:
  std::string text_;  // each line with a line feed at its end
  size_t size_ = 0;
};

struct Reply {
  ReplyShape shape = ReplyShape::kLine;
  // The lines without their ends. Without the "." of a list, and for kFenced
  // without the answer to getpid.
  ReplyLines lines;
  // kList: the server answered with an error, which is the only line.
  bool list_refused = false;
  // The reply exceeds a limit of ReplyDecoderOptions. It was read to its end,
  // and `lines` is empty.
  bool too_large = false;
};

struct ReplyDecoderOptions {
  // The limits of one reply, in bytes and in lines. A larger reply is skipped
  // to its end and returned without lines (Reply::too_large). The limit of
  // lines exists because most lines cost their reader more memory than they
  // take here.
  size_t max_reply_bytes = 64 << 20;
  size_t max_reply_lines = 4'000'000;
  // Whether each command is sent only after the reply before it. Then bytes
  // behind a line that would end a list show that a name has forged that line,
  // so it counts as a row. If no bytes have come yet, the line ends the list.
  bool one_at_a_time = false;
};

class ReplyDecoder {
 public:
  using Event = Reply;
  using Options = ReplyDecoderOptions;

  explicit ReplyDecoder(ReplyDecoderOptions options = {});
  ReplyDecoder(const ReplyDecoder&) = delete;
  ReplyDecoder& operator=(const ReplyDecoder&) = delete;

  // Tells the decoder that a command has been sent whose reply has this shape.
  void Expect(ReplyShape shape) { expected_.push_back(shape); }
  // The number of replies that are due.
  size_t expected() const { return expected_.size(); }

  // Returns memory to read into, never empty.
  absl::Span<char> Prepare() { return reader_.Prepare(); }
  // Tells the decoder that the first `bytes` bytes of the last Prepare's span
  // have been filled.
  void Commit(size_t bytes) { reader_.Commit(bytes); }
  // No payload comes over the text protocol.
  size_t wanted_payload() const { return reader_.wanted_payload(); }
  void PutPayload(Payload payload) { reader_.PutPayload(std::move(payload)); }
  // Returns the next reply. kError is final: error() has the mistake and its
  // offset in the stream. The code is DATA_LOSS: a binary packet, or a reply to
  // no command.
  wire::DecodeResult Next(Reply* reply);
  const absl::Status& error() const { return reader_.error(); }

  // The offset in the stream of the first byte that Next has not consumed.
  uint64_t offset() const { return reader_.offset(); }
  // UNAVAILABLE: the stream must not end here, because a reply is due. The
  // message says so in words that follow "closed".
  absl::Status CheckEnd() const;
  // True if a part of a line has come, or the first lines of a reply.
  bool in_packet() const { return reply_bytes_ > 0 || reader_.in_packet(); }
  // The bytes of memory held for the stream, without those of the reply.
  size_t capacity() const { return reader_.capacity(); }

 private:
  enum class Step : unsigned char { kReplyEnds, kMoreLines };
  // Adds a line (without its LF) to the reply, unless the reply is too large.
  // Returns whether it is the last line.
  Step TakeLine(absl::string_view line);
  // Drops the lines of the reply, those read and those to come.
  void SkipReply();

  const ReplyDecoderOptions options_;
  wire::FrameReader reader_;
  std::deque<ReplyShape> expected_;
  // The reply being read.
  Reply reply_;
  size_t reply_bytes_ = 0;
  // The first part of a line of a too large reply has been dropped.
  bool in_dropped_line_ = false;
};

}  // namespace admin
}  // namespace gearman

#endif  // GEARMAN_CODECS_ADMIN_REPLY_DECODER_H_
