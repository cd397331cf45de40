// Transport: one non-blocking byte stream to a peer.
//
// A transport has one owner, which calls it from one thread at a time. Only the
// Waker given at creation acts asynchronously. No function blocks.
#ifndef GEARMAN_TRANSPORTS_TRANSPORT_H_
#define GEARMAN_TRANSPORTS_TRANSPORT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/transports/piece_stream.h"
#include "gearman/transports/poller.h"

namespace gearman {

// The result of one attempt at I/O. Would-block, closed and failed are three
// different results.
struct IoResult {
  // The kinds of results.
  enum class Outcome : unsigned char {
    kDone,        // `bytes` (at least one) were moved, or connected
    kWouldBlock,  // nothing now; wait for interest()
    kClosed,      // the peer ended the stream cleanly: no more comes
    kFailed,      // `status` has the reason; the stream is dead
  };

  // Make a result of each kind.
  static IoResult Done(size_t bytes) { return {Outcome::kDone, bytes, {}}; }
  static IoResult WouldBlock() { return {Outcome::kWouldBlock, 0, {}}; }
  static IoResult Closed() { return {Outcome::kClosed, 0, {}}; }
  static IoResult Failed(absl::Status status) {
    return {Outcome::kFailed, 0, std::move(status)};
  }

  // Whether the result is of this kind.
  bool done() const { return outcome == Outcome::kDone; }
  bool would_block() const { return outcome == Outcome::kWouldBlock; }
  bool closed() const { return outcome == Outcome::kClosed; }
  bool failed() const { return outcome == Outcome::kFailed; }

  Outcome outcome = Outcome::kWouldBlock;  // the kind
  size_t bytes = 0;                        // only for kDone
  absl::Status status;  // only for kFailed; by default UNAVAILABLE
};

class Transport {
 public:
  // Closes the stream.
  virtual ~Transport() = default;

  // Starts or continues connecting. Returns kDone once the stream is connected,
  // also when it is called again. Errors: NOT_FOUND (no such inproc name),
  // UNAVAILABLE (unresolvable, refused, unreachable), RESOURCE_EXHAUSTED (no
  // descriptor or thread left), UNAUTHENTICATED (TLS). The owner limits the
  // time.
  virtual IoResult Connect() = 0;
  // Reads some bytes into `into`, which must not be empty.
  virtual IoResult Read(absl::Span<char> into) = 0;
  // Writes some bytes of `pieces`, in order, in as few system calls as
  // possible. Never raises SIGPIPE. The caller passes all unwritten bytes again
  // in the next call, in any pieces and with more bytes behind them, because a
  // part of them may already be on its way (TLS).
  virtual IoResult Write(absl::Span<const absl::string_view> pieces) = 0;
  // Returns the events to wait for. `want_write` says whether the owner has
  // bytes to write. Once connected, reading is always wanted.
  virtual Interest interest(bool want_write) const = 0;
  // Closes the stream at once. Bytes already written are still delivered if
  // that needs no waiting. A second call does nothing. Call Poller::Forget
  // first.
  virtual void Close() = 0;
  // Returns the peer's name for messages: the name as the user gave it and, if
  // known, the address behind it: "tcp://jobs.example:4730 (10.0.0.7)".
  virtual std::string Describe() const = 0;
  // Returns the interface through which whole strings pass, or null if this
  // stream has none. Call it when connected. The pointer is valid until Close.
  virtual PieceStream* pieces() { return nullptr; }
};

// Forwards every call to another transport. A subclass overrides one function
// to change it (faults, counting, taps). It has no pieces, so that each byte
// passes through Read and Write.
class ForwardingTransport : public Transport {
 public:
  // Takes the transport that gets the calls.
  explicit ForwardingTransport(std::unique_ptr<Transport> next)
      : next_(std::move(next)) {}
  IoResult Connect() override { return next_->Connect(); }
  IoResult Read(absl::Span<char> into) override { return next_->Read(into); }
  IoResult Write(absl::Span<const absl::string_view> pieces) override {
    return next_->Write(pieces);
  }
  Interest interest(bool want_write) const override {
    return next_->interest(want_write);
  }
  void Close() override { next_->Close(); }
  std::string Describe() const override { return next_->Describe(); }

 protected:
  // The transport that gets the calls.
  Transport& next() const { return *next_; }

 private:
  std::unique_ptr<Transport> next_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TRANSPORT_H_
