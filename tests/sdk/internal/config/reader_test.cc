#include "gearman/sdk/internal/config/reader.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/config/places.h"
#include "gearman/tests/sdk/internal/config/shapes.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::PluginConfig;
using testing::Shapes;
using ::testing::StartsWith;

ReadOptions Options() {
  ReadOptions options;
  options.source = "f";
  options.known_types = {"gearman.testing.PluginConfig"};
  return options;
}

// The message of the error that `text` gives; "" when it is right.
std::string TextError(absl::string_view text) {
  Shapes shapes;
  Places places;
  const absl::Status status = ReadText(text, Options(), &shapes, &places);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

std::string JsonError(absl::string_view text) {
  Shapes shapes;
  Places places;
  const absl::Status status = ReadJson(text, Options(), &shapes, &places);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

// Every kind of field, in both forms.
constexpr char kText[] = R"(# all of it
text: "a" 'b'
small: -3
large: 18446744073709551615
ratio: 0.5
flag: true
color: GREEN
names: "x"
names: ["y", "z"]
inner { count: 1 deeper < count: 2 > }
inners: [{ count: 3 }, { count: 4 }]
plugin { [type.googleapis.com/gearman.testing.PluginConfig] { tries: 7 } }
weights { key: "k" value: 5 }
)";
constexpr char kJson[] = R"({
  "text": "ab", "small": -3,
  "large": "18446744073709551615",
  "ratio": 0.5, "flag": true, "color": "GREEN",
  "names": ["x", "y", "z"],
  "inner": { "count": 1, "deeper": { "count": 2 } },
  "inners": [{ "count": 3 }, { "count": 4 }],
  "plugin": {
    "@type": "type.googleapis.com/gearman.testing.PluginConfig",
    "tries": 7
  },
  "weights": { "k": 5 }
})";

TEST(ReadText, ReadsEveryKindOfField) {
  Shapes shapes;
  Places places;
  ASSERT_TRUE(ReadText(kText, Options(), &shapes, &places).ok());
  EXPECT_EQ(shapes.text(), "ab");
  EXPECT_EQ(shapes.small(), -3);
  EXPECT_EQ(shapes.names_size(), 3);
  EXPECT_EQ(shapes.inner().deeper().count(), 2);
  PluginConfig plugin;
  ASSERT_TRUE(shapes.plugin().UnpackTo(&plugin));
  EXPECT_EQ(plugin.tries(), 7);
}

TEST(ReadJson, ReadsWhatTextFormatReads) {
  Shapes text;
  Shapes json;
  Places places;
  ASSERT_TRUE(ReadText(kText, Options(), &text, &places).ok());
  const absl::Status status = ReadJson(kJson, Options(), &json, &places);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(text.SerializeAsString(), json.SerializeAsString());
}

TEST(ReadText, KnowsThePlaceOfEachValue) {
  Shapes shapes;
  Places places;
  ASSERT_TRUE(ReadText(kText, Options(), &shapes, &places).ok());
  EXPECT_EQ(places.Describe("text"), "f:2:7");
  EXPECT_EQ(places.Describe("small"), "f:3:8");
  EXPECT_EQ(places.Describe("names[0]"), "f:8:8");
  EXPECT_EQ(places.Describe("names[2]"), "f:9:14");
  EXPECT_EQ(places.Describe("inner.deeper.count"), "f:10:34");
  EXPECT_EQ(places.Describe("inners[1].count"), "f:11:33");
  EXPECT_EQ(places.Describe("plugin.tries"), "f:12:70");
}

TEST(ReadJson, KnowsThePlaceOfEachValue) {
  Shapes shapes;
  Places places;
  ASSERT_TRUE(ReadJson(kJson, Options(), &shapes, &places).ok());
  EXPECT_EQ(places.Describe("text"), "f:2:11");
  EXPECT_EQ(places.Describe("large"), "f:3:12");
  EXPECT_EQ(places.Describe("names[2]"), "f:5:23");
  EXPECT_EQ(places.Describe("inner"), "f:6:3");
  EXPECT_EQ(places.Describe("inner.deeper.count"), "f:6:47");
  EXPECT_EQ(places.Describe("inners[1].count"), "f:7:41");
  EXPECT_EQ(places.Describe("plugin.tries"), "f:10:14");
}

TEST(ReadText, NamesAnUnknownFieldItsPlaceAndTheNearestKnownOne) {
  EXPECT_THAT(TextError("flag: true\n  smal: 3"),
              AllOf(StartsWith("f:2:3: unknown field \"smal\""),
                    HasSubstr("did you mean \"small\"?"), HasSubstr("ratio")));
}

TEST(ReadJson, NamesAnUnknownFieldItsPlaceAndTheNearestKnownOne) {
  EXPECT_THAT(JsonError("{\"flag\": true,\n  \"smal\": 3}"),
              AllOf(StartsWith("f:2:3: unknown field \"smal\""),
                    HasSubstr("did you mean \"small\"?"), HasSubstr("ratio")));
}

TEST(ReadText, NamesTheBlockOfAnUnknownField) {
  EXPECT_THAT(TextError("inners { count: 1 }\ninners { cuont: 1 }"),
              StartsWith("f:2:10: inners[1]: unknown field \"cuont\": did you "
                         "mean \"count\"?"));
}

TEST(ReadJson, NamesTheBlockOfAnUnknownField) {
  EXPECT_THAT(JsonError("{\"inners\": [{\"count\": 1}, {\"cuont\": 1}]}"),
              StartsWith("f:1:28: inners[1]: unknown field \"cuont\": did you "
                         "mean \"count\"?"));
}

TEST(ReadText, SaysWhatANumberShouldBe) {
  EXPECT_EQ(TextError("\nsmall: many"),
            "f:2:8: small: many is not valid: expected a whole number from "
            "-2147483648 to 2147483647");
}

TEST(ReadJson, SaysWhatANumberShouldBe) {
  EXPECT_EQ(JsonError("{\n\"small\": \"many\"}"),
            "f:2:10: small: \"many\" is not valid: expected a whole number "
            "from -2147483648 to 2147483647");
}

TEST(ReadText, SaysWhenANumberIsTooLarge) {
  EXPECT_THAT(TextError("inner { count: 3000000000 }"),
              StartsWith("f:1:16: inner.count: 3000000000 is not valid: "
                         "expected a whole number from"));
}

TEST(ReadJson, SaysWhenANumberIsTooLarge) {
  EXPECT_THAT(JsonError("{\"inner\": {\"count\": 3000000000}}"),
              StartsWith("f:1:21: inner.count: 3000000000 is not valid: "
                         "expected a whole number from"));
}

TEST(ReadText, SaysWhatATextShouldBe) {
  EXPECT_EQ(TextError("text: 5"),
            "f:1:7: text: 5 is not valid: expected a text in quotes");
}

TEST(ReadText, SaysWhatAFlagShouldBe) {
  EXPECT_EQ(TextError("flag: maybe text: \"x\""),
            "f:1:7: flag: maybe is not valid: expected true or false");
}

TEST(ReadJson, SaysWhatAFlagShouldBe) {
  EXPECT_EQ(JsonError("{\"flag\": \"maybe\", \"text\": \"x\"}"),
            "f:1:10: flag: \"maybe\" is not valid: expected true or false");
}

TEST(ReadText, ListsTheNamesOfAnEnum) {
  EXPECT_EQ(TextError("text: \"x\"\ncolor: BLUE\nflag: true"),
            "f:2:8: color: BLUE is not valid: expected one of RED, GREEN");
}

TEST(ReadJson, ListsTheNamesOfAnEnum) {
  EXPECT_EQ(JsonError("{\"text\": \"x\",\n\"color\": \"BLUE\"}"),
            "f:2:10: color: \"BLUE\" is not valid: expected one of RED, GREEN");
}

TEST(ReadText, FindsTheBadElementOfAList) {
  EXPECT_EQ(TextError("names: [\"a\", \"b\", 3]"),
            "f:1:19: names[2]: 3 is not valid: expected a text in quotes");
}

TEST(ReadJson, FindsTheBadElementOfAList) {
  EXPECT_THAT(
      JsonError("{\"inners\": [{\"count\": 1},\n {\"count\": true}]}"),
      StartsWith("f:2:12: inners[1].count: true is not valid: expected"));
}

TEST(ReadJson, WantsAListForARepeatedField) {
  EXPECT_EQ(JsonError("{\"inners\": {\"count\": 1}}"),
            "f:1:12: inners: {\"count\": 1} is not valid: expected a list [ ]");
}

TEST(ReadText, RefusesTwoMembersOfAChoice) {
  EXPECT_EQ(TextError("left {}\nright {}"),
            "f:2:1: \"right\" and \"left\" exclude each other; keep one");
}

TEST(ReadJson, RefusesTwoMembersOfAChoice) {
  EXPECT_EQ(JsonError("{\"left\": {},\n\"right\": {}}"),
            "f:2:1: \"right\" and \"left\" exclude each other; keep one");
}

TEST(ReadText, RefusesAFieldGivenTwice) {
  EXPECT_EQ(TextError("small: 1\nsmall: 2"),
            "f:2:1: \"small\" is given twice; keep one");
}

TEST(ReadJson, RefusesAFieldGivenTwice) {
  EXPECT_EQ(JsonError("{\"small\": 1,\n\"small\": 2}"),
            "f:2:1: \"small\" is given twice");
}

TEST(ReadJson, RefusesAFieldGivenByBothItsNames) {
  EXPECT_EQ(JsonError("{\"maxPacketBytes\": 1,\n\"max_packet_bytes\": 2}"),
            "f:2:1: \"max_packet_bytes\" is given twice; keep one");
}

TEST(ReadText, ListsTheKnownPluginsForAnUnknownOne) {
  EXPECT_THAT(
      TextError("plugin {\n [type.googleapis.com/acme.PluginConfig] {} }"),
      AllOf(StartsWith(
                "f:2:2: plugin: unknown plugin config \"acme.PluginConfig\""),
            HasSubstr("gearman.testing.PluginConfig"),
            HasSubstr("deps of this program")));
}

TEST(ReadJson, ListsTheKnownPluginsForAnUnknownOne) {
  EXPECT_THAT(
      JsonError("{\"plugin\": {\n \"@type\": \"x/acme.PluginConfig\"}}"),
      AllOf(StartsWith(
                "f:2:11: plugin: unknown plugin config \"acme.PluginConfig\""),
            HasSubstr("gearman.testing.PluginConfig"),
            HasSubstr("deps of this program")));
}

TEST(ReadJson, SaysHowAPluginIsNamed) {
  EXPECT_THAT(JsonError("{\"plugin\": {\"tries\": 1}}"),
              AllOf(StartsWith("f:1:12: plugin: "), HasSubstr("@type")));
}

TEST(ReadText, FindsABadValueInAPluginsConfig) {
  EXPECT_THAT(TextError("plugin {\n[type.googleapis.com/"
                        "gearman.testing.PluginConfig] { tries: \"x\" } }"),
              StartsWith("f:2:61: plugin.tries: \"x\" is not valid"));
}

TEST(ReadJson, FindsABadValueInAPluginsConfig) {
  EXPECT_THAT(
      JsonError("{\"plugin\": {\"@type\": "
                "\"type.googleapis.com/gearman.testing.PluginConfig\",\n"
                "\"inner\": {\"count\": []}}}"),
      StartsWith("f:2:20: plugin.inner.count: [] is not valid"));
}

TEST(ReadText, NamesAnUnknownFieldOfAPluginsConfig) {
  EXPECT_THAT(TextError("plugin { [type.googleapis.com/"
                        "gearman.testing.PluginConfig] {\n trys: 1 } }"),
              StartsWith("f:2:2: plugin: unknown field \"trys\": did you mean "
                         "\"tries\"?"));
}

TEST(ReadText, GivesThePlaceOfBadSyntax) {
  EXPECT_THAT(TextError("inner {\n  count 1\n}"), StartsWith("f:2:9: "));
  EXPECT_THAT(TextError("text: \"abc\nflag: true"), StartsWith("f:1:11: "));
}

TEST(ReadText, SaysWhereAnUnclosedBlockBegan) {
  EXPECT_EQ(TextError("flag: true\ninner {\n  count: 1\n"),
            "f:2:7: inner: this block is not closed: the text ends at 4:1 "
            "without its \"}\"");
  EXPECT_EQ(TextError("inner {\n  deeper <\n    count: 1\n  }\n}"),
            "f:4:3: inner.deeper: \"}\" can't close the block that begins at "
            "2:10: expected \">\"");
  EXPECT_THAT(TextError("inners { count: 1 }\ninners {"),
              StartsWith("f:2:8: inners[1]: this block is not closed"));
  EXPECT_THAT(
      TextError("plugin { [x/gearman.testing.PluginConfig] { tries: 1 }"),
      StartsWith("f:1:8: plugin: this block is not closed"));
}

TEST(ReadText, SaysWhereAFieldBelongsWhenABlockBeforeItIsNotClosed) {
  EXPECT_THAT(TextError("inner {\n  count: 1\nflag: true\n"),
              AllOf(StartsWith("f:3:1: inner: unknown field \"flag\""),
                    HasSubstr("\"flag\" is known outside of this block: is a "
                              "closing bracket missing for the one that begins "
                              "at 1:7?")));
}

TEST(ReadText, NamesABracketThatClosesNothing) {
  EXPECT_EQ(TextError("inner {\n  count: 1\n} }"),
            "f:3:3: \"}\" closes nothing: every block before it is closed");
}

TEST(ReadText, SaysThatAValueIsMissing) {
  EXPECT_EQ(TextError("flag: true\nsmall:"),
            "f:2:7: small: the text ends here: expected a whole number from "
            "-2147483648 to 2147483647");
}

TEST(ReadText, ShowsANumberWithItsSign) {
  EXPECT_EQ(TextError("unsigned_count: -1"),
            "f:1:17: unsigned_count: -1 is not valid: expected a whole number "
            "from 0 to 4294967295");
  EXPECT_EQ(TextError("inner { count: -3000000000 }"),
            "f:1:16: inner.count: -3000000000 is not valid: expected a whole "
            "number from -2147483648 to 2147483647");
  EXPECT_EQ(TextError("large: -7 flag: true"),
            "f:1:8: large: -7 is not valid: expected a whole number from 0 to "
            "18446744073709551615");
}

TEST(ReadJson, RefusesNull) {
  EXPECT_EQ(JsonError("{\"names\": [\"a\", null]}"),
            "f:1:17: names[1]: null is not valid: expected a text in quotes; "
            "for a default leave it out");
  EXPECT_THAT(JsonError("{\"small\":\n null}"),
              StartsWith("f:2:2: small: null is not valid: expected a whole"));
  EXPECT_THAT(JsonError("{\"inner\": null}"),
              StartsWith("f:1:11: inner: null is not valid: expected a block"));
  EXPECT_THAT(JsonError("{\"inners\": [{}, null]}"),
              StartsWith("f:1:17: inners[1]: null is not valid"));
  EXPECT_THAT(JsonError("{\"inners\": null}"),
              StartsWith("f:1:12: inners: null is not valid: expected a list"));
  EXPECT_THAT(JsonError("{\"inner\": {\"count\": null}}"),
              StartsWith("f:1:21: inner.count: null is not valid"));
  EXPECT_THAT(JsonError("{\"color\": null}"),
              StartsWith("f:1:11: color: null is not valid: expected one of"));
  EXPECT_THAT(JsonError("{\"weights\": {\"k\": null}}"),
              StartsWith("f:1:19: weights.k: null is not valid"));
  EXPECT_THAT(JsonError("{\"left\": null, \"right\": {}}"),
              StartsWith("f:1:10: left: null is not valid"));
  EXPECT_THAT(
      JsonError("{\"plugin\": {\"@type\": "
                "\"x/gearman.testing.PluginConfig\", \"tries\": null}}"),
      StartsWith("f:1:65: plugin.tries: null is not valid"));
  EXPECT_EQ(JsonError("null"), "f:1:1: expected an object { }");
}

TEST(ReadJson, TakesNullWhereAnyJsonIsTaken) {
  EXPECT_EQ(JsonError("{\"anything\": null}"), "");
  EXPECT_EQ(JsonError("{\"anything\": {\"a\": [null]}}"), "");
}

TEST(ReadJson, GivesThePlaceOfBadSyntax) {
  EXPECT_EQ(JsonError("{\"flag\": true\n\"small\": 1}"),
            "f:2:1: expected ',' or '}', found '\"'");
  EXPECT_EQ(JsonError("{\"flag\" true}"),
            "f:1:9: expected ':' after \"flag\", found 't'");
  EXPECT_EQ(JsonError("{flag: true}"),
            "f:1:2: expected a name in double quotes, found 'f'");
  EXPECT_EQ(JsonError("{\"names\": [\"a\""),
            "f:1:15: expected ',' or ']', found the end of the text; the list "
            "that begins at 1:11 is not closed");
  EXPECT_EQ(JsonError("{\"inner\": {\n\"count\": 1\n"),
            "f:3:1: expected ',' or '}', found the end of the text; the object "
            "that begins at 1:11 is not closed");
  EXPECT_EQ(JsonError("{\"flag\": true,"),
            "f:1:15: expected a name in double quotes, found the end of the "
            "text; the object that begins at 1:1 is not closed");
  EXPECT_EQ(JsonError("{\"text\": \"a"),
            "f:1:10: this text has no closing double quote");
  EXPECT_EQ(JsonError("{\"text\": 10s}"),
            "f:1:10: \"10s\" is no value; put texts and names in double "
            "quotes");
  EXPECT_EQ(JsonError("{} {}"),
            "f:1:4: text after the end of the value; one object is enough");
  EXPECT_EQ(JsonError("[]"), "f:1:1: expected an object { }");
  EXPECT_EQ(JsonError(""),
            "f:1:1: expected a value, found the end of the text");
}

TEST(ReadJson, EndsWhenNestedTooDeeply) {
  EXPECT_THAT(JsonError("{\"names\": " + std::string(1000, '[')),
              HasSubstr("nested too deeply"));
}

TEST(ReadText, EndsWhenNestedTooDeeply) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "inner { deeper { ";
  EXPECT_THAT(TextError(text), StartsWith("f:1:"));
  text = "names ";
  for (int i = 0; i < 100000; ++i) text += "a{";
  EXPECT_THAT(TextError(text), StartsWith("f:1:"));
}

TEST(ReadText, TakesWhatTheCallerExpectsIntoTheError) {
  ReadOptions options = Options();
  options.expected = [](absl::string_view path,
                        const google::protobuf::FieldDescriptor*) {
    return "something else at " + std::string(path);
  };
  Shapes shapes;
  Places places;
  EXPECT_EQ(ReadText("text: 5", options, &shapes, &places).message(),
            "f:1:7: text: 5 is not valid: expected something else at text");
}

TEST(ReadText, LeavesNothingBehindWhenItFails) {
  Shapes shapes;
  Places places;
  EXPECT_FALSE(
      ReadText("flag: true small: x", Options(), &shapes, &places).ok());
  EXPECT_EQ(shapes.SerializeAsString(), "");
}

TEST(ReadText, NamesBytesThatAreNoText) {
  EXPECT_THAT(TextError(std::string("text: \"a\"\n\0\1\2", 13)),
              StartsWith("f:2:1: "));
}

// Cut or with one byte replaced, a text is read or refused with a place.
template <typename ErrorOf>
void ExpectAPlaceForEveryMutation(const std::string& text, ErrorOf error_of) {
  const auto expect_place = [](const std::string& error) {
    if (!error.empty()) {
      EXPECT_THAT(error, ::testing::ContainsRegex("^f:[0-9]+:[0-9]+: "));
    }
  };
  for (size_t at = 0; at < text.size(); ++at) {
    expect_place(error_of(text.substr(0, at)));
    for (const char replacement : {'{', '}', '[', '"', ':', 'x', '7', '\0'}) {
      std::string mutated = text;
      mutated[at] = replacement;
      expect_place(error_of(mutated));
    }
  }
}

TEST(ReadText, PlacesTheMistakeOfEveryMutation) {
  ExpectAPlaceForEveryMutation(kText, TextError);
}

TEST(ReadJson, PlacesTheMistakeOfEveryMutation) {
  ExpectAPlaceForEveryMutation(kJson, JsonError);
}

TEST(Places, FallsBackToWhatAValueStandsIn) {
  Places places("f");
  places.Add("metrics[1]", {4, 2});
  EXPECT_EQ(places.Describe("metrics[1].plugin.port"), "f:4:2");
  EXPECT_EQ(places.Describe("metrics[0]"), "f");
}

TEST(Places, ForgetsWhatWasReplaced) {
  Places places("f");
  places.Add("servers[0]", {1, 1});
  places.Add("servers_more", {2, 1});
  places.Replace("servers", "environment");
  EXPECT_EQ(places.Describe("servers[0]"), "environment");
  EXPECT_EQ(places.Describe("servers_more"), "f:2:1");
}

TEST(LineIndex, CountsLinesAndBytesFromOne) {
  const LineIndex lines("ab\ncd\n");
  EXPECT_EQ(lines.At(0).line, 1);
  EXPECT_EQ(lines.At(0).column, 1);
  EXPECT_EQ(lines.At(2).line, 1);
  EXPECT_EQ(lines.At(2).column, 3);
  EXPECT_EQ(lines.At(4).line, 2);
  EXPECT_EQ(lines.At(4).column, 2);
  EXPECT_EQ(lines.At(6).line, 3);
  EXPECT_EQ(lines.At(6).column, 1);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
