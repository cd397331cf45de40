#include "gearman/tests/support/test_directory.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {

TestDirectory::TestDirectory() {
  path_ = absl::StrCat(::testing::TempDir(), "/gearman.XXXXXX");
  EXPECT_NE(mkdtemp(&path_[0]), nullptr) << "cannot make " << path_;
  path_ = std::filesystem::absolute(path_).lexically_normal().string();
}

TestDirectory::~TestDirectory() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  EXPECT_FALSE(error) << path_ << ": " << error.message();
}

std::string TestDirectory::File(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

std::string TestDirectory::Write(absl::string_view name,
                                 absl::string_view content) const {
  const std::string path = File(name);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(),
                                      error);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  EXPECT_TRUE(file.good()) << "cannot write " << path;
  return path;
}

absl::StatusOr<std::string> TestDirectory::Read(absl::string_view name) const {
  std::ifstream file(File(name), std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", name));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace support
}  // namespace gearman
