#include "gearman/tools/gearctl/input.h"

#include <sys/stat.h>

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class InputTest : public ::testing::Test {
 protected:
  std::unique_ptr<Input> Open(const std::string& content,
                              size_t max_bytes = 2 << 20) {
    auto input = Input::Open(directory_.Write("file", content), max_bytes);
    EXPECT_TRUE(input.ok()) << input.status();
    return *std::move(input);
  }
  std::vector<std::string> Lines(const std::string& content) {
    auto input = Open(content);
    std::vector<std::string> lines;
    for (;;) {
      absl::StatusOr<std::vector<std::string>> some = input->NextLines(2);
      EXPECT_TRUE(some.ok()) << some.status();
      if (!some.ok() || some->empty()) return lines;
      EXPECT_LE(some->size(), 2u);
      lines.insert(lines.end(), some->begin(), some->end());
    }
  }

  const support::TestDirectory directory_;
};

TEST_F(InputTest, LinesComeWithoutTheirLineFeeds) {
  EXPECT_THAT(Lines("one\n\nthree\n"), ElementsAre("one", "", "three"));
}

TEST_F(InputTest, TheLastLineNeedsNoLineFeed) {
  EXPECT_THAT(Lines("one\ntwo"), ElementsAre("one", "two"));
}

TEST_F(InputTest, LinesMayEndWithANul) {
  auto input = Input::Open(directory_.Write("file", std::string("a\nb\0c", 5)),
                           2 << 20, '\0');
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_THAT(*(*input)->NextLines(9), ElementsAre("a\nb"));
  EXPECT_THAT(*(*input)->NextLines(9), ElementsAre("c"));
  EXPECT_THAT(*(*input)->NextLines(9), IsEmpty());
}

TEST_F(InputTest, NothingIsNoLine) { EXPECT_THAT(Lines(""), IsEmpty()); }

TEST_F(InputTest, ALineMayBeLongerThanWhatIsReadAtOnce) {
  const std::string longest(1 << 20, 'x');
  EXPECT_THAT(Lines("short\n" + longest + "\nend"),
              ElementsAre("short", longest, "end"));
}

TEST_F(InputTest, AllIsEveryByte) {
  const std::string content("a\0b\n\xff", 5);
  EXPECT_EQ(*Open(content)->ReadAll(), content);
}

TEST_F(InputTest, AllAfterALineIsTheRest) {
  auto input = Open("one\ntwo\nthree");
  EXPECT_THAT(*input->NextLines(1), ElementsAre("one"));
  EXPECT_EQ(*input->ReadAll(), "two\nthree");
}

TEST_F(InputTest, WhatIsNotThereIsAnErrorWithItsName) {
  const absl::Status status = Input::Open("/no/such/file", 100).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("/no/such/file"));
}

TEST_F(InputTest, AllMayBeAsMuchAsTheLimit) {
  EXPECT_EQ(*Open("12345", 5)->ReadAll(), "12345");
  auto input = Open("one\n12345", 5);
  EXPECT_THAT(*input->NextLines(1), ElementsAre("one"));
  EXPECT_EQ(*input->ReadAll(), "12345");
}

TEST_F(InputTest, AllThatIsMoreIsRefusedWithTheLimit) {
  for (const std::string content : {"123456", "1234567", "123456123456"}) {
    const absl::Status status = Open(content, 5)->ReadAll().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("file"), HasSubstr("longer than 5 bytes"),
                      HasSubstr("max_packet_bytes")));
  }
}

TEST_F(InputTest, OneWithoutEndIsRefused) {
  auto input = Input::Open("/dev/zero", 10 << 20);
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_TRUE(absl::IsInvalidArgument((*input)->ReadAll().status()));
  auto lines = Input::Open("/dev/zero", 10 << 20);
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_TRUE(absl::IsInvalidArgument((*lines)->NextLines(1).status()));
}

TEST_F(InputTest, ALineMayBeAsLongAsTheLimit) {
  auto input = Open("12345\n54321", 5);
  EXPECT_THAT(*input->NextLines(9), ElementsAre("12345"));
  EXPECT_THAT(*input->NextLines(9), ElementsAre("54321"));
  EXPECT_THAT(*input->NextLines(9), IsEmpty());
}

TEST_F(InputTest, ALineThatIsLongerIsRefusedAfterThoseBefore) {
  for (const std::string line : {"123456", "123456\n", "123456789012\nthree"}) {
    auto input = Open("one\ntwo\n" + line, 5);
    EXPECT_THAT(*input->NextLines(9), ElementsAre("one", "two"));
    const absl::Status status = input->NextLines(9).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("line 3 is longer than 5 bytes"));
  }
}

TEST_F(InputTest, StopEndsAWaitForALineThatDoesNotCome) {
  const std::string path = directory_.File("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  // Opening waits for the other end.
  absl::StatusOr<std::unique_ptr<Input>> input;
  std::thread reader([&] { input = Input::Open(path, 100); });
  FILE* const writer = fopen(path.c_str(), "w");
  reader.join();
  ASSERT_TRUE(input.ok()) << input.status();
  fputs("half a line", writer);
  fflush(writer);
  std::thread stopper([&] { (*input)->Stop(); });
  EXPECT_THAT(*(*input)->NextLines(1), IsEmpty());
  stopper.join();
  fclose(writer);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
