// TestDirectory: a folder of a test's own, removed with all it holds when the
// object is destroyed. Not thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_TEST_DIRECTORY_H_
#define GEARMAN_TESTS_SUPPORT_TEST_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace support {

class TestDirectory {
 public:
  // Makes an empty folder under Bazel's TEST_TMPDIR (outside Bazel: the
  // system's temporary folder). A failure is a failure of the running test.
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  // Absolute, without a slash at the end.
  const std::string& path() const { return path_; }
  // The absolute path of `name` in it.
  std::string File(absl::string_view name) const;
  // Writes `content` to `name`, making the folders on the way, and returns its
  // absolute path. A failure is a failure of the running test.
  std::string Write(absl::string_view name, absl::string_view content) const;
  // The content of `name`; NOT_FOUND when it can't be read.
  absl::StatusOr<std::string> Read(absl::string_view name) const;

 private:
  std::string path_;
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_TEST_DIRECTORY_H_
