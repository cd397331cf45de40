// Transport: one non-blocking byte stream to a peer.
//
// A transport has one owner, who calls it from one thread at a time; only what
// the Waker given at creation does is asynchronous. Nothing here blocks.
#ifndef GEARMAN_TRANSPORTS_TRANSPORT_H_
#define GEARMAN_TRANSPORTS_TRANSPORT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/transports/poller.h"

namespace gearman {

// What one attempt at I/O came to. Would-block, closed and failed are three
// different things.
struct IoResult {
  enum class Outcome : unsigned char {
    kDone,        // `bytes` were moved (at least one), or connecting is done
    kWouldBlock,  // nothing now; wait for what interest() says
    kClosed,      // the peer ended the stream cleanly: no more will come
    kFailed,      // `status` says why; the stream is dead
  };

  static IoResult Done(size_t bytes) { return {Outcome::kDone, bytes, {}}; }
  static IoResult WouldBlock() { return {Outcome::kWouldBlock, 0, {}}; }
  static IoResult Closed() { return {Outcome::kClosed, 0, {}}; }
  static IoResult Failed(absl::Status status) {
    return {Outcome::kFailed, 0, std::move(status)};
  }

  bool done() const { return outcome == Outcome::kDone; }
  bool would_block() const { return outcome == Outcome::kWouldBlock; }
  bool closed() const { return outcome == Outcome::kClosed; }
  bool failed() const { return outcome == Outcome::kFailed; }

  Outcome outcome = Outcome::kWouldBlock;
  size_t bytes = 0;
  absl::Status status;  // set only for kFailed; UNAVAILABLE unless said
};

class Transport {
 public:
  // Closes.
  virtual ~Transport() = default;

  // Goes on connecting, from the first call on; kDone once connected (and
  // ever after). kFailed: NOT_FOUND (no such name), UNAVAILABLE (refused,
  // unreachable), UNAUTHENTICATED (TLS). The owner limits the time.
  virtual IoResult Connect() = 0;
  // Reads some bytes into `into` (not empty).
  virtual IoResult Read(absl::Span<char> into) = 0;
  // Writes some bytes of `pieces`, in order, in as few system calls as can be.
  // Never raises SIGPIPE. Of what was not written all is given again by the
  // next call, perhaps in other pieces and with more behind it: part of it may
  // be on its way (TLS).
  virtual IoResult Write(absl::Span<const absl::string_view> pieces) = 0;
  // What to wait for; `want_write` when the owner has bytes to write (reading
  // is always wanted once connected).
  virtual Interest interest(bool want_write) const = 0;
  // Ends the stream at once: bytes already written are still delivered when
  // the medium can do so without waiting. Idempotent. Forget the key first.
  virtual void Close() = 0;
  // For messages: the peer as the user named it and, when known, what it
  // resolved to: "tcp://jobs.example:4730 (10.0.0.7)".
  virtual std::string Describe() const = 0;
};

// Forwards everything to another transport; override one method to change it
// (faults, counting, taps).
class ForwardingTransport : public Transport {
 public:
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
  Transport& next() const { return *next_; }

 private:
  std::unique_ptr<Transport> next_;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TRANSPORT_H_
