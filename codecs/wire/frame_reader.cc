#include "gearman/codecs/wire/frame_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace wire {
namespace {

// The buffer of a quiet connection, and that of a burst of reads.
constexpr size_t kInitialBytes = 16384;
constexpr size_t kBurstBytes = 262144;
// A burst is over after this many reads of at most an eighth of the buffer.
constexpr int kQuietReads = 64;
// A payload of at least this size that is not here yet is read into its string.
constexpr size_t kDirectBytes = SpareStrings::kMinBytes;
// Between large payloads a read takes no more than this, so that the next
// payload is read into its string and not copied there. Header and arguments
// nearly always fit.
constexpr size_t kHeadBytes = 512;
// No server or client makes a packet with more bytes of arguments: gearmand
// takes 8,180.
constexpr size_t kMaxArgumentsRead = 65536;
// Memory for a payload follows the bytes that have arrived, not the announced
// size. At first this much is reserved (and not touched), then 8 times the
// bytes here.
constexpr size_t kFirstPayloadBytes = 1 << 20;
constexpr size_t kPayloadGrowth = 8;
// The bytes of a payload's string that are prepared for one read. std::string
// zeroes them, which costs little if they stay in the cache until they are
// read.
constexpr size_t kPayloadReadBytes = 262144;

}  // namespace

FrameReader::FrameReader(const DecoderOptions& options)
    : options_(options),
      spares_(options.spares != nullptr ? options.spares : &own_spares_) {}

void FrameReader::Reserve() {
  if (begin_ == end_) {
    // Views of earlier packets become invalid here.
    begin_ = 0;
    end_ = 0;
    if (small_commits_ >= kQuietReads) {
      small_commits_ = 0;
      if (capacity_ > kInitialBytes) {
        memory_ = nullptr;
        capacity_ = 0;
      }
      spares_->FreeUnused();
    }
  }
  if (capacity_ == 0) {
    memory_.reset(new char[kInitialBytes]);
    capacity_ = kInitialBytes;
    small_commits_ = 0;
  }
  if (end_ < capacity_ && (begin_ == 0 || capacity_ - end_ >= capacity_ / 4)) {
    return;
  }
  if (begin_ > 0) {
    std::memmove(memory_.get(), memory_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (capacity_ - end_ >= capacity_ / 4) return;
  // The buffer is bounded, because a packet with a larger body is read
  // elsewhere.
  Grow();
}

absl::Span<char> FrameReader::Prepare() {
  if (!reading_payload()) {
    Reserve();
    size_t room = capacity_ - end_;
    if (large_payloads_) room = std::min(room, kHeadBytes);
    return absl::Span<char>(memory_.get() + end_, room);
  }
  if (payload_.capacity() < kDirectBytes) {
    payload_ = TakeSpare(payload_expected_);
  }
  if (payload_read_ == payload_.size()) {
    const size_t missing = payload_expected_ - payload_read_;
    const size_t size = payload_read_ + std::min(missing, kPayloadReadBytes);
    if (size > payload_.capacity()) {
      payload_.reserve(std::max(
          size, std::min(payload_expected_, kPayloadGrowth * payload_read_)));
    }
    payload_.resize(size);
  }
  return absl::Span<char>(
      &payload_[payload_read_],
      std::min(payload_.size(), payload_expected_) - payload_read_);
}

std::string FrameReader::TakeSpare(size_t bytes) {
  std::string spare = spares_->Take(bytes);
  if (spare.capacity() < bytes) {
    spare.reserve(std::min(bytes, kFirstPayloadBytes));
  }
  return spare;
}

void FrameReader::Commit(size_t bytes) {
  if (reading_payload()) {
    payload_read_ += bytes;
    small_commits_ = 0;
    return;
  }
  const bool filled = bytes == capacity_ - end_;
  end_ += bytes;
  // If the next packet's payload is large, too, Finish says so again.
  if (bytes == kHeadBytes) large_payloads_ = false;
  small_commits_ = bytes <= capacity_ / 8 ? small_commits_ + 1 : 0;
  // A peer that fills the buffer has more to send: fewer reads of more bytes
  // follow.
  if (filled && capacity_ < kBurstBytes && begin_ == 0) Grow();
}

void FrameReader::PutPayload(Payload payload) {
  given_ = std::move(payload);
  payload_read_ = payload_expected_;
  small_commits_ = 0;
}

void FrameReader::Grow() {
  const size_t larger = capacity_ * 2;
  std::unique_ptr<char[]> memory(new char[larger]);
  std::memcpy(memory.get(), memory_.get(), end_);
  memory_ = std::move(memory);
  capacity_ = larger;
}

void FrameReader::Fail(absl::string_view what, uint64_t offset) {
  error_ =
      absl::DataLossError(absl::StrCat("the peer broke the protocol at byte ",
                                       offset, " of its stream: ", what));
}

absl::Status FrameReader::CheckEnd() const {
  if (!in_packet()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("inside a packet, at byte ", offset_));
}

bool FrameReader::LooksLikeTls() const {
  // A TLS record begins with its kind (an alert or a handshake) and the
  // version.
  const absl::string_view begin(memory_.get() + begin_, end_ - begin_);
  return begin.size() >= 3 && (begin[0] == '\x15' || begin[0] == '\x16') &&
         begin[1] == '\x03' && static_cast<unsigned char>(begin[2]) <= 4;
}

bool FrameReader::CheckMagic() {
  const absl::string_view begin(memory_.get() + begin_,
                                std::min(end_ - begin_, kRequestMagic.size()));
  if (begin == kRequestMagic.substr(0, begin.size()) ||
      begin == kResponseMagic.substr(0, begin.size())) {
    return true;
  }
  // Usually this is another protocol, and more bytes than the magic show which.
  Fail(absl::StrCat(
      "expected a packet, which begins with \"\\x00REQ\" or \"\\x00RES\", got "
      "\"",
      SafeText(absl::string_view(
          begin.data(), std::min<size_t>(end_ - begin_, kHeaderBytes))),
      "\"", LooksLikeTls() ? kThisIsTls : ""));
  return false;
}

bool FrameReader::ParseHeader() {
  if (!ReadHeader(memory_.get() + begin_, &header_)) return CheckMagic();
  info_ = FindCommand(header_.type);
  if (info_ == nullptr) {
    Fail(absl::StrCat("unknown packet type ", header_.type,
                      "; expected one from 1 to ", kLastCommand));
    return false;
  }
  arguments_bytes_ = 0;
  scanned_ = 0;
  arguments_found_ = 0;
  return true;
}

bool FrameReader::CheckSize() {
  too_large_ =
      uint64_t{header_.body_bytes} + kHeaderBytes > options_.max_packet_bytes;
  if (!too_large_ || info_->has_data) return true;
  Fail(absl::StrCat(info_->name, " announces ", header_.body_bytes,
                    " bytes; the limit is ", options_.max_packet_bytes,
                    " with its header (max_packet_bytes)"));
  return false;
}

DecodeResult FrameReader::FailArgumentTooLong() {
  Fail(absl::StrCat(info_->name, ": the argument '",
                    info_->arguments[arguments_found_],
                    "' does not end within ", kMaxArgumentsRead, " bytes"));
  return DecodeResult::kError;
}

bool FrameReader::MayLackData() const {
  // Perl's worker sends an empty result as a handle alone, without the NUL
  // behind it.
  return !header_.response && info_->has_data && info_->argument_count == 1;
}

bool FrameReader::TakeWhole(Frame* frame) {
  const size_t body_bytes = header_.body_bytes;
  if (too_large_ || end_ - begin_ - kHeaderBytes < body_bytes) return false;
  const char* const body = memory_.get() + begin_ + kHeaderBytes;
  const char* const body_end = body + body_bytes;
  const char* at = body;
  const size_t separators = info_->separators();
  for (size_t i = 0; i < separators; ++i) {
    const auto* const nul = static_cast<const char*>(
        std::memchr(at, '\0', static_cast<size_t>(body_end - at)));
    if (nul == nullptr) return false;
    frame->arguments[i] = absl::string_view(at, static_cast<size_t>(nul - at));
    at = nul + 1;
  }
  const size_t argument_bytes = static_cast<size_t>(at - body);
  const absl::string_view rest(at, body_bytes - argument_bytes);
  if (info_->has_data) {
    if (argument_bytes > kMaxArgumentsRead) return false;
    frame->data = Payload::View(rest);
  } else {
    if (body_bytes > kMaxArgumentsRead) return false;
    if (info_->argument_count > 0) frame->arguments[separators] = rest;
    frame->data = Payload();
  }
  frame->header = header_;
  frame->info = info_;
  frame->body = Frame::Body::kRead;
  begin_ += kHeaderBytes + body_bytes;
  offset_ += kHeaderBytes + body_bytes;
  return true;
}

DecodeResult FrameReader::ParseArguments() {
  const char* body = memory_.get() + begin_ + kHeaderBytes;
  const size_t here =
      std::min<size_t>(end_ - begin_ - kHeaderBytes, header_.body_bytes);
  const size_t separators = info_->separators();
  while (arguments_found_ < separators) {
    const void* nul = here > scanned_
                          ? std::memchr(body + scanned_, '\0', here - scanned_)
                          : nullptr;
    if (nul != nullptr && static_cast<const char*>(nul) - body >=
                              static_cast<ptrdiff_t>(kMaxArgumentsRead)) {
      return FailArgumentTooLong();
    }
    if (nul == nullptr) {
      scanned_ = here;
      if (here == header_.body_bytes && here <= kMaxArgumentsRead) {
        if (MayLackData()) {
          argument_end_[arguments_found_++] = here;
          arguments_bytes_ = here;
          break;
        }
        Fail(absl::StrCat(info_->name, " with a body of ", header_.body_bytes,
                          " bytes lacks the NUL behind its argument '",
                          info_->arguments[arguments_found_], "'; expected ",
                          separators, ", got ", arguments_found_));
        return DecodeResult::kError;
      }
      return here > kMaxArgumentsRead ? FailArgumentTooLong()
                                      : DecodeResult::kNeedMore;
    }
    scanned_ = static_cast<size_t>(static_cast<const char*>(nul) - body);
    argument_end_[arguments_found_++] = scanned_++;
    arguments_bytes_ = scanned_;
  }
  if (!info_->has_data) {
    if (header_.body_bytes > kMaxArgumentsRead) {
      Fail(absl::StrCat(info_->name, " of ", header_.body_bytes,
                        " bytes is larger than its arguments can be"));
      return DecodeResult::kError;
    }
    return here == header_.body_bytes ? DecodeResult::kMessage
                                      : DecodeResult::kNeedMore;
  }
  if (BeginPieces()) return DecodeResult::kMessage;
  if (too_large_ || here == header_.body_bytes) return DecodeResult::kMessage;
  const size_t data_bytes = header_.body_bytes - arguments_bytes_;
  if (data_bytes < kDirectBytes) return DecodeResult::kNeedMore;
  // The bytes of the payload that are here move into its string. The rest is
  // read there.
  const size_t data_here = here - arguments_bytes_;
  if (data_here > 0) {
    std::string payload = TakeSpare(data_bytes);
    if (payload.size() < data_here) payload.resize(data_here);
    payload_ = std::move(payload);
    std::memcpy(&payload_[0], body + arguments_bytes_, data_here);
  }
  payload_expected_ = data_bytes;
  payload_read_ = data_here;
  end_ = begin_ + kHeaderBytes + arguments_bytes_;
  return DecodeResult::kMessage;
}

bool FrameReader::BeginPieces() {
  if (!passes_in_pieces_ || arguments_found_ == 0) return false;
  // A whole payload is not passed on in pieces, unless it is too large.
  if (end_ - begin_ - kHeaderBytes >= header_.body_bytes && !too_large_) {
    return false;
  }
  if (header_.body_bytes - arguments_bytes_ < kDirectBytes ||
      uint64_t{header_.body_bytes} + kHeaderBytes >
          options_.max_piecewise_bytes) {
    return false;
  }
  const absl::string_view first(memory_.get() + begin_ + kHeaderBytes,
                                argument_end_[0]);
  in_pieces_ = passes_in_pieces_(*info_, first);
  return in_pieces_;
}

DecodeResult FrameReader::FinishBegins(Frame* frame) {
  frame->body = Frame::Body::kBegins;
  frame->data = Payload();
  frame->data_bytes = header_.body_bytes - arguments_bytes_;
  begin_ += kHeaderBytes + arguments_bytes_;
  offset_ += kHeaderBytes + arguments_bytes_;
  skip_ = frame->data_bytes;
  has_header_ = false;
  return DecodeResult::kMessage;
}

DecodeResult FrameReader::NextPiece(Frame* frame) {
  const size_t bytes =
      static_cast<size_t>(std::min<uint64_t>(skip_, end_ - begin_));
  if (bytes == 0) return DecodeResult::kNeedMore;
  frame->body = Frame::Body::kPiece;
  frame->data = Payload::View(absl::string_view(memory_.get() + begin_, bytes));
  begin_ += bytes;
  offset_ += bytes;
  skip_ -= bytes;
  frame->data_bytes = skip_;
  in_pieces_ = skip_ > 0;
  return DecodeResult::kMessage;
}

void FrameReader::PutArguments(Frame* frame) const {
  const char* body = memory_.get() + begin_ + kHeaderBytes;
  size_t argument_begin = 0;
  for (size_t i = 0; i < arguments_found_; ++i) {
    frame->arguments[i] = absl::string_view(body + argument_begin,
                                            argument_end_[i] - argument_begin);
    argument_begin = argument_end_[i] + 1;
  }
}

DecodeResult FrameReader::Finish(Frame* frame) {
  if (reading_payload()) return DecodeResult::kNeedMore;
  frame->header = header_;
  frame->info = info_;
  PutArguments(frame);
  if (in_pieces_) return FinishBegins(frame);
  if (too_large_) return FinishTooLarge(frame);
  frame->body = Frame::Body::kRead;
  const size_t packet_bytes = kHeaderBytes + header_.body_bytes;
  if (payload_expected_ > 0) {
    if (given_.empty()) {
      payload_.resize(payload_expected_);
      given_ = Payload(std::move(payload_));
      payload_ = std::string();
    }
    frame->data = std::exchange(given_, Payload());
    large_payloads_ = true;
    payload_expected_ = 0;
    payload_read_ = 0;
    begin_ += kHeaderBytes + arguments_bytes_;
  } else {
    const absl::string_view rest(
        memory_.get() + begin_ + kHeaderBytes + arguments_bytes_,
        header_.body_bytes - arguments_bytes_);
    if (info_->has_data) {
      frame->data = Payload::View(rest);
    } else {
      // Bytes behind a packet without arguments are ignored, as servers do.
      if (info_->argument_count > 0) frame->arguments[arguments_found_] = rest;
      frame->data = Payload();
    }
    begin_ += packet_bytes;
  }
  offset_ += packet_bytes;
  has_header_ = false;
  return DecodeResult::kMessage;
}

DecodeResult FrameReader::FinishTooLarge(Frame* frame) {
  frame->body = Frame::Body::kTooLarge;
  frame->data = Payload();
  begin_ += kHeaderBytes + arguments_bytes_;
  offset_ += kHeaderBytes + arguments_bytes_;
  skip_ = header_.body_bytes - arguments_bytes_;
  has_header_ = false;
  SkipRest();
  return DecodeResult::kMessage;
}

DecodeResult FrameReader::Skip(Frame* frame) {
  frame->header = header_;
  frame->info = info_;
  frame->body = Frame::Body::kSkipped;
  begin_ += kHeaderBytes;
  offset_ += kHeaderBytes;
  skip_ = header_.body_bytes;
  SkipRest();
  return DecodeResult::kMessage;
}

bool FrameReader::SkipRest() {
  if (skip_ == 0) return true;
  const size_t bytes =
      static_cast<size_t>(std::min<uint64_t>(skip_, end_ - begin_));
  begin_ += bytes;
  offset_ += bytes;
  skip_ -= bytes;
  return skip_ == 0;
}

bool FrameReader::TakeLine(size_t limit, absl::string_view* line,
                           bool* too_long) {
  const size_t here = std::min(end_ - begin_, limit);
  const char* bytes = memory_.get() + begin_;
  const void* newline =
      here > line_scanned_
          ? std::memchr(bytes + line_scanned_, '\n', here - line_scanned_)
          : nullptr;
  *too_long = newline == nullptr && here == limit;
  if (newline == nullptr) {
    line_scanned_ = here;
    return false;
  }
  const size_t size =
      static_cast<size_t>(static_cast<const char*>(newline) - bytes);
  *line = absl::string_view(bytes, size);
  line_scanned_ = 0;
  begin_ += size + 1;
  offset_ += size + 1;
  return true;
}

void FrameReader::DropLinePart() {
  begin_ += line_scanned_;
  offset_ += line_scanned_;
  line_scanned_ = 0;
}

}  // namespace wire
}  // namespace gearman
