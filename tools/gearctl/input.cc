#include "gearman/tools/gearctl/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {

absl::StatusOr<std::unique_ptr<Input>> Input::Open(const std::string& path,
                                                   size_t max_bytes,
                                                   char line_end) {
  const bool standard = path == "-";
  const int descriptor =
      standard ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, path);
  auto input = absl::WrapUnique(new Input(standard ? "standard input" : path,
                                          descriptor, max_bytes, line_end));
  input->stop_.Reset(eventfd(0, EFD_CLOEXEC));
  if (input->stop_.get() < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(input->name_, ": eventfd"));
  }
  return input;
}

Input::Input(std::string name, int descriptor, size_t max_bytes, char line_end)
    : name_(std::move(name)),
      descriptor_(descriptor),
      max_bytes_(max_bytes),
      line_end_(line_end) {
  if (descriptor != STDIN_FILENO) owned_.Reset(descriptor);
}

absl::Status Input::TooLong(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(
      name_, ": ", what, " is longer than ", max_bytes_,
      " bytes, the largest payload (a config's limits { max_packet_bytes: N } "
      "sets another limit)"));
}

absl::StatusOr<bool> Input::Read() {
  for (;;) {
    // A file is always readable. For others poll is needed, because a thread in
    // read() would not notice Stop.
    pollfd ready[] = {{descriptor_, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents != 0) {
      stopped_ = true;
      return false;
    }
    char chunk[1 << 16];
    const ssize_t size = read(descriptor_, chunk, sizeof chunk);
    if (size > 0) {
      try {
        buffer_.append(chunk, static_cast<size_t>(size));
      } catch (const std::bad_alloc&) {
        return absl::ResourceExhaustedError(absl::StrCat(
            name_, ": no memory for more than ", buffer_.size(), " bytes"));
      }
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
    if (buffer_.size() - taken_ > max_bytes_) return TooLong("what it holds");
    const absl::StatusOr<bool> more = Read();
    if (!more.ok()) return more.status();
    if (*more) continue;
    buffer_.erase(0, std::exchange(taken_, 0));
    return std::exchange(buffer_, "");
  }
}

absl::StatusOr<std::vector<std::string>> Input::NextLines(size_t most) {
  std::vector<std::string> lines;
  size_t searched = taken_;
  for (;;) {
    size_t end = std::string::npos;
    while (lines.size() < most &&
           (end = buffer_.find(line_end_, searched)) != std::string::npos &&
           end - taken_ <= max_bytes_) {
      lines.push_back(buffer_.substr(taken_, end - taken_));
      taken_ = searched = end + 1;
    }
    lines_ += static_cast<int64_t>(lines.size());
    if (!lines.empty()) return lines;
    if (std::min(end, buffer_.size()) - taken_ > max_bytes_) {
      return TooLong(absl::StrCat("line ", lines_ + 1));
    }
    // The rest of the buffer is less than a line. It is moved once for each
    // read.
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

void Input::Stop() { eventfd_write(stop_.get(), 1); }

}  // namespace gearctl
}  // namespace gearman
