// Input: payloads from a file or standard input.
#ifndef GEARMAN_TOOLS_GEARCTL_INPUT_H_
#define GEARMAN_TOOLS_GEARCTL_INPUT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace gearman {
namespace gearctl {

// One thread reads; Stop may be called by another.
class Input {
 public:
  // "-": standard input, which stays open at the end. Errors: the system's.
  static absl::StatusOr<std::unique_ptr<Input>> Open(const std::string& path);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // All that is left. Errors: the system's.
  absl::StatusOr<std::string> ReadAll();
  // Waits for the next line, and takes what has come of those behind it, `most`
  // together: without their line feeds, which the last one need not have. None:
  // the end, or Stop was called. Errors: the system's.
  absl::StatusOr<std::vector<std::string>> NextLines(size_t most);
  // Ends NextLines, also one that waits for a line that does not come.
  void Stop();

 private:
  Input(std::string name, int descriptor);
  // Appends what there is to `buffer_`. False: the end, or stopped.
  absl::StatusOr<bool> Read();

  const std::string name_;
  const int descriptor_;
  const int stop_;  // an eventfd
  std::string buffer_;
  size_t taken_ = 0;  // of the buffer
  bool stopped_ = false;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_INPUT_H_
