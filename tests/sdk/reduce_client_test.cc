// A client's reduce jobs (CallOptions::reducer), with servers played by hand.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/body_sources.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kSubmitReduceJob = 37;
constexpr uint32_t kSubmitReduceJobBackground = 38;

JobSpec ReduceSpec() {
  JobSpec spec("map", "data");
  spec.options.unique = "u";
  spec.options.reducer = "join";
  return spec;
}

class ReduceClientTest : public ClientTest {
 protected:
  // The status of a job that is refused before anything is sent.
  absl::Status Refusal(JobSpec spec) {
    const auto client = MakeClient();
    const JobRequest request = client->SubmitJob(std::move(spec));
    EXPECT_TRUE(request.finished());
    return request.status();
  }
};

TEST_F(ReduceClientTest, SendsTheReducerAndTheArgumentThatNobodyUses) {
  const auto client = MakeClient();
  JobSpec background = ReduceSpec();
  background.background = true;
  const std::vector<JobRequest> requests =
      client->SubmitMultipleJobs({ReduceSpec(), background});
  PlayedServer server(&listener_);
  const std::string body("map\0u\0join\0\0data", 16);
  EXPECT_EQ(server.ReceiveBody(kSubmitReduceJob), body);
  EXPECT_EQ(server.ReceiveBody(kSubmitReduceJobBackground), body);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kJobCreated, {"H:2"});
  server.Send(kWorkComplete, {"H:1", "done"});
  EXPECT_TRUE(client->WaitUntilJobsCompleted(requests, kLong).ok());
  EXPECT_EQ(requests[0].result(), "done");
  EXPECT_EQ(requests[1].handle(), "H:2");
}

TEST_F(ReduceClientTest, SendsTheReducerOfAJobWhoseDataComesFromASource) {
  const auto client = MakeClient();
  const std::string head("map\0u\0join\0\0", 12);
  constexpr size_t kSize = 100000;
  for (const bool background : {false, true}) {
    JobSpec spec = ReduceSpec();
    spec.data.clear();
    spec.body = std::make_shared<testing::PatternSource>(kSize);
    spec.background = background;
    client->SubmitJob(std::move(spec));
  }
  PlayedServer server(&listener_);
  for (const uint32_t type : {kSubmitReduceJob, kSubmitReduceJobBackground}) {
    EXPECT_TRUE(server.ReceiveBody(type) ==
                head + testing::PatternBytes(0, kSize));
  }
}

TEST_F(ReduceClientTest, PutsItsPrefixBeforeTheReducerToo) {
  ClientOptions options = Options();
  options.task_prefix = "ns:";
  const auto client = MakeClient(std::move(options));
  const JobRequest request = client->SubmitJob(ReduceSpec());
  PlayedServer server(&listener_);
  EXPECT_EQ(server.ReceiveBody(kSubmitReduceJob),
            std::string("ns:map\0u\0ns:join\0\0data", 22));
}

// The packet has no other.
TEST_F(ReduceClientTest, HasNormalPriorityWhateverTheClientsIs) {
  ClientOptions options = Options();
  options.priority = Priority::kHigh;
  const auto client = MakeClient(std::move(options));
  const JobRequest request = client->SubmitJob(ReduceSpec());
  EXPECT_EQ(request.priority(), Priority::kNone);
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitReduceJob);
}

TEST_F(ReduceClientTest, RefusesWhatNoReduceJobCanHave) {
  JobSpec delayed = ReduceSpec();
  delayed.options.run_at = absl::FromUnixSeconds(4000000000);
  JobSpec urgent = ReduceSpec();
  urgent.options.priority = Priority::kHigh;
  JobSpec line = ReduceSpec();
  line.options.reducer = "a\nb";
  JobSpec longest = ReduceSpec();
  longest.options.reducer = std::string(65, 'r');
  for (const JobSpec& spec : {delayed, urgent, line, longest}) {
    const absl::Status status = Refusal(spec);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(status.ToString(), HasSubstr("reducer"));
  }
}

TEST_F(ReduceClientTest, TakesAReducerOf64BytesWithThePrefix) {
  ClientOptions options = Options();
  options.task_prefix = "ns:";
  const auto client = MakeClient(std::move(options));
  JobSpec spec = ReduceSpec();
  spec.options.reducer = std::string(62, 'r');
  EXPECT_TRUE(absl::IsInvalidArgument(client->SubmitJob(spec).status()));
  spec.options.reducer = std::string(61, 'r');
  const JobRequest request = client->SubmitJob(spec);
  PlayedServer server(&listener_);
  EXPECT_THAT(server.ReceiveBody(kSubmitReduceJob), HasSubstr("ns:rrr"));
}

TEST_F(ReduceClientTest, TheReducerCountsForTheLargestPacket) {
  ClientOptions options = Options();
  // JOB_ASSIGN_ALL with the longest handle, and not a byte more.
  options.limits.max_packet_bytes = 12 + 64 + 4 + 2 + 5 + 4;
  const auto client = MakeClient(std::move(options));
  JobSpec spec = ReduceSpec();
  spec.options.reducer = "join2";
  EXPECT_TRUE(absl::IsInvalidArgument(client->SubmitJob(spec).status()));
  const JobRequest request = client->SubmitJob(ReduceSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitReduceJob);
}

TEST_F(ReduceClientTest, JobsOfOtherReducersAreNotJoinedByTheirPayloads) {
  ClientOptions options = Options();
  options.unique_mode = UniqueMode::kPayload;
  const auto client = MakeClient(std::move(options));
  JobSpec spec = ReduceSpec();
  spec.options.unique.reset();
  const JobRequest first = client->SubmitJob(spec);
  const JobRequest equal = client->SubmitJob(spec);
  spec.options.reducer = "add";
  const JobRequest other = client->SubmitJob(spec);
  spec.options.reducer.clear();
  const JobRequest plain = client->SubmitJob(spec);
  EXPECT_EQ(first.unique(), equal.unique());
  EXPECT_NE(first.unique(), other.unique());
  EXPECT_NE(first.unique(), plain.unique());
  EXPECT_NE(other.unique(), plain.unique());
}

TEST_F(ReduceClientTest, AnErrorOfAServerThatKnowsNoReduceJobsSaysSo) {
  const auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReduceSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitReduceJob);
  server.Send(kError, {"server_error", "no such packet"});
  const absl::Status status = client->Wait(request, kLong);
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_EQ(request.state(), JobState::kFailed);
  EXPECT_THAT(status.ToString(), HasSubstr("SUBMIT_REDUCE_JOB"));
}

TEST_F(ReduceClientTest, AServerThatClosesMayKnowNoReduceJobs) {
  const auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReduceSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitReduceJob);
  server.Close();
  const absl::Status status = client->Wait(request, kLong);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(status.ToString(), HasSubstr("SUBMIT_REDUCE_JOB"));
}

// Another job's failure says nothing of it.
TEST_F(ReduceClientTest, AnErrorForAPlainJobDoesNotSpeakOfReduceJobs) {
  const auto client = MakeClient();
  const JobRequest request = client->SubmitJob(ReverseSpec());
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  server.Send(kError, {"server_error", "no such packet"});
  const absl::Status status = client->Wait(request, kLong);
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_EQ(status.ToString().find("REDUCE"), std::string::npos) << status;
}

}  // namespace
}  // namespace gearman
