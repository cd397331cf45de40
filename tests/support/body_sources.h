// Sources of bodies for tests: a pattern in which each byte tells its place,
// and a function. A handler that checks and returns the pattern.
#ifndef GEARMAN_TESTS_SUPPORT_BODY_SOURCES_H_
#define GEARMAN_TESTS_SUPPORT_BODY_SOURCES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gearman/codecs/body_source.h"
#include "gearman/sdk/job_context.h"

namespace gearman {
namespace testing {

// The byte of the pattern at this offset. Its period is a prime, so bytes that
// are lost or doubled in blocks show.
inline char PatternByte(uint64_t offset) {
  return static_cast<char>(offset % 251);
}

inline std::string PatternBytes(uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = PatternByte(offset + i);
  return bytes;
}

// A body of any size that takes no memory.
class PatternSource final : public BodySource {
 public:
  explicit PatternSource(uint64_t size, bool repeatable = true)
      : BodySource(size, repeatable) {}

  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> into) override {
    for (char& byte : into) byte = PatternByte(offset++);
    return into.size();
  }
};

// A handler: returns the job's data, of which each byte must be in its place, from a source.
inline absl::StatusOr<std::string> MirrorBody(JobContext& context) {
  const size_t size = context.job().data().size();
  if (context.job().data() != PatternBytes(0, size)) {
    return absl::DataLossError("other bytes");
  }
  context.SetBody(std::make_shared<PatternSource>(size));
  return std::string();
}

class FunctionSource final : public BodySource {
 public:
  using Function =
      std::function<absl::StatusOr<size_t>(uint64_t, absl::Span<char>)>;

  FunctionSource(uint64_t size, Function read, bool repeatable = true)
      : BodySource(size, repeatable), read_(std::move(read)) {}

  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> into) override {
    return read_(offset, into);
  }

 private:
  const Function read_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_BODY_SOURCES_H_
