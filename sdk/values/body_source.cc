#include "gearman/sdk/body_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/process/descriptor.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

class FileSource final : public BodySource {
 public:
  FileSource(Descriptor file, std::string name, uint64_t offset, uint64_t size)
      : BodySource(size, /*repeatable=*/true),
        file_(std::move(file)),
        name_(std::move(name)),
        offset_(offset) {}

  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> into) override {
    for (;;) {
      const ssize_t got = pread(file_.get(), into.data(), into.size(),
                                static_cast<off_t>(offset_ + offset));
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return absl::ErrnoToStatus(errno, name_);
    }
  }

 private:
  const Descriptor file_;
  const std::string name_;
  const uint64_t offset_;
};

// Returns the size of the file.
absl::StatusOr<uint64_t> SizeOf(int fd, const std::string& name) {
  struct stat info;
  if (fstat(fd, &info) != 0) return absl::ErrnoToStatus(errno, name);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(
        name,
        " is no regular file, so its size is not known; read it into "
        "memory, or write a BodySource that knows its size"));
  }
  return static_cast<uint64_t>(info.st_size);
}

}  // namespace

absl::StatusOr<std::shared_ptr<BodySource>> FileBody(StringView path) {
  const std::string file(path.data(), path.size());
  std::string name = absl::StrCat("file \"", SafeText(file), "\"");
  // Without O_NONBLOCK a FIFO would block until it has a writer.
  Descriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.is_open()) return absl::ErrnoToStatus(errno, name);
  const absl::StatusOr<uint64_t> size = SizeOf(opened.get(), name);
  if (!size.ok()) return size.status();
  return std::make_shared<FileSource>(std::move(opened), std::move(name), 0,
                                      *size);
}

absl::StatusOr<std::shared_ptr<BodySource>> FileBody(int fd, uint64_t offset,
                                                     uint64_t size) {
  std::string name = absl::StrCat("descriptor ", fd);
  const absl::StatusOr<uint64_t> has = SizeOf(fd, name);
  if (!has.ok()) return has.status();
  if (offset > *has || size > *has - offset) {
    return absl::OutOfRangeError(absl::StrCat(name, " has ", *has,
                                              " bytes, and not ", size,
                                              " bytes from ", offset, " on"));
  }
  Descriptor own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own.is_open()) return absl::ErrnoToStatus(errno, name);
  return std::make_shared<FileSource>(std::move(own), std::move(name), offset,
                                      size);
}

}  // namespace gearman
