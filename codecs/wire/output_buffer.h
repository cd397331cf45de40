// OutputBuffer: bytes waiting to be written, as few contiguous pieces as
// possible: small packets are laid side by side, a large shared or owned
// payload is pointed at and kept alive until its last byte has been written.
//
// Not thread-safe: owned by one connection and guarded by its owner's lock.
#ifndef GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_
#define GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"

namespace gearman {
namespace wire {

class OutputBuffer {
 public:
  OutputBuffer();
  ~OutputBuffer();

  // Copies `bytes` to the end.
  void Append(absl::string_view bytes);
  // Room for exactly `size` bytes at the end, which the caller fills before any other call. For packet headers.
  char* AppendUninitialized(size_t size);
  // Appends a payload: copied when small or borrowed, pointed at and kept
  // alive when large (kExternalBytes or more) and owned or shared.
  void AppendPayload(Payload payload);

  // Bytes not yet consumed.
  size_t size() const;
  bool empty() const { return size() == 0; }
  // Bytes ever appended and ever consumed: a packet whose first byte was at
  // total_appended() == p has surely not left while total_consumed() <= p.
  uint64_t total_appended() const;
  uint64_t total_consumed() const;

  // Fills `pieces` with the first pending pieces, in order; returns how many.
  // They stay valid until the next non-const call.
  size_t Gather(absl::Span<absl::string_view> pieces) const;
  // Drops the first `bytes` pending bytes, which have been written.
  void Consume(size_t bytes);
  // Drops everything pending (the connection is gone).
  void Clear();
};

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_OUTPUT_BUFFER_H_
