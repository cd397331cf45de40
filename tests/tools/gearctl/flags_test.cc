#include "gearman/tools/gearctl/flags.h"

#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;

TEST(FlagTimeTest, IsWrittenAsInAConfig) {
  struct Case {
    const char* text;
    absl::Duration time;
  };
  for (const Case& c : {Case{"500ms", absl::Milliseconds(500)},
                        Case{"1h30m", absl::Minutes(90)},
                        Case{"0.25s", absl::Milliseconds(250)},
                        Case{"8760h", absl::Hours(8760)},
                        Case{"inf", absl::InfiniteDuration()}}) {
    FlagTimeout time;
    std::string error;
    EXPECT_TRUE(AbslParseFlag(c.text, &time, &error)) << c.text << error;
    EXPECT_EQ(time.duration(), c.time) << c.text;
  }
}

TEST(FlagTimeTest, OtherTextIsRefused) {
  for (const char* text :
       {"", "soon", "5 minutes", "5x", "0", "0s", "-1s", "-inf", "+inf", "nan",
        "infinity", "1us", "8761h", "9000000000000000000h",
        "99999999999999999999h", "1e3s", "0x10s"}) {
    FlagTimeout time;
    std::string error;
    EXPECT_FALSE(AbslParseFlag(text, &time, &error)) << text;
    EXPECT_THAT(error, HasSubstr("from 1ms to 8760h, or inf")) << text;
  }
}

TEST(FlagTimeTest, ANumberWithoutAUnitIsRefusedWithTwoSpellings) {
  FlagTimeout time;
  std::string error;
  EXPECT_FALSE(AbslParseFlag("5", &time, &error));
  EXPECT_EQ(error, "it has no unit: 5s or 5ms");
}

TEST(FlagTimeTest, OnlyATimeoutMayBeForEver) {
  for (const char* text : {"inf", "9ms"}) {
    FlagInterval interval;
    std::string error;
    EXPECT_FALSE(AbslParseFlag(text, &interval, &error)) << text;
    EXPECT_THAT(error, HasSubstr("from 10ms to 8760h"));
    EXPECT_THAT(error, ::testing::Not(HasSubstr("inf")));
  }
}

TEST(FlagTimeTest, IsWrittenAsItIsRead) {
  for (const absl::Duration duration :
       {absl::Milliseconds(1500), absl::InfiniteDuration()}) {
    FlagTimeout time;
    std::string error;
    EXPECT_TRUE(
        AbslParseFlag(AbslUnparseFlag(FlagTimeout(duration)), &time, &error));
    EXPECT_EQ(time.duration(), duration);
  }
}

TEST(FlagNumberTest, IsAWholeNumberOfItsRange) {
  FlagNumber<1, 1000> number;
  std::string error;
  EXPECT_TRUE(AbslParseFlag("1000", &number, &error));
  EXPECT_EQ(number.value(), 1000);
  EXPECT_EQ(AbslUnparseFlag(number), "1000");
  for (const char* text : {"", "0", "1001", "-1", "1.5", "1e2", "0x10", "nan",
                           "inf", "2147483648", "99999999999999999999"}) {
    EXPECT_FALSE(AbslParseFlag(text, &number, &error)) << text;
    EXPECT_EQ(error, "expected a whole number from 1 to 1000");
  }
  EXPECT_EQ(number.value(), 1000);
}

// Whatever the subcommand, no flag of a number takes one that makes no sense.
TEST(FlagsTest, NoFlagOfANumberTakesNonsense) {
  const absl::FlagSaver saver;
  int numbers = 0;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (!absl::StrContains(flag->Filename(), "tools/gearctl/") ||
        flag->IsOfType<std::string>() || flag->IsOfType<bool>() ||
        flag->IsOfType<std::vector<std::string>>()) {
      continue;
    }
    // Load::Check has the range of this one.
    if (flag->IsOfType<double>()) continue;
    ++numbers;
    for (const char* text : {"nan", "-1", "-1s", "99999999999999999999",
                             "99999999999999999999h", "1e400", "many", ""}) {
      std::string error;
      EXPECT_FALSE(flag->ParseFrom(text, &error)) << name << "=" << text;
    }
  }
  EXPECT_GE(numbers, 10);
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
