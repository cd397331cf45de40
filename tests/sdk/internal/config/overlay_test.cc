#include "gearman/sdk/internal/config/overlay.h"

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/tests/sdk/internal/config/shapes.pb.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using testing::Shapes;
using ::testing::UnorderedElementsAre;

Shapes Parsed(const std::string& text) {
  Shapes shapes;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &shapes));
  return shapes;
}

// The content of `into` afterwards, as text on one line, and the replaced
// paths.
struct Result {
  std::string text;
  std::vector<std::string> replaced;
};
Result Laid(const std::string& over, const std::string& into) {
  Shapes shapes = Parsed(into);
  Result result;
  Overlay(Parsed(over), &shapes, [&result](absl::string_view path) {
    result.replaced.emplace_back(path);
  });
  result.text = shapes.ShortDebugString();
  return result;
}

TEST(Overlay, ReplacesWhatIsSetAndKeepsTheRest) {
  const Result result = Laid("small: 2", "text: \"a\" small: 1");
  EXPECT_EQ(result.text, "text: \"a\" small: 2");
  EXPECT_THAT(result.replaced, ElementsAre("small"));
}

TEST(Overlay, ReplacesByAnEmptyValueThatIsSet) {
  EXPECT_EQ(Laid("text: \"\"", "text: \"a\"").text, "text: \"\"");
}

TEST(Overlay, ReplacesAListWhole) {
  EXPECT_EQ(Laid("names: \"c\"", "names: \"a\" names: \"b\"").text,
            "names: \"c\"");
  EXPECT_EQ(Laid("inners { count: 3 }", "inners { count: 1 } inners { }").text,
            "inners { count: 3 }");
}

TEST(Overlay, GoesIntoBlocks) {
  const Result result = Laid("inner { deeper { count: 9 } }",
                             "inner { count: 1 deeper { count: 2 } }");
  EXPECT_EQ(result.text, "inner { count: 1 deeper { count: 9 } }");
  EXPECT_THAT(result.replaced, ElementsAre("inner.deeper.count"));
}

TEST(Overlay, TakesABlockThatWasNotThereWhole) {
  const Result result = Laid("inner { count: 9 }", "small: 1");
  EXPECT_EQ(result.text, "small: 1 inner { count: 9 }");
  EXPECT_THAT(result.replaced, ElementsAre("inner"));
}

TEST(Overlay, ReplacesTheOtherMemberOfAChoice) {
  const Result result = Laid("right { count: 2 }", "left { count: 1 }");
  EXPECT_EQ(result.text, "right { count: 2 }");
  EXPECT_THAT(result.replaced, UnorderedElementsAre("left", "right"));
}

TEST(Overlay, ReplacesAPluginsConfigWhole) {
  const std::string any =
      "plugin { [type.googleapis.com/gearman.testing.PluginConfig] { ";
  const Result result =
      Laid(any + "tries: 2 } }", any + "inner { count: 1 } } }");
  EXPECT_EQ(Parsed(any + "tries: 2 } }").ShortDebugString(), result.text);
}

TEST(Overlay, ReplacesMapsWhole) {
  EXPECT_EQ(
      Laid("weights { key: \"b\" value: 2 }", "weights { key: \"a\" value: 1 }")
          .text,
      "weights { key: \"b\" value: 2 }");
}

TEST(Overlay, DoesNothingWithNothing) {
  const Result result = Laid("", "text: \"a\"");
  EXPECT_EQ(result.text, "text: \"a\"");
  EXPECT_TRUE(result.replaced.empty());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
