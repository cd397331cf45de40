// Traffic as lines of text, compared with golden texts.
#include "gearman/sdk/testing/recording_transport.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/testing/scripted_transport.h"
#include "gearman/sdk/testing/simulated_fleet.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

absl::StatusOr<std::string> Reverse(JobContext& context) {
  const absl::string_view data = context.job().data();
  return std::string(data.rbegin(), data.rend());
}

class RecordingTransportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fleet_.StartServer("jobs").ok());
    const auto worker = fleet_.StartWorker("worker", {"inproc://jobs"});
    ASSERT_TRUE(worker.ok()) << worker.status();
    ASSERT_TRUE((*worker)->Register("reverse", Reverse).ok());
    ClientOptions options =
        fleet_.ClientDefaults("client", {"recorded://jobs"});
    const auto inproc = options.transports->Find("inproc");
    ASSERT_TRUE(inproc.ok()) << inproc.status();
    ASSERT_TRUE(
        options.transports
            ->Register("recorded", std::make_shared<RecordingTransportFactory>(
                                       *inproc, "inproc", traffic_))
            .ok());
    auto client = fleet_.MakeClient(std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  void Run(std::string data) {
    CallOptions options;
    options.unique = "u1";
    EXPECT_TRUE(client_->Run("reverse", std::move(data), options).ok());
  }

  SimulatedFleet fleet_{1};
  const std::shared_ptr<Traffic> traffic_ = std::make_shared<Traffic>();
  std::unique_ptr<Client> client_;
};

TEST_F(RecordingTransportTest, AJobIsALineForEachPacket) {
  Run("hello");
  EXPECT_EQ(traffic_->Difference(R"(
      > OPTION_REQ *
      > SUBMIT_JOB function="reverse" unique="u1" data="hello"
      < OPTION_RES *
      < JOB_CREATED handle="H:jobs.1:1"
      < WORK_COMPLETE handle="H:jobs.1:1" data="olleh"
  )"),
            "");
}

TEST_F(RecordingTransportTest, TheDifferenceNamesTheFirstLineAndShowsAll) {
  Run("hello");
  traffic_->Clear();
  Run("hello");
  const std::string difference = traffic_->Difference(R"(
      > SUBMIT_JOB function="reverse" unique="*" data="hello"
      < NOOP
  )");
  EXPECT_THAT(
      difference,
      AllOf(StartsWith("packet 2: expected < NOOP\n  but was < JOB_CREATED"),
            HasSubstr(traffic_->text())));
  EXPECT_THAT(traffic_->Difference(""),
              StartsWith("packet 1: expected no more packets"));
  EXPECT_THAT(traffic_->Difference(traffic_->text() + "< NOOP"),
              HasSubstr("but was the end of the traffic"));
  EXPECT_EQ(traffic_->Difference(traffic_->text()), "");
}

TEST_F(RecordingTransportTest, ALongValueIsCutAndAnyByteIsReadable) {
  Run("\x01\"" + std::string(100000, 'x'));
  const std::string text = traffic_->text();
  EXPECT_THAT(text, HasSubstr("data=\"\\x01\\x22xxx"));
  EXPECT_THAT(text, HasSubstr("x...\""));
  EXPECT_LT(text.size(), 2000);
}

TEST(TrafficTest, AStarStandsForAnyCharacters) {
  Traffic traffic;
  traffic.Add("> ECHO_REQ data=\"abcabd\"");
  for (const char* golden :
       {"*", "> ECHO_REQ *", "*abd\"", "> *_REQ data=\"*\"", "*ab*ab*",
        "> ECHO_REQ data=\"abcabd\"*", "**"}) {
    EXPECT_EQ(traffic.Difference(golden), "") << golden;
  }
  for (const char* golden : {"ECHO_REQ *", "*abc", "*abd*abc*", "> *x*", ">"}) {
    EXPECT_NE(traffic.Difference(golden), "") << golden;
  }
}

TEST(RecordingTransportAloneTest, PacketsInPiecesAreWholeLines) {
  auto script = std::make_shared<TransportScript>();
  const auto traffic = std::make_shared<Traffic>();
  for (const std::string& piece :
       support::InPieces(support::ResponsePacket(8, {"H:1"}), 5)) {
    script->Give(piece);
  }
  script->Give("no packet at all");
  RecordingTransport transport(std::make_unique<ScriptedTransport>(script),
                               traffic);
  char buffer[64];
  while (!script->Finished()) {
    ASSERT_TRUE(transport.Read(absl::MakeSpan(buffer)).done());
  }
  EXPECT_THAT(traffic->lines(), ElementsAre("< JOB_CREATED handle=\"H:1\"",
                                            StartsWith("< no packet: ")));
}

}  // namespace
}  // namespace testing
}  // namespace gearman
