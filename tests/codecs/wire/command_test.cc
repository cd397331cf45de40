#include "gearman/codecs/wire/command.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

// The table of the protocol's packets as its description has it: number, name,
// way (C client, W worker, S server; `-` for none), arguments, "data" for an
// opaque last one.
constexpr absl::string_view kPackets = R"(
 1 | CAN_DO                       | W>S      | function
 2 | CANT_DO                      | W>S      | function
 3 | RESET_ABILITIES              | W>S      |
 4 | PRE_SLEEP                    | W>S      |
 5 | UNUSED_5                     | -        |
 6 | NOOP                         | S>W      |
 7 | SUBMIT_JOB                   | C>S      | function, unique, data
 8 | JOB_CREATED                  | S>C      | handle
 9 | GRAB_JOB                     | W>S      |
10 | NO_JOB                       | S>W      |
11 | JOB_ASSIGN                   | S>W      | handle, function, data
12 | WORK_STATUS                  | W>S, S>C | handle, numerator, denominator
13 | WORK_COMPLETE                | W>S, S>C | handle, data
14 | WORK_FAIL                    | W>S, S>C | handle
15 | GET_STATUS                   | C>S      | handle
16 | ECHO_REQ                     | C>S, W>S | data
17 | ECHO_RES                     | S>C, S>W | data
18 | SUBMIT_JOB_BG                | C>S      | function, unique, data
19 | ERROR                        | S>C, S>W | code, data
20 | STATUS_RES                   | S>C      | handle, known, running, numerator, denominator
21 | SUBMIT_JOB_HIGH              | C>S      | function, unique, data
22 | SET_CLIENT_ID                | W>S      | id
23 | CAN_DO_TIMEOUT               | W>S      | function, timeout
24 | ALL_YOURS                    | W>S      |
25 | WORK_EXCEPTION               | W>S, S>C | handle, data
26 | OPTION_REQ                   | C>S, W>S | option
27 | OPTION_RES                   | S>C, S>W | option
28 | WORK_DATA                    | W>S, S>C | handle, data
29 | WORK_WARNING                 | W>S, S>C | handle, data
30 | GRAB_JOB_UNIQ                | W>S      |
31 | JOB_ASSIGN_UNIQ              | S>W      | handle, function, unique, data
32 | SUBMIT_JOB_HIGH_BG           | C>S      | function, unique, data
33 | SUBMIT_JOB_LOW               | C>S      | function, unique, data
34 | SUBMIT_JOB_LOW_BG            | C>S      | function, unique, data
35 | SUBMIT_JOB_SCHED             | C>S      | function, unique, minute, hour, day_of_month, month, day_of_week, data
36 | SUBMIT_JOB_EPOCH             | C>S      | function, unique, epoch, data
37 | SUBMIT_REDUCE_JOB            | C>S      | function, unique, reducer, unused, data
38 | SUBMIT_REDUCE_JOB_BACKGROUND | C>S      | function, unique, reducer, unused, data
39 | GRAB_JOB_ALL                 | W>S      |
40 | JOB_ASSIGN_ALL               | S>W      | handle, function, unique, reducer, data
41 | GET_STATUS_UNIQUE            | C>S      | unique
42 | STATUS_RES_UNIQUE            | S>C      | unique, known, running, numerator, denominator, client_count
)";

// A row of the table in code, written as above.
std::string Row(const CommandInfo& info) {
  std::vector<std::string> ways;
  if (info.client_to_server) ways.push_back("C>S");
  if (info.worker_to_server) ways.push_back("W>S");
  if (info.server_to_client) ways.push_back("S>C");
  if (info.server_to_worker) ways.push_back("S>W");
  std::vector<std::string> arguments;
  for (size_t i = 0; i < info.argument_count; ++i) {
    arguments.emplace_back(info.arguments[i]);
  }
  if (info.has_data) arguments.push_back("data");
  return absl::StrCat(static_cast<uint32_t>(info.command), "|", info.name, "|",
                      ways.empty() ? "-" : absl::StrJoin(ways, ", "), "|",
                      absl::StrJoin(arguments, ", "));
}

std::string WithoutPadding(absl::string_view row) {
  std::vector<std::string> cells = absl::StrSplit(row, '|');
  for (std::string& cell : cells) absl::StripAsciiWhitespace(&cell);
  return absl::StrJoin(cells, "|");
}

TEST(CommandTest, TableIsThatOfTheProtocol) {
  const std::vector<std::string> rows =
      absl::StrSplit(kPackets, '\n', absl::SkipEmpty());
  ASSERT_EQ(rows.size(), Commands().size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(Row(Commands()[i]), WithoutPadding(rows[i]));
  }
}

TEST(CommandTest, NamesWhatNobodyImplements) {
  std::vector<std::string> never;
  for (const CommandInfo& info : Commands()) {
    if (info.never_implemented) never.emplace_back(info.name);
  }
  EXPECT_EQ(never, (std::vector<std::string>{"UNUSED_5", "ALL_YOURS",
                                             "SUBMIT_JOB_SCHED"}));
}

TEST(CommandTest, IsFoundByItsNumber) {
  for (uint32_t number = 1; number <= kLastCommand; ++number) {
    const CommandInfo* const info = FindCommand(number);
    ASSERT_NE(info, nullptr) << number;
    EXPECT_EQ(static_cast<uint32_t>(info->command), number);
    EXPECT_EQ(CommandName(number), info->name);
  }
}

TEST(CommandTest, IsNotFoundByAnyOtherNumber) {
  for (const uint32_t number : {0u, 43u, 1000u, 65535u}) {
    EXPECT_EQ(FindCommand(number), nullptr) << number;
    EXPECT_EQ(CommandName(number), "UNKNOWN") << number;
  }
}

TEST(CommandTest, GoesToTheServerFromClientOrWorker) {
  for (const CommandInfo& info : Commands()) {
    EXPECT_EQ(info.to_server(), info.client_to_server || info.worker_to_server);
  }
}

TEST(HeaderTest, IsMagicTypeAndSizeInBigEndian) {
  char bytes[kHeaderBytes];
  WriteHeader({/*response=*/false, 7, 0x01020304}, bytes);
  EXPECT_EQ(std::string(bytes, sizeof(bytes)),
            std::string("\0REQ\0\0\0\x07\x01\x02\x03\x04", 12));
  WriteHeader({/*response=*/true, 0x01020304, 0xffffffff}, bytes);
  EXPECT_EQ(std::string(bytes, sizeof(bytes)),
            std::string("\0RES\x01\x02\x03\x04\xff\xff\xff\xff", 12));
}

TEST(HeaderTest, ReadsWhatItWrites) {
  for (const bool response : {false, true}) {
    for (const uint32_t number : {0u, 1u, 42u, 65535u}) {
      char bytes[kHeaderBytes];
      WriteHeader({response, number, ~number}, bytes);
      Header header;
      ASSERT_TRUE(ReadHeader(bytes, &header));
      EXPECT_EQ(header.response, response);
      EXPECT_EQ(header.type, number);
      EXPECT_EQ(header.body_bytes, ~number);
    }
  }
}

TEST(HeaderTest, RefusesEveryOtherMagic) {
  Header header;
  for (const char* magic : {"\0REX", "REQ\0", "\0req", "GET ", "\1REQ"}) {
    std::string bytes(magic, 4);
    bytes.resize(kHeaderBytes);
    EXPECT_FALSE(ReadHeader(bytes.data(), &header));
  }
}

}  // namespace
}  // namespace wire
}  // namespace gearman
