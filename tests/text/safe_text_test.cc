#include "gearman/text/safe_text.h"

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/tests/support/hex.h"
#include "gearman/tests/support/hostile_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::HostileName;
using support::HostileNames;
using ::testing::AllOf;
using ::testing::HasSubstr;

// The value that SafeText was given.
std::string Unescape(absl::string_view safe) {
  std::string value;
  while (!safe.empty()) {
    if (safe.size() >= 4 && safe.substr(0, 2) == "\\x") {
      value += support::BytesOfHex(safe.substr(2, 2));
      safe.remove_prefix(4);
    } else {
      value += safe[0];
      safe.remove_prefix(1);
    }
  }
  return value;
}

TEST(SafeText, EscapesWhatIsUnsafeAndNothingElse) {
  for (const HostileName& name : HostileNames()) {
    EXPECT_EQ(SafeText(name.name), name.safe);
    EXPECT_TRUE(IsSafeLine(SafeText(name.name))) << name.safe;
    EXPECT_TRUE(IsUtf8(SafeText(name.name))) << name.safe;
    EXPECT_EQ(name.name == name.safe || name.name == "\\xff",
              IsSafeLine(name.name))
        << name.safe;
  }
}

TEST(SafeText, CanBeReversed) {
  std::set<std::string> seen;
  for (const HostileName& name : HostileNames()) {
    EXPECT_EQ(Unescape(SafeText(name.name)), name.name) << name.safe;
    EXPECT_EQ(FromSafeText(name.safe), name.name) << name.safe;
    EXPECT_TRUE(seen.insert(name.safe).second) << name.safe;
  }
  // Every text of three of these bytes, and none looks like another one.
  const std::string bytes = "\\x0\n\xff\xc2\x85\xad";
  seen.clear();
  for (const char a : bytes) {
    for (const char b : bytes) {
      for (const char c : bytes) {
        const std::string value = {a, b, c};
        EXPECT_EQ(Unescape(SafeText(value)), value);
        EXPECT_EQ(FromSafeText(SafeText(value)), value);
        EXPECT_TRUE(seen.insert(SafeText(value)).second) << SafeText(value);
      }
    }
  }
}

TEST(SafeText, TextThatItDidNotWriteStaysAsItIs) {
  for (const char* const text :
       {"", "\\", "\\x", "\\x0", "\\xg0", "\\x0g", "x"}) {
    EXPECT_EQ(FromSafeText(text), text);
  }
  EXPECT_EQ(FromSafeText("\\xFF\\x"), "\xff\\x");
}

TEST(SafeText, EachOfTheBytesAloneIsSafeWhenEscaped) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string value(1, static_cast<char>(byte));
    const bool printable = byte >= 0x20 && byte < 0x7f;
    EXPECT_EQ(SafeText(value) == value, printable) << byte;
    EXPECT_EQ(IsListable(value), printable || byte >= 0x80) << byte;
  }
}

TEST(SafeText, ShowsTheBeginningOfALongValue) {
  EXPECT_EQ(SafeText("abc", 3), "abc");
  EXPECT_EQ(SafeText("abcd", 3), "abc...");
  EXPECT_EQ(SafeText("\n\n", 1), "\\x0a...");
  // No character is cut.
  EXPECT_EQ(SafeText("ab\xe6\xbc\xa2", 4), "ab...");
  EXPECT_EQ(SafeText("\x80\x80\x80\x80\x80", 4), "\\x80...");
}

TEST(SafeMessage, HasNoLineEndsAtItsEnd) {
  EXPECT_EQ(SafeMessage("no room\r\n\n"), "no room");
  EXPECT_EQ(SafeMessage("no\nroom\n"), "no\\x0aroom");
  EXPECT_EQ(SafeMessage("\n"), "");
}

TEST(SafeLine, EscapesNothingTwice) {
  for (const HostileName& name : HostileNames()) {
    const std::string line = SafeLine(absl::StrCat("got \"", name.name, "\""));
    EXPECT_TRUE(IsSafeLine(line)) << line;
    EXPECT_EQ(SafeLine(line), line);
    const std::string made = absl::StrCat("got \"", SafeText(name.name), "\"");
    EXPECT_EQ(SafeLine(made), made);
  }
}

TEST(EscapeBytes, EscapesTheBytesThatItIsTold) {
  EXPECT_EQ(EscapeBytes("a,b|c", ",|"), "a\\x2cb\\x7cc");
  EXPECT_EQ(EscapeBytes("plain", ",|"), "plain");
}

TEST(IsListable, RefusesControlAndHiddenCharacters) {
  for (const HostileName& name : HostileNames()) {
    EXPECT_EQ(IsListable(name.name), name.listable) << name.safe;
    const absl::Status status = CheckListable("the task", name.name);
    EXPECT_EQ(status.ok(), name.listable) << name.safe;
    if (status.ok()) continue;
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(IsSafeLine(status.message())) << status;
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(HasSubstr(SafeText(name.name, 64)), HasSubstr("at byte ")));
  }
}

TEST(IsUtf8, IsToldFromOtherBytes) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8(std::string("nul\0inside", 10)));
  EXPECT_TRUE(IsUtf8("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
  EXPECT_TRUE(IsUtf8("\xf4\x8f\xbf\xbf"));
  EXPECT_FALSE(IsUtf8("\xf4\x90\x80\x80"));
  EXPECT_FALSE(IsUtf8("\xff"));
  EXPECT_FALSE(IsUtf8("cut off \xe2\x82"));
  EXPECT_FALSE(IsUtf8("overlong \xc0\xaf"));
  EXPECT_FALSE(IsUtf8("overlong \xe0\x80\xaf"));
  EXPECT_FALSE(IsUtf8("surrogate \xed\xa0\x80"));
}

}  // namespace
}  // namespace gearman
