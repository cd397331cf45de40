#include "gearman/tests/monitoring/dashboard.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

// The texts under this key, which stands alone in its line as Grafana exports
// it. (Protobuf reads the whole, so that it is JSON; its maps are not walked
// through: their inline code and the library's disagree under
// ThreadSanitizer.)
std::vector<std::string> TextsOf(absl::string_view key) {
  const std::string json = ReadWholeFile("docs/monitoring/dashboard.json");
  google::protobuf::Struct dashboard;
  const auto status =
      google::protobuf::util::JsonStringToMessage(json, &dashboard);
  EXPECT_TRUE(status.ok()) << status.ToString();
  const std::string start = absl::StrCat("\"", key, "\": \"");
  std::vector<std::string> texts;
  for (absl::string_view line : absl::StrSplit(json, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, start)) continue;
    absl::ConsumeSuffix(&line, ",");
    EXPECT_TRUE(absl::ConsumeSuffix(&line, "\"")) << line;
    std::string text;
    EXPECT_TRUE(absl::CUnescape(line, &text)) << line;
    texts.push_back(std::move(text));
  }
  EXPECT_FALSE(texts.empty()) << key;
  return texts;
}

}  // namespace

std::string ReadWholeFile(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> DashboardExpressions() { return TextsOf("expr"); }

std::vector<std::string> DashboardVariables() { return TextsOf("definition"); }

}  // namespace gearman
