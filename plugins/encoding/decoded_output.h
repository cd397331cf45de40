// DecodedOutput: the growing output of a decompressor, up to a limit. Internal.
#ifndef GEARMAN_PLUGINS_ENCODING_DECODED_OUTPUT_H_
#define GEARMAN_PLUGINS_ENCODING_DECODED_OUTPUT_H_

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {
namespace internal {

// The peer's bytes decide how much is written, so memory grows with what was
// really written, and never with what a header promises.
class DecodedOutput {
 public:
  // Writes to *buffer, up to `max_bytes` bytes.
  DecodedOutput(std::string* buffer, size_t max_bytes)
      : buffer_(buffer), max_bytes_(max_bytes) {
    buffer_->clear();
  }

  // Makes room for more. Returns RESOURCE_EXHAUSTED if even one byte more is
  // too much.
  absl::Status Grow() {
    if (buffer_->size() > max_bytes_) return TooLarge();
    // A byte beyond the limit shows that the data is too large. The limit may
    // be the largest number.
    const size_t most = std::max(max_bytes_, max_bytes_ + 1);
    size_t size = std::max(buffer_->size() * 2, kFirst);
    size = std::max(std::min(size, most), buffer_->size());
    buffer_->resize(size);
    return absl::OkStatus();
  }
  char* next() { return &(*buffer_)[written_]; }
  size_t room() const { return buffer_->size() - written_; }
  void Wrote(size_t bytes) { written_ += bytes; }

  // Ends the output. Returns RESOURCE_EXHAUSTED if it is too large.
  absl::Status Finish() {
    buffer_->resize(written_);
    if (written_ > max_bytes_) return TooLarge();
    return absl::OkStatus();
  }

 private:
  static constexpr size_t kFirst = 4096;

  absl::Status TooLarge() const {
    return absl::ResourceExhaustedError(
        absl::StrCat("the decompressed data has more than ", max_bytes_,
                     " bytes (max_decoded_bytes)"));
  }

  std::string* const buffer_;
  const size_t max_bytes_;
  size_t written_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_DECODED_OUTPUT_H_
