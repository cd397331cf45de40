#include "gearman/sdk/internal/config/encoding.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

std::string Taken(absl::string_view bytes) {
  const absl::StatusOr<absl::string_view> text = TextOf(bytes, "f");
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? std::string(*text) : "";
}

std::string Error(absl::string_view bytes) {
  const absl::StatusOr<absl::string_view> text = TextOf(bytes, "f");
  EXPECT_TRUE(absl::IsInvalidArgument(text.status())) << text.status();
  return std::string(text.status().message());
}

TEST(TextOf, TakesUtf8WithAndWithoutAByteOrderMark) {
  EXPECT_EQ(Taken("servers: \"a\""), "servers: \"a\"");
  EXPECT_EQ(Taken("\xef\xbb\xbf{}"), "{}");
  EXPECT_EQ(Taken("\xef\xbb\xbf"), "");
  EXPECT_EQ(Taken("\xef\xbb"), "\xef\xbb");
  EXPECT_EQ(Taken(""), "");
  EXPECT_EQ(Taken("x"), "x");
  EXPECT_EQ(Taken("# \xc3\xa9t\xc3\xa9"), "# \xc3\xa9t\xc3\xa9");
}

TEST(TextOf, NamesOtherEncodings) {
  const std::string utf16 =
      "f:1:1: this is UTF-16; save it as UTF-8, with or without a byte order "
      "mark";
  EXPECT_EQ(Error(absl::string_view("\xff\xfe{\0}\0", 6)), utf16);
  EXPECT_EQ(Error(absl::string_view("\xfe\xff\0{\0}", 6)), utf16);
  EXPECT_EQ(Error("\xff\xfe"), utf16);
  EXPECT_EQ(Error(absl::string_view("{\0}\0", 4)), utf16);
  EXPECT_EQ(Error(absl::string_view("\0{\0}", 4)), utf16);
  const std::string utf32 =
      "f:1:1: this is UTF-32; save it as UTF-8, with or without a byte order "
      "mark";
  EXPECT_EQ(Error(absl::string_view("\xff\xfe\0\0{\0\0\0", 8)), utf32);
  EXPECT_EQ(Error(absl::string_view("\0\0\xfe\xff\0\0\0{", 8)), utf32);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
