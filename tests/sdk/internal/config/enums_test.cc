#include "gearman/sdk/internal/config/enums.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/sdk/internal/config/reader.h"
#include "gearman/tests/sdk/internal/config/closed.pb.h"
#include "gearman/tests/sdk/internal/config/shapes.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using testing::ClosedConfig;
using testing::Color;
using testing::PluginConfig;
using testing::Shapes;
using ::testing::StartsWith;

// The mistake of a text, by whichever of the two it is found.
template <typename Read>
std::string ErrorOf(Read read, absl::string_view text) {
  ReadOptions options;
  options.source = "f";
  Shapes shapes;
  Places places;
  absl::Status status = read(text, options, &shapes, &places);
  status.Update(CheckEnums(shapes, places));
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}
std::string TextError(absl::string_view text) {
  return ErrorOf(ReadText, text);
}
std::string JsonError(absl::string_view text) {
  return ErrorOf(ReadJson, text);
}

TEST(CheckEnums, TakesEachNameAndItsNumber) {
  EXPECT_EQ(TextError("color: GREEN colors: [RED, 1] named_colors { key: \"k\" "
                      "value: GREEN }"),
            "");
  EXPECT_EQ(JsonError("{\"color\": 1, \"colors\": [\"RED\", 1], "
                      "\"namedColors\": {\"k\": \"GREEN\"}}"),
            "");
}

TEST(CheckEnums, PlacesAnUnknownNumberInAField) {
  constexpr absl::string_view kExpected =
      "7 is not valid: expected one of RED, GREEN";
  EXPECT_EQ(TextError("flag: true\ncolor: 7"),
            "f:2:8: color: " + std::string(kExpected));
  EXPECT_EQ(JsonError("{\"flag\": true,\n\"color\": 7}"),
            "f:2:10: color: " + std::string(kExpected));
  EXPECT_EQ(TextError("color: -1"),
            "f:1:8: color: -1 is not valid: expected one of RED, GREEN");
}

TEST(CheckEnums, PlacesAnUnknownNumberInAList) {
  EXPECT_THAT(TextError("colors: [RED, 7]"),
              StartsWith("f:1:15: colors[1]: 7 is not valid"));
  EXPECT_THAT(JsonError("{\"colors\": [\"RED\", 7]}"),
              StartsWith("f:1:20: colors[1]: 7 is not valid"));
}

TEST(CheckEnums, PlacesAnUnknownNumberInAMap) {
  EXPECT_THAT(TextError("named_colors { key: \"k\" value: 7 }"),
              StartsWith("f:1:32: named_colors[0].value: 7 is not valid"));
  EXPECT_THAT(JsonError("{\"namedColors\": {\"k\": 7}}"),
              StartsWith("f:1:2: named_colors[0].value: 7 is not valid"));
}

TEST(CheckEnums, PlacesAnUnknownNumberInAPluginsConfig) {
  EXPECT_THAT(TextError("plugin { [type.googleapis.com/"
                        "gearman.testing.PluginConfig] {\n color: 7 } }"),
              StartsWith("f:2:9: plugin.color: 7 is not valid: expected one of "
                         "RED, GREEN"));
  EXPECT_THAT(JsonError("{\"plugin\": {\"@type\": \"type.googleapis.com/"
                        "gearman.testing.PluginConfig\",\n\"color\": 7}}"),
              StartsWith("f:2:10: plugin.color: 7 is not valid"));
}

TEST(CheckEnums, PlacesAnUnknownNumberOfAClosedEnum) {
  EXPECT_THAT(TextError("plugin { [type.googleapis.com/"
                        "gearman.testing.ClosedConfig] {\n pace: 7 } }"),
              StartsWith("f:2:8: plugin.pace: 7 is not valid: expected one of "
                         "SLOW, FAST"));
  EXPECT_THAT(
      JsonError("{\"plugin\": {\"@type\": \"type.googleapis.com/"
                "gearman.testing.ClosedConfig\",\n\"pace\": 7}}"),
      StartsWith("f:2:9: plugin.pace: 7 is not valid: expected one of SLOW, "
                 "FAST"));
}

TEST(CheckEnums, NamesTheFieldOfAMessageThatWasMadeInCode) {
  Shapes shapes;
  shapes.add_colors(static_cast<Color::Value>(7));
  EXPECT_EQ(CheckEnums(shapes, Places("code")).message(),
            "code: colors[0]: 7 is not valid: expected one of RED, GREEN");
  PluginConfig config;
  config.set_color(static_cast<Color::Value>(-3));
  Shapes packed;
  packed.mutable_plugin()->PackFrom(config);
  EXPECT_EQ(CheckEnums(packed, Places("code")).message(),
            "code: plugin.color: -3 is not valid: expected one of RED, GREEN");
}

TEST(CheckEnums, LeavesToOthersWhatIsNoConfigInAnAny) {
  Shapes shapes;
  shapes.mutable_plugin()->set_type_url("type.googleapis.com/acme.NotLinked");
  EXPECT_TRUE(CheckEnums(shapes, Places("code")).ok());
  ClosedConfig config;
  shapes.mutable_plugin()->PackFrom(config);
  shapes.mutable_plugin()->set_value("no message");
  EXPECT_TRUE(CheckEnums(shapes, Places("code")).ok());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
