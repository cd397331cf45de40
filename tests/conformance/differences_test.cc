// The table of differences and docs/protocol.md say the same.
#include "gearman/tests/conformance/differences.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace conformance {
namespace {

// The first column of the section's table, in its order.
std::vector<std::string> Documented() {
  std::ifstream file("docs/protocol.md");
  EXPECT_TRUE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  const size_t begin = all.find("\n## Where the embedded server differs");
  EXPECT_NE(begin, std::string::npos);
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(all.substr(begin), '\n')) {
    if (!absl::ConsumePrefix(&line, "| ") || absl::StartsWith(line, "point ")) {
      continue;
    }
    names.emplace_back(line.substr(0, line.find(" |")));
  }
  return names;
}

TEST(DifferencesTest, AreThoseThatTheDocumentNames) {
  std::vector<std::string> names;
  int index = 0;
  for (const DifferenceInfo& info : Differences()) {
    EXPECT_EQ(static_cast<int>(info.difference), index++);
    names.emplace_back(info.name);
  }
  EXPECT_EQ(Documented(), names);
}

}  // namespace
}  // namespace conformance
}  // namespace gearman
