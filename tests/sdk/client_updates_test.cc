// The updates of a request, against a server played by hand.
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_fixture.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = JobUpdate::Kind;

class ClientUpdatesTest : public ClientTest {
 protected:
  JobRequest Accepted(JobSpec spec = ReverseSpec()) {
    const JobRequest request = client_->SubmitJob(std::move(spec));
    server_ = std::make_unique<PlayedServer>(&listener_);
    server_->ReceiveBody(kSubmitJob);
    server_->Send(kJobCreated, {"H:1"});
    return request;
  }

  std::unique_ptr<Client> client_ = MakeClient();
  std::unique_ptr<PlayedServer> server_;
};

TEST_F(ClientUpdatesTest, AreInOneOrderOfArrivalWithTheirTimes) {
  const absl::Time before = Clock::Real()->Now();
  const JobRequest request = Accepted();
  EXPECT_THAT(request.updates(), IsEmpty());
  EXPECT_FALSE(request.TakeUpdate().has_value());
  server_->Send(kWorkStatus, {"H:1", "1", "4"});
  server_->Send(kWorkData, {"H:1", "one"});
  server_->Send(kWorkWarning, {"H:1", "careful"});
  server_->Send(kWorkStatus, {"H:1", "3", "4"});
  server_->Send(kWorkData, {"H:1", "two"});
  server_->Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client_->Wait(request, kLong).ok());

  const std::vector<JobUpdate> updates = request.updates();
  ASSERT_THAT(updates, SizeIs(5));
  std::vector<std::string> texts;
  absl::Time last = before;
  for (const JobUpdate& update : updates) {
    texts.push_back(
        update.kind == Kind::kStatus
            ? absl::StrCat(update.numerator, "/", update.denominator)
            : update.data);
    EXPECT_GE(update.time_received, last);
    last = update.time_received;
  }
  EXPECT_LE(last, Clock::Real()->Now());
  EXPECT_THAT(texts, ElementsAre("1/4", "one", "careful", "3/4", "two"));
  EXPECT_EQ(updates[2].kind, Kind::kWarning);
}

TEST_F(ClientUpdatesTest, AreTakenOfOneKindOrOfAll) {
  const JobRequest request = Accepted();
  server_->Send(kWorkData, {"H:1", "one"});
  server_->Send(kWorkStatus, {"H:1", "1", "4"});
  server_->Send(kWorkWarning, {"H:1", "careful"});
  server_->Send(kWorkData, {"H:1", "two"});
  server_->Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client_->Wait(request, kLong).ok());
  EXPECT_EQ(request.TakeWarningUpdate(), "careful");
  EXPECT_EQ(request.TakeUpdate()->data, "one");
  EXPECT_THAT(request.data_updates(), ElementsAre("two"));
  EXPECT_EQ(request.TakeDataUpdate(), "two");
  EXPECT_THAT(request.updates(), SizeIs(1));
  EXPECT_EQ(request.TakeUpdate()->numerator, 1);
  EXPECT_FALSE(request.TakeUpdate().has_value());
  EXPECT_FALSE(request.TakeDataUpdate().has_value());
  EXPECT_FALSE(request.TakeWarningUpdate().has_value());
  // The newest status stays.
  EXPECT_EQ(request.job_status().numerator, 1);
}

TEST_F(ClientUpdatesTest, EveryStatusIsKeptUntilItIsTaken) {
  const JobRequest request = Accepted();
  for (const char* const numerator : {"1", "2", "3"}) {
    server_->Send(kWorkStatus, {"H:1", numerator, "4"});
  }
  server_->Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client_->Wait(request, kLong).ok());
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  using Report = std::pair<int64_t, int64_t>;
  EXPECT_THAT(request.status_updates(),
              ElementsAre(Report(1, 4), Report(2, 4), Report(3, 4)));
  request.TakeUpdate();
  EXPECT_THAT(request.status_updates(),
              ElementsAre(Report(2, 4), Report(3, 4)));
#pragma GCC diagnostic pop
}

TEST_F(ClientUpdatesTest, AStatusWithACallbackIsNotKept) {
  JobSpec spec = ReverseSpec();
  int reports = 0;
  spec.options.callbacks.on_status = [&](const JobRequest&, const JobStatus&) {
    ++reports;
  };
  const JobRequest request = Accepted(std::move(spec));
  server_->Send(kWorkStatus, {"H:1", "1", "4"});
  server_->Send(kWorkData, {"H:1", "one"});
  server_->Send(kWorkComplete, {"H:1", ""});
  ASSERT_TRUE(client_->Wait(request, kLong).ok());
  EXPECT_EQ(reports, 1);
  EXPECT_THAT(request.updates(), SizeIs(1));
  EXPECT_EQ(request.job_status().denominator, 4);
}

// The question is sent while the request has no handle. The server accepts the
// job before it answers.
TEST_F(ClientUpdatesTest, AStatusAskedByUniqueHasTheHandle) {
  const JobRequest request = client_->SubmitJob(ReverseSpec("report"));
  PlayedServer server(&listener_);
  server.ReceiveBody(kSubmitJob);
  absl::StatusOr<JobStatus> status = absl::UnknownError("not asked");
  std::thread thread([&] { status = client_->GetJobStatus(request, kLong); });
  server.ReceiveBody(kGetStatusUnique);
  server.Send(kJobCreated, {"H:1"});
  server.Send(kStatusResUnique, {"report", "1", "1", "2", "4", "1"});
  thread.join();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->handle, "H:1");
  EXPECT_EQ(status->numerator, 2);
  EXPECT_EQ(request.job_status().handle, "H:1");
  EXPECT_EQ(request.job_status().client_count, 1);
}

}  // namespace
}  // namespace gearman
