#include "gearman/tests/support/test_directory.h"

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

TEST(TestDirectory, ReadsBackWhatWasWritten) {
  const TestDirectory directory;
  const std::string content("a\0b\n", 4);
  const std::string path = directory.Write("below/file", content);
  EXPECT_EQ(path, directory.path() + "/below/file");
  const absl::StatusOr<std::string> read = directory.Read("below/file");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, content);
}

TEST(TestDirectory, NamesAFileThatIsNotThere) {
  const TestDirectory directory;
  EXPECT_EQ(directory.Read("nothing").status(),
            absl::NotFoundError("cannot read nothing"));
}

TEST(TestDirectory, IsGoneWithItsFilesAfterwards) {
  std::string path;
  {
    const TestDirectory directory;
    directory.Write("file", "x");
    path = directory.path();
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TestDirectory, SharesNoFolderWithAnother) {
  const TestDirectory one;
  const TestDirectory two;
  EXPECT_NE(one.path(), two.path());
}

}  // namespace
}  // namespace support
}  // namespace gearman
