#include "gearman/codecs/wire/encoder.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

using support::RequestPacket;
using support::ResponsePacket;

constexpr absl::string_view kNul("a\0b", 3);

// The packet of a message that is right.
template <typename... Args>
std::string Encoded(Args&&... args) {
  OutputBuffer out;
  const absl::Status status = Encode(std::forward<Args>(args)..., out);
  EXPECT_TRUE(status.ok()) << status;
  return Drain(out);
}

// `message` is refused with a text that holds each of `parts`, and nothing is
// written.
template <typename Message>
void ExpectRefused(Message&& message,
                   const std::vector<absl::string_view>& parts) {
  OutputBuffer out;
  const absl::Status status = Encode(std::forward<Message>(message), out);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  for (const absl::string_view part : parts) {
    EXPECT_TRUE(absl::StrContains(status.message(), part))
        << "'" << status.message() << "' lacks '" << part << "'";
  }
  EXPECT_EQ(out.total_appended(), 0u);
}

SubmitJob Submit(absl::string_view function, absl::string_view unique,
                 absl::string_view data) {
  SubmitJob message;
  message.function = function;
  message.unique = unique;
  message.data = Payload::View(data);
  return message;
}

// --- packets ----------------------------------------------------------------

template <typename Receiver>
void ExpectEachExampleEncodes() {
  for (const Example<Receiver>& example : Examples<Receiver>()) {
    OutputBuffer out;
    ASSERT_TRUE(EncodeTo(example.message, out).ok()) << example.name;
    EXPECT_EQ(Drain(out), example.packet) << example.name;
  }
}

TEST(EncoderTest, WritesEveryPacketToAServer) {
  ExpectEachExampleEncodes<ToServer>();
}

TEST(EncoderTest, WritesEveryPacketToAClient) {
  ExpectEachExampleEncodes<ToClient>();
}

TEST(EncoderTest, WritesEveryPacketToAWorker) {
  ExpectEachExampleEncodes<ToWorker>();
}

TEST(EncoderTest, ExamplesCoverEveryPacketThatMayTravel) {
  std::vector<bool> seen(kLastCommand + 1);
  const auto mark = [&seen](const auto& examples) {
    for (const auto& example : examples) {
      Header header;
      ASSERT_TRUE(ReadHeader(example.packet.data(), &header)) << example.name;
      seen[header.type] = true;
    }
  };
  mark(ExamplesToServer());
  mark(ExamplesToClient());
  mark(ExamplesToWorker());
  for (const CommandInfo& info : Commands()) {
    EXPECT_EQ(seen[static_cast<size_t>(info.command)],
              info.command != Command::kUnused5)
        << info.name;
  }
}

TEST(EncoderTest, WorkersPacketsCarryTheMagicOfTheirSender) {
  EXPECT_EQ(Encoded(WorkFail{"H:1"}), RequestPacket(14, {"H:1"}));
  OutputBuffer out;
  ASSERT_TRUE(Encode(WorkFail{"H:1"}, out, Sender::kServer).ok());
  EXPECT_EQ(Drain(out), ResponsePacket(14, {"H:1"}));
}

TEST(EncoderTest, AppendsBehindWhatIsThere) {
  OutputBuffer out;
  ASSERT_TRUE(Encode(PreSleep(), out).ok());
  ASSERT_TRUE(Encode(GrabJob(), out).ok());
  EXPECT_EQ(Drain(out), absl::StrCat(RequestPacket(4), RequestPacket(9)));
}

TEST(EncoderTest, ManyGrabsAreSoManyPackets) {
  OutputBuffer out;
  EncodeGrabs(GrabJob{GrabKind::kUnique}, 3, out);
  const std::string one = RequestPacket(30);
  EXPECT_EQ(Drain(out), absl::StrCat(one, one, one));
  EncodeGrabs(GrabJob(), 0, out);
  EXPECT_TRUE(out.empty());
}

TEST(EncoderTest, LeavesWhatIsThereWhenItRefuses) {
  OutputBuffer out;
  ASSERT_TRUE(Encode(PreSleep(), out).ok());
  EXPECT_FALSE(Encode(CanDo{kNul}, out).ok());
  EXPECT_EQ(Drain(out), RequestPacket(4));
}

TEST(EncoderTest, DoesNotCopyALargeOwnedPayload) {
  OutputBuffer out;
  std::string data(OutputBuffer::kExternalBytes, 'x');
  const char* const address = data.data();
  ASSERT_TRUE(Encode(WorkComplete{"H:1", Payload(std::move(data))}, out).ok());
  std::vector<absl::string_view> pieces(4);
  ASSERT_EQ(out.Gather(absl::MakeSpan(pieces)), 2u);
  EXPECT_EQ(pieces[1].data(), address);
}

TEST(EncoderTest, CopiesALargeBorrowedPayload) {
  OutputBuffer out;
  std::string data(OutputBuffer::kExternalBytes, 'x');
  ASSERT_TRUE(Encode(WorkComplete{"H:1", Payload::View(data)}, out).ok());
  const std::string expected = RequestPacket(13, {"H:1", data});
  data.assign(data.size(), '!');
  EXPECT_EQ(Drain(out), expected);
}

// --- traps ------------------------------------------------------------------

// Trap 2.
TEST(EncoderTest, TheNulBeforeEmptyDataIsSent) {
  EXPECT_EQ(Encoded(Submit("f", "u", "")),
            std::string("\0REQ\0\0\0\x07\0\0\0\x04"
                        "f\0u\0",
                        16));
  EXPECT_EQ(Encoded(WorkComplete{"H:1", {}}),
            std::string("\0REQ\0\0\0\x0d\0\0\0\x04H:1\0", 16));
}

// Trap 3.
TEST(EncoderTest, NulsInDataAreSent) {
  EXPECT_EQ(Encoded(Submit("f", "u", kNul)),
            RequestPacket(7, {"f", "u", std::string("a\0b", 3)}));
}

// Trap 3.
TEST(EncoderTest, ANulInAnyOtherArgumentIsRefused) {
  ExpectRefused(CanDo{kNul}, {"CAN_DO", "function", "a\\x00b", "NUL"});
  ExpectRefused(CanDoTimeout{kNul, "5"}, {"CAN_DO_TIMEOUT", "function", "NUL"});
  ExpectRefused(CantDo{kNul}, {"CANT_DO", "function", "NUL"});
  ExpectRefused(SetClientId{kNul}, {"SET_CLIENT_ID", "id", "NUL"});
  ExpectRefused(OptionRequest{kNul}, {"OPTION_REQ", "option", "NUL"});
  ExpectRefused(GetStatus{kNul}, {"GET_STATUS", "handle", "NUL"});
  ExpectRefused(GetStatusUnique{kNul}, {"GET_STATUS_UNIQUE", "unique", "NUL"});
  ExpectRefused(Submit(kNul, "u", ""), {"SUBMIT_JOB", "function", "NUL"});
  ExpectRefused(Submit("f", kNul, ""), {"SUBMIT_JOB", "unique", "NUL"});
  ExpectRefused(SubmitJobEpoch{kNul, "u", "1", {}},
                {"SUBMIT_JOB_EPOCH", "function", "NUL"});
  ExpectRefused(SubmitReduceJob{false, "f", "u", kNul, "", {}},
                {"SUBMIT_REDUCE_JOB", "reducer", "NUL"});
  ExpectRefused(SubmitReduceJob{true, "f", "u", "r", kNul, {}},
                {"SUBMIT_REDUCE_JOB_BACKGROUND", "unused", "NUL"});
  ExpectRefused(SubmitJobScheduled{"f", "u", "1", kNul, "1", "1", "1", {}},
                {"SUBMIT_JOB_SCHED", "hour", "NUL"});
  ExpectRefused(WorkStatus{kNul, "1", "2"}, {"WORK_STATUS", "handle", "NUL"});
  ExpectRefused(WorkStatus{"H:1", "1", kNul},
                {"WORK_STATUS", "denominator", "NUL"});
  ExpectRefused(WorkComplete{kNul, {}}, {"WORK_COMPLETE", "handle", "NUL"});
  ExpectRefused(WorkFail{kNul}, {"WORK_FAIL", "handle", "NUL"});
  ExpectRefused(WorkException{kNul, {}}, {"WORK_EXCEPTION", "handle", "NUL"});
  ExpectRefused(WorkData{kNul, {}}, {"WORK_DATA", "handle", "NUL"});
  ExpectRefused(WorkWarning{kNul, {}}, {"WORK_WARNING", "handle", "NUL"});
  // A server's.
  ExpectRefused(JobCreated{kNul}, {"JOB_CREATED", "handle", "NUL"});
  ExpectRefused(OptionResponse{kNul}, {"OPTION_RES", "option", "NUL"});
  ExpectRefused(Error{kNul, ""}, {"ERROR", "code", "NUL"});
  ExpectRefused(StatusResult{"H:1", "1", kNul, "", ""},
                {"STATUS_RES", "running", "NUL"});
  ExpectRefused(StatusResultUnique{"u", "1", "1", "", "", kNul},
                {"STATUS_RES_UNIQUE", "client_count", "NUL"});
  ExpectRefused(JobAssign{GrabKind::kPlain, "H:1", kNul, "", "", {}},
                {"JOB_ASSIGN:", "function", "NUL"});
  ExpectRefused(JobAssign{GrabKind::kUnique, "H:1", "f", kNul, "", {}},
                {"JOB_ASSIGN_UNIQ", "unique", "NUL"});
  ExpectRefused(JobAssign{GrabKind::kAll, "H:1", "f", "u", kNul, {}},
                {"JOB_ASSIGN_ALL", "reducer", "NUL"});
}

// Trap 4.
TEST(EncoderTest, ArgumentsOfMoreThan8180BytesAreRefused) {
  // With the NULs behind function and unique.
  const std::string longest(8180 - 2 - 1, 'f');
  const std::string packet = Encoded(Submit(longest, "u", "data"));
  EXPECT_EQ(packet.size(), 12u + 8180u + 4u);
  ExpectRefused(Submit(longest + "f", "u", "data"),
                {"SUBMIT_JOB", "function", "8181", "8180", "shorten"});
  // Without a NUL behind the last argument.
  EXPECT_EQ(Encoded(CanDo{std::string(8180, 'f')}).size(), 12u + 8180u);
  ExpectRefused(CanDo{std::string(8181, 'f')}, {"CAN_DO", "function", "8180"});
  ExpectRefused(OptionRequest{std::string(8181, 'o')},
                {"OPTION_REQ", "option", "8180"});
  ExpectRefused(SetClientId{std::string(8181, 'i')},
                {"SET_CLIENT_ID", "id", "8180"});
}

// Trap 4.
TEST(EncoderTest, TheLongestArgumentIsTheOneNamed) {
  ExpectRefused(
      SubmitReduceJob{
          false, std::string(4000, 'f'), "u", std::string(4200, 'r'), "", {}},
      {"the reducer", "8205"});
}

// Trap 4.
TEST(EncoderTest, DataMayBeLarger) {
  const std::string data(100000, 'x');
  EXPECT_EQ(Encoded(Submit("f", "u", data)),
            RequestPacket(7, {"f", "u", data}));
}

// Trap 6.
TEST(EncoderTest, AHandleOfSpacesTabsAndColonsIsSentAsItIs) {
  constexpr char kHandle[] = "H a\tb::c \xff:1";
  EXPECT_EQ(Encoded(GetStatus{kHandle}), RequestPacket(15, {kHandle}));
  EXPECT_EQ(Encoded(WorkComplete{kHandle, Payload::View("d")}),
            RequestPacket(13, {kHandle, "d"}));
}

// Trap 8.
TEST(EncoderTest, AStatusQueryOf64BytesIsRefused) {
  const std::string longest(63, 'x');
  EXPECT_EQ(Encoded(GetStatus{longest}), RequestPacket(15, {longest}));
  EXPECT_EQ(Encoded(GetStatusUnique{longest}), RequestPacket(41, {longest}));
  ExpectRefused(GetStatus{longest + "x"},
                {"GET_STATUS:", "handle", "64 bytes", "63", "shorten"});
  ExpectRefused(GetStatusUnique{longest + "x"},
                {"GET_STATUS_UNIQUE", "unique", "64 bytes", "63"});
}

// Trap 9.
TEST(EncoderTest, AnEpochBeyondInt64IsRefused) {
  for (const char* epoch : {"0", "1", "9223372036854775807"}) {
    EXPECT_EQ(Encoded(SubmitJobEpoch{"f", "u", epoch, {}}),
              RequestPacket(36, {"f", "u", epoch, ""}));
  }
  for (const char* epoch :
       {"9223372036854775808", "99999999999999999999", "-1", "", "soon", "1.5",
        " 1", "1 ", "+1", "0x10", "00000000000000000001"}) {
    ExpectRefused(SubmitJobEpoch{"f", "u", epoch, {}},
                  {"SUBMIT_JOB_EPOCH", "epoch", epoch, "9223372036854775807"});
  }
}

// Trap 9.
TEST(EncoderTest, ATimeoutBeyond32BitsIsRefused) {
  for (const char* timeout : {"0", "1000", "4294967295"}) {
    EXPECT_EQ(Encoded(CanDoTimeout{"f", timeout}),
              RequestPacket(23, {"f", timeout}));
  }
  for (const char* timeout :
       {"4294967296", "9999999999", "00000000100", "-5", "", "1s"}) {
    ExpectRefused(CanDoTimeout{"f", timeout},
                  {"CAN_DO_TIMEOUT", "timeout", timeout, "4294967295"});
  }
}

// Trap 10.
TEST(EncoderTest, AReduceSubmitCarriesFiveArguments) {
  const std::string packet =
      Encoded(SubmitReduceJob{false, "f", "u", "r", "", Payload::View("d")});
  EXPECT_EQ(packet.substr(kHeaderBytes), std::string("f\0u\0r\0\0d", 8));
}

// Trap 17.
TEST(EncoderTest, AUniqueOf64BytesIsRefused) {
  const std::string longest(63, 'u');
  const std::string too_long(64, 'u');
  EXPECT_EQ(Encoded(Submit("f", longest, "d")),
            RequestPacket(7, {"f", longest, "d"}));
  ExpectRefused(Submit("f", too_long, "d"),
                {"SUBMIT_JOB", "unique", "64 bytes", "63", "shorten"});
  SubmitJob high = Submit("f", too_long, "d");
  high.priority = Priority::kHigh;
  high.background = true;
  ExpectRefused(std::move(high), {"SUBMIT_JOB_HIGH_BG", "unique"});
  ExpectRefused(SubmitJobEpoch{"f", too_long, "1", {}},
                {"SUBMIT_JOB_EPOCH", "unique", "64 bytes"});
  ExpectRefused(SubmitReduceJob{false, "f", too_long, "r", "", {}},
                {"SUBMIT_REDUCE_JOB", "unique", "64 bytes"});
  ExpectRefused(SubmitJobScheduled{"f", too_long, "", "", "", "", "", {}},
                {"SUBMIT_JOB_SCHED", "unique", "64 bytes"});
}

TEST(EncoderTest, RefusesAHandleThatNoServerGives) {
  const std::string handle(64, 'h');
  ExpectRefused(WorkStatus{handle, "1", "2"}, {"WORK_STATUS", "handle", "63"});
  ExpectRefused(WorkComplete{handle, {}}, {"WORK_COMPLETE", "handle", "63"});
  ExpectRefused(WorkFail{handle}, {"WORK_FAIL", "handle", "63"});
  ExpectRefused(WorkException{handle, {}}, {"WORK_EXCEPTION", "handle", "63"});
  ExpectRefused(WorkData{handle, {}}, {"WORK_DATA", "handle", "63"});
  ExpectRefused(WorkWarning{handle, {}}, {"WORK_WARNING", "handle", "63"});
}

TEST(EncoderTest, ShowsABoundedPartOfWhatItRefuses) {
  OutputBuffer out;
  const absl::Status status = Encode(CanDo{std::string(1 << 20, '\0')}, out);
  EXPECT_LT(status.message().size(), 600u);
}

}  // namespace
}  // namespace wire
}  // namespace gearman
