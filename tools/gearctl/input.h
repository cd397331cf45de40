// Input: payloads from a file or standard input.
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

// One thread reads; Stop may be called by another.
class Input {
 public:
  // The payloads of `path` ("-": standard input, which stays open at the end)
  // of at most `max_bytes` each. Errors: the system's.
  static absl::StatusOr<std::unique_ptr<Input>> Open(const std::string& path,
                                                     size_t max_bytes);
  ~Input() = default;
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // All that is left. INVALID_ARGUMENT: it is more than the limit, of which the
  // memory it takes is a small multiple. RESOURCE_EXHAUSTED: there is no memory
  // for it. Others: the system's.
  absl::StatusOr<std::string> ReadAll();
  // Waits for the next line, and takes what has come of those behind it, `most`
  // together: without their line feeds, which the last one need not have. None:
  // the end, or Stop was called. Errors: as ReadAll's, where a line is longer
  // than the limit; the lines before it have been returned then.
  absl::StatusOr<std::vector<std::string>> NextLines(size_t most);
  // Ends NextLines, also one that waits for a line that does not come.
  void Stop();

 private:
  Input(std::string name, int descriptor, size_t max_bytes);
  // Appends what there is to `buffer_`. False: the end, or stopped.
  absl::StatusOr<bool> Read();
  // `what` is longer than the limit.
  absl::Status TooLong(absl::string_view what) const;

  const std::string name_;
  const int descriptor_;
  Descriptor owned_;  // the same, unless it is standard input
  const size_t max_bytes_;
  Descriptor stop_;  // an eventfd
  std::string buffer_;
  size_t taken_ = 0;   // of the buffer
  int64_t lines_ = 0;  // returned
  bool stopped_ = false;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_INPUT_H_
