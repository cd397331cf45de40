#include "gearman/codecs/admin/command.h"

#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gearman/tests/support/hostile_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

template <typename AnyCommand>
std::string Encoded(const AnyCommand& command) {
  wire::OutputBuffer out;
  const absl::Status status = Encode(command, out);
  EXPECT_TRUE(status.ok()) << status;
  return wire::Drain(out);
}

template <typename AnyCommand>
std::string Refused(const AnyCommand& command) {
  wire::OutputBuffer out;
  const absl::Status status = Encode(command, out);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(wire::Drain(out), "");
  return std::string(status.message());
}

Command Parsed(absl::string_view line) {
  CommandLine split;
  EXPECT_TRUE(Split(line, &split)) << line;
  return Parse(split);
}

std::string Refusal(absl::string_view line) {
  const Command command = Parsed(line);
  const auto* refused = std::get_if<RefusedCommand>(&command);
  return refused == nullptr ? "not refused" : refused->reply;
}

std::vector<std::string> Words(absl::string_view line) {
  CommandLine split;
  if (!Split(line, &split)) return {"too many"};
  std::vector<std::string> words;
  for (size_t i = 0; i < split.word_count; ++i) {
    words.emplace_back(split.words[i]);
  }
  return words;
}

// Trap 52.
TEST(CommandTest, EachIsALineThatEndsInCrlf) {
  EXPECT_EQ(Encoded(ShowStatus()), "status\r\n");
  EXPECT_EQ(Encoded(ShowPriorityStatus()), "prioritystatus\r\n");
  EXPECT_EQ(Encoded(ShowWorkers()), "workers\r\n");
  EXPECT_EQ(Encoded(ShowJobs()), "show jobs\r\n");
  EXPECT_EQ(Encoded(ShowUniqueJobs()), "show unique jobs\r\n");
  EXPECT_EQ(Encoded(GetVersion()), "version\r\n");
  EXPECT_EQ(Encoded(GetPid()), "getpid\r\n");
  EXPECT_EQ(Encoded(GetVerbosity()), "verbose\r\n");
  EXPECT_EQ(Encoded(CreateFunction{"resize"}), "create function resize\r\n");
  EXPECT_EQ(Encoded(CancelJob{"H:lap:7"}), "cancel job H:lap:7\r\n");
  EXPECT_EQ(Encoded(Shutdown{}), "shutdown\r\n");
  EXPECT_EQ(Encoded(Shutdown{true}), "shutdown graceful\r\n");
}

TEST(CommandTest, EqualLimitsOfAQueueAreSaidOnce) {
  EXPECT_EQ(Encoded(MaxQueue{"f", 10, 10, 10}), "maxqueue f 10\r\n");
  EXPECT_EQ(Encoded(MaxQueue{"f", 3, 2, 1}), "maxqueue f 3 2 1\r\n");
  EXPECT_EQ(Encoded(MaxQueue{"f"}), "maxqueue f 0\r\n");
}

TEST(CommandTest, ADropIsFollowedByACommandWhoseReplyEndsItsOwn) {
  EXPECT_EQ(Encoded(DropFunction{"f"}), "drop function f\r\ngetpid\r\n");
}

// Trap 53: it would kill the server.
TEST(CommandTest, AnEmptyNameIsRefusedBeforeSending) {
  EXPECT_THAT(Refused(CreateFunction{""}), HasSubstr("the function is empty"));
  EXPECT_THAT(Refused(DropFunction{""}), HasSubstr("the function is empty"));
  EXPECT_THAT(Refused(MaxQueue{""}), HasSubstr("the function is empty"));
  EXPECT_THAT(Refused(CancelJob{""}), HasSubstr("the handle is empty"));
}

// Trap 54.
TEST(CommandTest, ANameThatIsMoreThanOneWordIsRefusedBeforeSending) {
  for (const std::string& name :
       {std::string("a b"), std::string("a\nb"), std::string("a\r"),
        std::string(" "), std::string("a\0b", 3)}) {
    EXPECT_THAT(Refused(CreateFunction{name}), StartsWith("create function"));
    EXPECT_THAT(Refused(DropFunction{name}), StartsWith("drop function"));
    EXPECT_THAT(Refused(MaxQueue{name}), StartsWith("maxqueue"));
    EXPECT_THAT(Refused(CancelJob{name}), StartsWith("cancel job"));
  }
  EXPECT_THAT(Refused(CreateFunction{"ab c"}),
              AllOf(HasSubstr("\"ab c\""), HasSubstr("at byte 2")));
}

TEST(CommandTest, TabsPercentSignsAndColonsAreNoSpaces) {
  EXPECT_EQ(Encoded(CreateFunction{"a%s::c"}), "create function a%s::c\r\n");
  EXPECT_EQ(Encoded(MaxQueue{"a\tb%s::c"}), "maxqueue a\tb%s::c 0\r\n");
}

// A function may have got its name elsewhere, and can be dropped.
TEST(CommandTest, AFunctionThatListsCantShowIsNotCreated) {
  for (const support::HostileName& name : support::HostileNames()) {
    if (name.listable) continue;
    EXPECT_THAT(Refused(CreateFunction{name.name}),
                StartsWith("create function"));
    if (name.name.find_first_of(" \r\n") == std::string::npos) {
      EXPECT_EQ(Encoded(DropFunction{name.name}),
                "drop function " + name.name + "\r\ngetpid\r\n");
    }
  }
}

TEST(CommandTest, ANameThatMakesALineTooLongIsRefused) {
  const std::string longest(kMaxLineBytes - 16 - 2, 'f');
  EXPECT_EQ(Encoded(CreateFunction{longest}).size(), kMaxLineBytes);
  EXPECT_THAT(Refused(CreateFunction{longest + "f"}),
              AllOf(HasSubstr("8193"), HasSubstr("8192")));
}

TEST(CommandTest, IsReadBackAsWhatItWas) {
  EXPECT_TRUE(std::holds_alternative<ShowStatus>(Parsed("status\r")));
  EXPECT_TRUE(
      std::holds_alternative<ShowPriorityStatus>(Parsed("PriorityStatus")));
  EXPECT_TRUE(std::holds_alternative<ShowWorkers>(Parsed("WORKERS")));
  EXPECT_TRUE(std::holds_alternative<ShowJobs>(Parsed("show jobs")));
  EXPECT_TRUE(
      std::holds_alternative<ShowUniqueJobs>(Parsed("Show Unique Jobs")));
  EXPECT_TRUE(std::holds_alternative<GetVersion>(Parsed("version")));
  EXPECT_TRUE(std::holds_alternative<GetPid>(Parsed("getpid")));
  EXPECT_TRUE(std::holds_alternative<GetVerbosity>(Parsed("verbose")));
  EXPECT_EQ(std::get<CreateFunction>(Parsed("create function F\r")).function,
            "F");
  EXPECT_EQ(std::get<DropFunction>(Parsed("drop function F")).function, "F");
  EXPECT_EQ(std::get<CancelJob>(Parsed("cancel job H:1")).handle, "H:1");
}

TEST(CommandTest, LimitsOfAQueueAreOneOrThree) {
  const auto all = std::get<MaxQueue>(Parsed("maxqueue f 7"));
  EXPECT_EQ(all.function, "f");
  EXPECT_EQ(all.high, 7u);
  EXPECT_EQ(all.low, 7u);
  const auto each = std::get<MaxQueue>(Parsed("maxqueue f 3 2 1"));
  EXPECT_EQ(each.high, 3u);
  EXPECT_EQ(each.normal, 2u);
  EXPECT_EQ(each.low, 1u);
  EXPECT_EQ(std::get<MaxQueue>(Parsed("maxqueue f")).normal, 0u);
  EXPECT_EQ(std::get<MaxQueue>(Parsed("maxqueue f -4")).normal, 0u);
  EXPECT_EQ(std::get<MaxQueue>(Parsed("maxqueue f 99999999999")).normal,
            4294967295u);
}

TEST(CommandTest, WhatNoServerKnowsIsRefusedInItsWords) {
  EXPECT_EQ(Refusal("frobnicate"),
            "ERR UNKNOWN_COMMAND Unknown+server+commandfrobnicate\r\n");
  EXPECT_EQ(Refusal("shutdown"),
            "ERR UNKNOWN_COMMAND Unknown+server+commandshutdown\r\n");
  EXPECT_EQ(Refusal("show"),
            "ERR UNKNOWN_COMMAND Unknown+server+commandshow\r\n");
  EXPECT_EQ(Refusal("show pages"), "ERR UNKNOWN_SHOW_ARGUMENTS\r\n");
  EXPECT_EQ(Refusal("cancel"),
            "ERR UNKNOWN_COMMAND Unknown+server+commandcancel\r\n");
  EXPECT_EQ(Refusal("cancel task 3"), "ERR UNKNOWN_ERROR\r\n");
  EXPECT_THAT(Refusal("create"), StartsWith("ERR INVALID_ARGUMENTS "));
  EXPECT_THAT(Refusal("create function"), StartsWith("ERR INVALID_ARGUMENTS "));
  EXPECT_THAT(Refusal("drop f"), StartsWith("ERR INVALID_ARGUMENTS "));
  EXPECT_THAT(Refusal("maxqueue"), StartsWith("ERR INVALID_ARGUMENTS "));
}

TEST(CommandLineTest, IsSplitAtSpacesAndAtNothingElse) {
  EXPECT_THAT(Words("a b"), ElementsAre("a", "b"));
  EXPECT_THAT(Words("a   b"), ElementsAre("a", "b"));
  EXPECT_THAT(Words("a\tb c"), ElementsAre("a\tb", "c"));
  EXPECT_THAT(Words(" a"), ElementsAre("", "a"));
  EXPECT_THAT(Words("a "), ElementsAre("a", ""));
  EXPECT_THAT(Words(""), ElementsAre(""));
  EXPECT_THAT(Words("a\r"), ElementsAre("a"));
}

TEST(CommandLineTest, AWordEndsAtItsNul) {
  EXPECT_THAT(Words(absl::string_view("status\0x y", 10)),
              ElementsAre("status", "y"));
}

TEST(CommandLineTest, HasAtMostFiveWords) {
  EXPECT_THAT(Words("1 2 3 4 5"), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(Words("1 2 3 4 5 6"), ElementsAre("too many"));
}

}  // namespace
}  // namespace admin
}  // namespace gearman
