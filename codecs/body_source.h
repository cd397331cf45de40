// BodySource: a job's data or a job's result that is not in memory as a whole.
// It is the data of a SUBMIT_JOB of any kind, or of a WORK_COMPLETE
// (docs/protocol.md, section "Packets").
//
// The SDK reads a body part by part, while it writes the packet. It holds at
// most 256 KiB of a body. sdk/body_source.h makes a source of a file.
//
//   class Zeros : public gearman::BodySource {
//    public:
//     explicit Zeros(uint64_t size) : BodySource(size, /*repeatable=*/true) {}
//     absl::StatusOr<size_t> Read(uint64_t, absl::Span<char> into) override {
//       std::fill(into.begin(), into.end(), '\0');
//       return into.size();
//     }
//   };
#ifndef GEARMAN_CODECS_BODY_SOURCE_H_
#define GEARMAN_CODECS_BODY_SOURCE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gearman/base/cpp17.h"

namespace gearman {

namespace wire {
class OutgoingBody;
}  // namespace wire

class BodySource {
 public:
  virtual ~BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;

  // The bytes of the whole body. The header of a packet carries the size, so it
  // is known before the first byte is read.
  uint64_t size() const { return size_; }
  // True if the bytes at an offset may be read more than once, and in any
  // order. Then a request may make further attempts.
  bool repeatable() const { return repeatable_; }
  // True if bytes were read.
  bool used() const { return used_.load(std::memory_order_relaxed); }

  // Reads some of the bytes from `offset` on, and returns their number.
  // `into.size()` is at least 1, and no larger than what is left of the body.
  // If the source is not repeatable, each call begins where the last one ended.
  //
  // An error, 0 bytes and an exception mean that the body can't be read to its
  // end. Its packet has begun by then, and the protocol has no way to take it
  // back, so the SDK closes the connection.
  //
  // Threads: the thread that does the I/O of the client or worker calls Read,
  // or the thread that submits. No thread calls it while another thread is in
  // it, unless several jobs have the source. A client holds its lock meanwhile:
  // Read must not call the client or an accessor of its requests. All
  // connections of the client or worker wait for it: Read must not wait for
  // long. A local file is good, and a pipe whose writer is slow is not. The
  // destructor may also run on these threads, with the lock held.
  virtual absl::StatusOr<size_t> Read(uint64_t offset,
                                      absl::Span<char> into) = 0;

 protected:
  // Makes a source of `size` bytes. `repeatable` says whether they may be read
  // again.
  BodySource(uint64_t size, bool repeatable)
      : size_(size), repeatable_(repeatable) {}

 private:
  friend class wire::OutgoingBody;

  const uint64_t size_;
  const bool repeatable_;
  std::atomic<bool> used_{false};
};

}  // namespace gearman

#endif  // GEARMAN_CODECS_BODY_SOURCE_H_
