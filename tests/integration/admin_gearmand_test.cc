// AdminClient with a real gearmand: what it says is what gearadmin says.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class AdminGearmandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.ok());
    AdminClientOptions options;
    options.server = server_.address();
    options.transports = TcpOnly();
    auto admin = AdminClient::Create(std::move(options));
    ASSERT_TRUE(admin.ok()) << admin.status();
    admin_ = *std::move(admin);
    ClientOptions client_options;
    client_options.servers = {server_.address()};
    client_options.transports = TcpOnly();
    auto client = Client::Create(std::move(client_options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  JobRequest Submit(const std::string& task, const std::string& unique,
                    Priority priority = Priority::kNone) {
    CallOptions options;
    options.unique = unique;
    options.priority = priority;
    const JobRequest request = client_->SubmitBackgroundJob(task, "", options);
    EXPECT_TRUE(client_->WaitUntilJobsAccepted({request}, kLong).ok());
    return request;
  }
  // Returns the output of Debian's tool, without the end of a list.
  std::string Gearadmin(const std::string& option) {
    support::SubprocessOptions options;
    options.argv = {"gearadmin", "--host=127.0.0.1",
                    absl::StrCat("--port=", server_.port()), option};
    auto process = support::Subprocess::Start(std::move(options));
    EXPECT_TRUE(process.ok()) << process.status();
    EXPECT_TRUE((*process)->Wait().ok());
    std::vector<std::string> lines =
        absl::StrSplit((*process)->output(), '\n', absl::SkipEmpty());
    if (!lines.empty() && lines.back() == ".") lines.pop_back();
    return absl::StrJoin(lines, "\n");
  }

  support::GearmandProcess server_;
  std::unique_ptr<AdminClient> admin_;
  std::unique_ptr<Client> client_;
};

TEST_F(AdminGearmandTest, TellsWhatGearadminTells) {
  Submit("resize", "1");
  Submit("resize", "2", Priority::kHigh);
  const JobRequest mail = Submit("mail me 100%s%n", "3", Priority::kLow);

  std::vector<std::string> rows;
  const auto status = admin_->GetStatus();
  ASSERT_TRUE(status.ok()) << status.status();
  for (const FunctionStatus& row : *status) {
    rows.push_back(absl::StrCat(row.function, "\t", row.total, "\t",
                                row.running, "\t", row.workers));
  }
  EXPECT_THAT(rows, SizeIs(2));
  EXPECT_EQ(absl::StrJoin(rows, "\n"), Gearadmin("--status"));

  rows.clear();
  const auto priorities = admin_->GetPriorityStatus();
  ASSERT_TRUE(priorities.ok()) << priorities.status();
  for (const FunctionPriorityStatus& row : *priorities) {
    rows.push_back(absl::StrCat(row.function, "\t", row.high, "\t", row.normal,
                                "\t", row.low, "\t", row.workers));
  }
  EXPECT_EQ(absl::StrJoin(rows, "\n"), Gearadmin("--priority-status"));

  rows.clear();
  const auto jobs = admin_->GetJobs();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  for (const ServerJob& row : *jobs) {
    rows.push_back(absl::StrCat(row.handle, "\t", row.retries, "\t",
                                row.ignored ? 1 : 0, "\t",
                                row.background ? 1 : 0));
  }
  EXPECT_THAT(rows, SizeIs(3));
  EXPECT_EQ(absl::StrJoin(rows, "\n"), Gearadmin("--show-jobs"));
  EXPECT_EQ(absl::StrJoin(*admin_->GetUniqueJobs(), "\n"),
            Gearadmin("--show-unique-jobs"));

  EXPECT_THAT(Gearadmin("--server-version"), HasSubstr(*admin_->GetVersion()));
  EXPECT_EQ(*admin_->GetPid(), server_.pid());
  EXPECT_THAT(Gearadmin("--getpid"), HasSubstr(absl::StrCat(server_.pid())));
  EXPECT_THAT(Gearadmin("--server-verbose"),
              HasSubstr(*admin_->GetVerbosity()));

  EXPECT_TRUE(admin_->CancelJob(mail.job().handle()).ok());
  const auto cancelled = admin_->GetJobs();
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  for (const ServerJob& row : *cancelled) {
    EXPECT_EQ(row.ignored, row.handle == mail.job().handle()) << row.handle;
  }
}

TEST_F(AdminGearmandTest, ListsTheWorkersThatAreConnected) {
  WorkerOptions options;
  options.servers = {server_.address()};
  options.transports = TcpOnly();
  options.client_id = "worker one";
  auto worker = Worker::Create(std::move(options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  const auto echo = [](JobContext&) -> absl::StatusOr<std::string> {
    return "";
  };
  ASSERT_TRUE((*worker)->Register("f", echo).ok());
  ASSERT_TRUE((*worker)->Register("g", echo).ok());
  while ((*worker)->stats().grabs_no_job == 0) {
    (*worker)->RunOnce(absl::Now() + absl::Milliseconds(10));
  }
  const auto workers = admin_->GetWorkers();
  ASSERT_TRUE(workers.ok()) << workers.status();
  int found = 0;
  for (const ConnectedWorker& row : *workers) {
    if (row.id != "worker one") continue;
    ++found;
    EXPECT_EQ(row.peer, "127.0.0.1");
    EXPECT_THAT(row.functions, ElementsAre("g", "f"));
    EXPECT_THAT(
        Gearadmin("--workers"),
        HasSubstr(absl::StrCat(row.descriptor, " ", row.peer, " ", row.id,
                               " : ", absl::StrJoin(row.functions, " "))));
  }
  EXPECT_EQ(found, 1);
  EXPECT_EQ(admin_->DropFunction("f").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(AdminGearmandTest, SteersTheServer) {
  EXPECT_TRUE(admin_->CreateFunction("new").ok());
  EXPECT_EQ(admin_->GetStatus()->front().function, "new");
  EXPECT_TRUE(admin_->SetMaxQueue("new", 1).ok());
  Submit("new", "1");
  const JobRequest refused = client_->SubmitBackgroundJob("new", "");
  EXPECT_EQ(client_->WaitUntilJobsAccepted({refused}, kLong).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(admin_->SetMaxQueue("new", 10, 5, 0).ok());
  Submit("new", "2");
  EXPECT_EQ(admin_->DropFunction("unknown").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(*admin_->DropFunction("NEW"), 1);
  EXPECT_EQ(admin_->CancelJob("H:no:1").code(), absl::StatusCode::kNotFound);
  const absl::Status shutdown = admin_->Shutdown();
  EXPECT_EQ(shutdown.code(), absl::StatusCode::kUnimplemented) << shutdown;
  EXPECT_THAT(
      std::string(shutdown.message()),
      HasSubstr(absl::StrCat("send SIGTERM to its process ", server_.pid())));
}

TEST_F(AdminGearmandTest, SurvivesARestart) {
  EXPECT_THAT(*admin_->GetVersion(), ContainsRegex("^[0-9]+[.][0-9]+[.]"));
  server_.Kill();
  EXPECT_EQ(admin_->GetVersion().status().code(),
            absl::StatusCode::kUnavailable);
  ASSERT_TRUE(server_.Restart().ok());
  EXPECT_THAT(*admin_->GetVersion(), ContainsRegex("^[0-9]+[.][0-9]+[.]"));
}

}  // namespace
}  // namespace gearman
