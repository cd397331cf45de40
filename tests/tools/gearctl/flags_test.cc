#include "gearman/tools/gearctl/flags.h"

#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

TEST(FlagTimeTest, IsWrittenWithAUnitOrInSeconds) {
  struct Case {
    const char* text;
    absl::Duration time;
  };
  for (const Case& c :
       {Case{"500ms", absl::Milliseconds(500)},
        Case{"1h30m", absl::Minutes(90)}, Case{"5", absl::Seconds(5)},
        Case{"0.25", absl::Milliseconds(250)}, Case{"0", absl::ZeroDuration()},
        Case{"-1s", -absl::Seconds(1)},
        Case{"inf", absl::InfiniteDuration()}}) {
    FlagTime time;
    std::string error;
    EXPECT_TRUE(AbslParseFlag(c.text, &time, &error)) << c.text << error;
    EXPECT_EQ(time.duration(), c.time) << c.text;
  }
}

TEST(FlagTimeTest, OtherTextIsRefused) {
  for (const char* text : {"", "soon", "5 minutes", "5x"}) {
    FlagTime time;
    std::string error;
    EXPECT_FALSE(AbslParseFlag(text, &time, &error)) << text;
  }
}

TEST(FlagTimeTest, IsWrittenAsItIsRead) {
  for (const absl::Duration duration :
       {absl::Milliseconds(1500), absl::InfiniteDuration()}) {
    FlagTime time;
    std::string error;
    EXPECT_TRUE(
        AbslParseFlag(AbslUnparseFlag(FlagTime(duration)), &time, &error));
    EXPECT_EQ(time.duration(), duration);
  }
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
