// OutgoingBody: one passage of a BodySource through one connection.
//
// The output buffer of the connection reads it. The owner of the packet keeps a
// reference, to learn how far it came. The class is not thread-safe: the lock
// that guards the connection guards it.
#ifndef GEARMAN_CODECS_WIRE_OUTGOING_BODY_H_
#define GEARMAN_CODECS_WIRE_OUTGOING_BODY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/body_source.h"

namespace gearman {
namespace wire {

class OutgoingBody {
 public:
  // A body is read in parts of this size; the last part may be smaller.
  static constexpr size_t kPartBytes = 256 << 10;

  // `source` must not be null. `what` names the body in errors: "the data of
  // task \"resize\"".
  OutgoingBody(std::shared_ptr<BodySource> source, std::string what);
  OutgoingBody(const OutgoingBody&) = delete;
  OutgoingBody& operator=(const OutgoingBody&) = delete;

  // The bytes of the whole body.
  uint64_t size() const { return source_->size(); }
  // The bytes that were not read yet.
  uint64_t left() const { return left_; }

  // Reads the next part. It is valid until the next call of ReadPart or
  // Release. `left()` must not be 0. An error is final: it is error(). Throws
  // std::bad_alloc if there is no memory for a part, and nothing else.
  absl::StatusOr<absl::string_view> ReadPart();
  // Why the body can't be read to its end. It has the code of the source's
  // error, INVALID_ARGUMENT if the source ended early, FAILED_PRECONDITION if
  // it can't be read again, or UNKNOWN if it has thrown.
  const absl::Status& error() const { return error_; }
  // Frees the memory of the part.
  void Release() { part_ = nullptr; }
  // The bytes of memory held.
  size_t memory() const { return part_ == nullptr ? 0 : part_bytes_; }

 private:
  // Calls Read. Its exceptions become errors.
  absl::StatusOr<size_t> Read(char* into, size_t size);
  absl::Status Fail(absl::StatusCode code, absl::string_view why);

  const std::shared_ptr<BodySource> source_;
  const std::string what_;
  const size_t part_bytes_;
  uint64_t left_;
  std::unique_ptr<char[]> part_;
  absl::Status error_;
};

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_OUTGOING_BODY_H_
