#include "gearman/tools/gearctl/input.h"

#include <sys/stat.h>

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

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class InputTest : public ::testing::Test {
 protected:
  std::unique_ptr<Input> Open(const std::string& content) {
    auto input = Input::Open(directory_.Write("file", content));
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
  const absl::Status status = Input::Open("/no/such/file").status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("/no/such/file"));
}

TEST_F(InputTest, StopEndsAWaitForALineThatDoesNotCome) {
  const std::string path = directory_.File("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  // Opening waits for the other end.
  absl::StatusOr<std::unique_ptr<Input>> input;
  std::thread reader([&] { input = Input::Open(path); });
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
