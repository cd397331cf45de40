#include "gearman/sdk/testing/fault_transport.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/random/distributions.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace gearman {
namespace testing {

FaultTransport::FaultTransport(std::unique_ptr<Transport> next, FaultPlan plan,
                               Clock* clock)
    : ForwardingTransport(std::move(next)),
      plan_(plan),
      clock_(clock),
      random_(plan.seed) {}

IoResult FaultTransport::Cut() {
  if (!cut_) {
    cut_ = true;
    next().Close();
  }
  return IoResult::Failed(
      absl::UnavailableError(absl::StrCat(Describe(), ": cut by a fault")));
}

size_t FaultTransport::Part(size_t size) {
  if (plan_.max_piece == 0) return size;
  return std::min(size, absl::Uniform<size_t>(absl::IntervalClosed, random_, 1,
                                              plan_.max_piece));
}

bool FaultTransport::Swallows() const {
  return written_ >= plan_.black_hole_after_written ||
         read_ >= plan_.black_hole_after_read;
}

uint64_t FaultTransport::SoundToWrite() const {
  return std::min(plan_.cut_after_written, plan_.black_hole_after_written) -
         written_;
}

bool FaultTransport::Delayed() {
  if (plan_.read_delay <= absl::ZeroDuration()) return false;
  // Only a read shows whether bytes have arrived, but a read would be too
  // early. So the delay passes first, whether or not bytes arrive.
  const absl::Time now = clock_->Now();
  if (readable_at_ == absl::InfiniteFuture()) {
    readable_at_ = now + plan_.read_delay;
  }
  return now < readable_at_;
}

IoResult FaultTransport::Connect() {
  if (plan_.refuse) {
    cut_ = true;
    next().Close();
    return IoResult::Failed(absl::UnavailableError(
        absl::StrCat(Describe(), ": refused by a fault")));
  }
  if (connected_) return IoResult::Done(0);
  if (plan_.connect_delay > absl::ZeroDuration()) {
    const absl::Time now = clock_->Now();
    if (connect_at_ == absl::InfinitePast()) {
      connect_at_ = now + plan_.connect_delay;
    }
    if (now < connect_at_) return IoResult::WouldBlock();
  }
  IoResult result = next().Connect();
  connected_ = result.done();
  return result;
}

IoResult FaultTransport::Read(absl::Span<char> into) {
  if (cut_) return Cut();
  if (Swallows()) return IoResult::WouldBlock();
  if (read_ >= plan_.cut_after_read || written_ >= plan_.cut_after_written) {
    return Cut();
  }
  if (read_ >= plan_.half_close_after_read) return IoResult::Closed();
  if (Delayed()) return IoResult::WouldBlock();
  const uint64_t allowed = std::min({plan_.cut_after_read - read_,
                                     plan_.half_close_after_read - read_,
                                     plan_.black_hole_after_read - read_});
  const size_t size =
      std::min<uint64_t>(Part(into.size()), std::max<uint64_t>(allowed, 1));
  IoResult result = next().Read(into.subspan(0, size));
  if (!result.done()) {
    if (result.would_block()) readable_at_ = absl::InfiniteFuture();
    return result;
  }
  if (plan_.corrupt_read_at >= read_ &&
      plan_.corrupt_read_at < read_ + result.bytes) {
    into[plan_.corrupt_read_at - read_] ^= 0x10;
  }
  read_ += result.bytes;
  return result;
}

IoResult FaultTransport::Write(absl::Span<const absl::string_view> pieces) {
  if (cut_) return Cut();
  size_t total = 0;
  for (const absl::string_view piece : pieces) total += piece.size();
  if (Swallows()) {
    written_ += total;
    return IoResult::Done(total);
  }
  if (written_ >= plan_.cut_after_written) return Cut();
  const size_t size = std::min<uint64_t>(Part(total), SoundToWrite());
  std::vector<absl::string_view> allowed;
  size_t left = size;
  for (const absl::string_view piece : pieces) {
    if (left == 0) break;
    allowed.push_back(piece.substr(0, left));
    left -= allowed.back().size();
  }
  std::string corrupted;
  if (plan_.corrupt_written_at >= written_ &&
      plan_.corrupt_written_at < written_ + size) {
    for (const absl::string_view piece : allowed) {
      corrupted.append(piece.data(), piece.size());
    }
    corrupted[plan_.corrupt_written_at - written_] ^= 0x10;
    allowed = {corrupted};
  }
  IoResult result = next().Write(allowed);
  full_ = result.would_block();
  if (result.done()) written_ += result.bytes;
  return result;
}

Interest FaultTransport::interest(bool want_write) const {
  if (cut_) {
    // The next call returns the result.
    Interest now;
    now.ready_now = true;
    return now;
  }
  Interest interest;
  if (!connected_ && connect_at_ != absl::InfinitePast()) {
    interest.deadline = connect_at_;
    if (clock_->Now() < connect_at_) return interest;
  }
  if (Swallows()) {
    // No bytes arrive, and writing is always possible.
    interest.ready_now = want_write;
    return interest;
  }
  interest = next().interest(want_write);
  if (readable_at_ != absl::InfiniteFuture() && clock_->Now() < readable_at_) {
    // Bytes have arrived, but the owner must not see them yet.
    interest.read = false;
    interest.ready_now = false;
    interest.deadline = std::min(interest.deadline, readable_at_);
  }
  // The bytes beyond max_piece can be moved at once.
  if (connected_ && want_write && !full_ && plan_.max_piece > 0 &&
      interest.fd < 0) {
    interest.ready_now = true;
  }
  if (connected_ &&
      (read_ >= plan_.cut_after_read || read_ >= plan_.half_close_after_read ||
       written_ >= plan_.cut_after_written)) {
    interest.ready_now = true;
  }
  return interest;
}

void FaultTransport::Close() { next().Close(); }

std::string FaultTransport::Describe() const { return next().Describe(); }

PieceStream* FaultTransport::pieces() {
  // Parts of random sizes are bytes.
  const bool bytes_only = plan_.bytes_only || plan_.max_piece > 0;
  stream_ = bytes_only ? nullptr : next().pieces();
  return stream_ != nullptr ? this : nullptr;
}

bool FaultTransport::CanGive() const {
  // Write returns what else becomes of the bytes.
  return !cut_ && !Swallows() && written_ < plan_.cut_after_written &&
         stream_->CanGive();
}

void FaultTransport::Give(gearman::Piece piece) {
  const size_t size = piece.size();
  const uint64_t sound = SoundToWrite();
  const bool corrupt = plan_.corrupt_written_at >= written_ &&
                       plan_.corrupt_written_at < written_ + size;
  if (corrupt || sound < size) {
    // Another string, because the peer must see neither the owner's bytes
    // changed nor those behind the fault.
    gearman::Piece changed;
    changed.owned = std::string(piece.view().substr(0, sound));
    const uint64_t at = plan_.corrupt_written_at - written_;
    if (corrupt && at < changed.size()) changed.owned[at] ^= 0x10;
    piece = std::move(changed);
  }
  // Bytes that a black hole swallows count as written.
  written_ += plan_.black_hole_after_written < plan_.cut_after_written
                  ? size
                  : piece.size();
  stream_->Give(std::move(piece));
}

bool FaultTransport::Take(size_t bytes, gearman::Piece* piece) {
  const uint64_t sound =
      std::min({plan_.cut_after_read, plan_.half_close_after_read,
                plan_.black_hole_after_read});
  // Read deals with bytes that have a fault.
  if (cut_ || Swallows() || written_ >= plan_.cut_after_written ||
      sound < read_ + bytes ||
      (plan_.corrupt_read_at >= read_ &&
       plan_.corrupt_read_at < read_ + bytes) ||
      Delayed() || !stream_->Take(bytes, piece)) {
    return false;
  }
  read_ += bytes;
  return true;
}

FaultTransportFactory::FaultTransportFactory(
    std::shared_ptr<TransportFactory> next,
    Callback<FaultPlan(const Address&)> plan)
    : next_(std::move(next)), plan_(std::move(plan)) {}

absl::StatusOr<std::unique_ptr<Transport>> FaultTransportFactory::Create(
    const Address& address, Poller* poller, Poller::Key key) {
  absl::StatusOr<std::unique_ptr<Transport>> next =
      next_->Create(address, poller, key);
  if (!next.ok()) return next.status();
  return std::make_unique<FaultTransport>(*std::move(next), plan_(address),
                                          poller->clock());
}

absl::StatusOr<std::unique_ptr<Listener>> FaultTransportFactory::Listen(
    const Address& address, Poller* poller, Poller::Key key) {
  return next_->Listen(address, poller, key);
}

absl::Status FaultTransportFactory::Check(const Address& address) {
  return next_->Check(address);
}

}  // namespace testing
}  // namespace gearman
