// Reads payloads from a file or standard input.
#ifndef GEARMAN_TOOLS_GEARCTL_INPUT_H_
#define GEARMAN_TOOLS_GEARCTL_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/tools/gearctl/descriptor.h"

namespace gearman {
namespace gearctl {

// One thread reads. Another thread may call Stop.
class Input {
 public:
  // Opens the payloads in `path` ("-": standard input, which stays open at the
  // end). Each may have at most `max_bytes` bytes. A line ends with `line_end`.
  // Errors: the system's.
  static absl::StatusOr<std::unique_ptr<Input>> Open(const std::string& path,
                                                     size_t max_bytes,
                                                     char line_end = '\n');
  ~Input() = default;
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // Returns all input that is left. INVALID_ARGUMENT: it is longer than the
  // limit. The memory used is at most a small multiple of the limit.
  // RESOURCE_EXHAUSTED: there is no memory for it. Other errors are the
  // system's.
  absl::StatusOr<std::string> ReadAll();
  // Waits for the next line, and returns it with those lines after it that have
  // come, `most` in all. The lines have no line ends, and the last line of the
  // input need not have one. An empty list: the end, or Stop was called. Errors
  // are those of ReadAll. INVALID_ARGUMENT: a line is longer than the limit;
  // all lines before it have been returned.
  absl::StatusOr<std::vector<std::string>> NextLines(size_t most);
  // Ends NextLines, even if it waits for a line that does not come.
  void Stop();

 private:
  Input(std::string name, int descriptor, size_t max_bytes, char line_end);
  // Appends the available input to `buffer_`. False: the end, or stopped.
  absl::StatusOr<bool> Read();
  // Returns the error that `what` is longer than the limit.
  absl::Status TooLong(absl::string_view what) const;

  const std::string name_;
  const int descriptor_;
  Descriptor owned_;  // descriptor_, unless it is standard input
  const size_t max_bytes_;
  const char line_end_;
  Descriptor stop_;  // an eventfd
  std::string buffer_;
  size_t taken_ = 0;   // bytes of the buffer that were returned
  int64_t lines_ = 0;  // number of lines returned
  bool stopped_ = false;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_INPUT_H_
