#include "gearman/sdk/body_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gearman/process/descriptor.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

std::string ReadAt(BodySource& source, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  const absl::StatusOr<size_t> read =
      source.Read(offset, absl::MakeSpan(&bytes[0], bytes.size()));
  EXPECT_TRUE(read.ok()) << read.status();
  bytes.resize(read.value_or(0));
  return bytes;
}

class FileBodyTest : public ::testing::Test {
 protected:
  const support::TestDirectory directory_;
};

TEST_F(FileBodyTest, ReadsAtAnyPlaceAndAgain) {
  const auto body = FileBody(directory_.Write("file", "0123456789"));
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ((*body)->size(), 10u);
  EXPECT_TRUE((*body)->repeatable());
  EXPECT_EQ(ReadAt(**body, 4, 3), "456");
  EXPECT_EQ(ReadAt(**body, 0, 100), "0123456789");
  EXPECT_EQ(ReadAt(**body, 10, 1), "");
}

TEST_F(FileBodyTest, APartOfAnOpenFileIsItsOwn) {
  Descriptor file(open(directory_.Write("file", "0123456789").c_str(),
                       O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file.is_open());
  const auto body = FileBody(file.get(), 2, 5);
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 0);
  file.Close();
  EXPECT_EQ((*body)->size(), 5u);
  EXPECT_EQ(ReadAt(**body, 0, 5), "23456");
  EXPECT_EQ(ReadAt(**body, 4, 1), "6");
}

TEST_F(FileBodyTest, SaysWhatIsWrong) {
  const std::string path = directory_.File("none");
  const absl::Status none = FileBody(path).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(none.message()), HasSubstr(path));
  EXPECT_EQ(FileBody(directory_.path()).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(FileBody(-1, 0, 0).ok());

  const Descriptor file(open(directory_.Write("file", "0123456789").c_str(),
                             O_RDONLY | O_CLOEXEC));
  for (const uint64_t offset : {uint64_t{9}, uint64_t{11}, UINT64_MAX}) {
    EXPECT_EQ(FileBody(file.get(), offset, 2).status().code(),
              absl::StatusCode::kOutOfRange);
  }
  EXPECT_EQ(FileBody(file.get(), 5, UINT64_MAX).status().code(),
            absl::StatusCode::kOutOfRange);
}

// A pipe has no size that could be known, and a FIFO without a writer would let
// an open wait.
TEST_F(FileBodyTest, NamesWhatIsNoFile) {
  const std::string fifo = directory_.File("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const absl::Status status = FileBody(fifo).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no regular file"));
}

// A file that has become shorter ends before its size.
TEST_F(FileBodyTest, AFileThatBecomesShorterEnds) {
  const std::string path = directory_.Write("file", "0123456789");
  const auto body = FileBody(path);
  ASSERT_TRUE(body.ok()) << body.status();
  ASSERT_EQ(truncate(path.c_str(), 4), 0);
  EXPECT_EQ(ReadAt(**body, 0, 10), "0123");
  EXPECT_EQ(ReadAt(**body, 4, 6), "");
}

}  // namespace
}  // namespace gearman
