#include "gearman/tools/gearctl/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gearman {
namespace gearctl {

absl::StatusOr<std::unique_ptr<Input>> Input::Open(const std::string& path) {
  if (path == "-") {
    return std::unique_ptr<Input>(new Input("standard input", STDIN_FILENO));
  }
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, path);
  return std::unique_ptr<Input>(new Input(path, descriptor));
}

Input::Input(std::string name, int descriptor)
    : name_(std::move(name)),
      descriptor_(descriptor),
      stop_(eventfd(0, EFD_CLOEXEC)) {}

Input::~Input() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
  close(stop_);
}

absl::StatusOr<bool> Input::Read() {
  for (;;) {
    // A file is always readable; to wait in read() would be deaf to Stop.
    pollfd ready[] = {{descriptor_, POLLIN, 0}, {stop_, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents != 0) {
      stopped_ = true;
      return false;
    }
    char chunk[1 << 16];
    const ssize_t size = read(descriptor_, chunk, sizeof chunk);
    if (size > 0) {
      buffer_.append(chunk, static_cast<size_t>(size));
      return true;
    }
    if (size == 0) return false;
    if (errno != EINTR && errno != EAGAIN) {
      return absl::ErrnoToStatus(errno, name_);
    }
  }
}

absl::StatusOr<std::string> Input::ReadAll() {
  for (;;) {
    const absl::StatusOr<bool> more = Read();
    if (!more.ok()) return more.status();
    if (!*more) return std::exchange(buffer_, "").substr(taken_);
  }
}

absl::StatusOr<std::vector<std::string>> Input::NextLines(size_t most) {
  std::vector<std::string> lines;
  size_t searched = taken_;
  for (;;) {
    size_t end;
    while (lines.size() < most &&
           (end = buffer_.find('\n', searched)) != std::string::npos) {
      lines.push_back(buffer_.substr(taken_, end - taken_));
      taken_ = searched = end + 1;
    }
    if (!lines.empty()) return lines;
    // What is left of the buffer is less than a line: moved once for each read.
    buffer_.erase(0, taken_);
    taken_ = 0;
    searched = buffer_.size();
    const absl::StatusOr<bool> more = Read();
    if (!more.ok()) return more.status();
    if (*more) continue;
    if (!stopped_ && !buffer_.empty()) {
      lines.push_back(std::exchange(buffer_, ""));
    }
    return lines;
  }
}

void Input::Stop() { eventfd_write(stop_, 1); }

}  // namespace gearctl
}  // namespace gearman
