// Names that a peer or a careless program chooses: the client and the worker
// refuse those that would forge lists, and show every one of them as safe text.
#include "gearman/tests/support/hostile_names.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/job_id.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/status.h"
#include "gearman/sdk/worker.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::HostileName;
using support::HostileNames;
using ::testing::HasSubstr;

class HostileNamesTest : public ::testing::Test {
 protected:
  HostileNamesTest() {
    EXPECT_TRUE(
        transports_
            ->Register("inproc",
                       std::make_shared<InprocTransportFactory>(network_))
            .ok());
    JobServerOptions options;
    options.network = network_;
    options.transports = transports_;
    auto server = JobServer::Create(std::move(options));
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    EXPECT_TRUE(server_->Listen("inproc://jobs").ok());
  }
  // Client's, worker's or admin client's options.
  template <typename Options>
  Options Make() {
    Options options;
    options.transports = transports_;
    options.logger =
        Logger(LogLevel::kDebug, [this](LogLevel, absl::string_view line) {
          EXPECT_TRUE(IsSafeLine(line)) << line;
          ++logged_;
        });
    return options;
  }
  std::unique_ptr<Client> MakeClient() {
    ClientOptions options = Make<ClientOptions>();
    options.servers = {"inproc://jobs"};
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  std::unique_ptr<Worker> MakeWorker() {
    WorkerOptions options = Make<WorkerOptions>();
    options.servers = {"inproc://jobs"};
    auto worker = Worker::Create(std::move(options));
    EXPECT_TRUE(worker.ok()) << worker.status();
    return *std::move(worker);
  }
  // The status is INVALID_ARGUMENT exactly when the name is not listable. Its
  // message has the name and is one safe line.
  static void ExpectRefusedUnlessListable(const HostileName& name,
                                          const absl::Status& status) {
    EXPECT_EQ(status.ok(), name.listable) << status;
    if (status.ok()) return;
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(IsSafeLine(status.message())) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(name.safe));
  }

  const std::shared_ptr<InprocNetwork> network_ =
      std::make_shared<InprocNetwork>();
  const std::shared_ptr<TransportRegistry> transports_ =
      std::make_shared<TransportRegistry>();
  std::unique_ptr<JobServer> server_;
  std::atomic<int> logged_{0};
};

TEST_F(HostileNamesTest, AWorkerRegistersWhatListsCanShow) {
  const auto worker = MakeWorker();
  for (const HostileName& name : HostileNames()) {
    ExpectRefusedUnlessListable(
        name, worker->Register(name.name,
                               [](JobContext&) -> absl::StatusOr<std::string> {
                                 return std::string();
                               }));
    WorkerOptions options = Make<WorkerOptions>();
    options.client_id = name.name.substr(0, 100);
    EXPECT_EQ(Worker::Create(options).ok(), name.listable) << name.safe;
    options.client_id.clear();
    options.task_prefix = name.name;
    EXPECT_EQ(Worker::Create(options).ok(), name.listable) << name.safe;
  }
}

TEST_F(HostileNamesTest, AClientSubmitsWhatListsCanShow) {
  const auto client = MakeClient();
  size_t tasks = 0;
  for (const HostileName& name : HostileNames()) {
    const JobRequest request = client->SubmitBackgroundJob(name.name, "");
    client->WaitUntilJobsAccepted({request}).IgnoreError();
    ExpectRefusedUnlessListable(name, request.status());
    if (name.listable) ++tasks;
    ClientOptions options = Make<ClientOptions>();
    options.task_prefix = name.name;
    EXPECT_EQ(Client::Create(options).ok(), name.listable) << name.safe;
  }
  AdminClientOptions options = Make<AdminClientOptions>();
  options.server = "inproc://jobs";
  auto admin = AdminClient::Create(std::move(options));
  ASSERT_TRUE(admin.ok()) << admin.status();
  UnreadableRows unreadable;
  const auto rows = (*admin)->GetStatus(&unreadable);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->size(), tasks);
  EXPECT_EQ(unreadable.count, 0u);
  EXPECT_GT(logged_.load(), 0);
}

TEST_F(HostileNamesTest, AnAddressThatIsNoneIsShownAsOneLine) {
  const auto client = MakeClient();
  for (const HostileName& name : HostileNames()) {
    for (const absl::Status& status :
         {client->AddServer(name.name), client->RemoveServer(name.name),
          client->Echo("ping", name.name).status()}) {
      EXPECT_FALSE(status.ok());
      EXPECT_TRUE(IsSafeLine(status.message())) << status;
    }
  }
}

TEST_F(HostileNamesTest, AFunctionIsCreatedIfListsCanShowIt) {
  AdminClientOptions options = Make<AdminClientOptions>();
  options.server = "inproc://jobs";
  auto admin = AdminClient::Create(std::move(options));
  ASSERT_TRUE(admin.ok()) << admin.status();
  for (const HostileName& name : HostileNames()) {
    if (name.name.find(' ') != std::string::npos) continue;
    const absl::Status status = (*admin)->CreateFunction(name.name);
    EXPECT_EQ(status.ok(), name.listable) << status;
    EXPECT_TRUE(IsSafeLine(status.message())) << status;
  }
}

TEST_F(HostileNamesTest, FailuresShowTheTextOfAHandlerAsOneLine) {
  const auto worker = MakeWorker();
  const auto client = MakeClient();
  const std::vector<HostileName> names = HostileNames();
  size_t next = 0;
  ASSERT_TRUE(worker
                  ->Register("fail",
                             [&](JobContext&) -> absl::StatusOr<std::string> {
                               const std::string text = names[next].name + "\n";
                               if (++next == names.size()) worker->Stop();
                               return absl::AbortedError(text);
                             })
                  .ok());
  std::vector<JobRequest> requests;
  for (size_t i = 0; i < names.size(); ++i) {
    requests.push_back(client->SubmitJob("fail", ""));
  }
  ASSERT_TRUE(client->WaitUntilJobsAccepted(requests).ok());
  ASSERT_TRUE(worker->Run().ok());
  client->WaitUntilJobsCompleted(requests).IgnoreError();
  size_t i = 0;
  for (const JobRequest& request : requests) {
    const std::string message(request.status().message());
    EXPECT_TRUE(IsSafeLine(message)) << message;
    EXPECT_THAT(message,
                ::testing::EndsWith(SafeMessage(names[i].name + "\n")));
    // Nobody has changed the text itself.
    EXPECT_THAT(request.exception().value_or(""), HasSubstr(names[i].name));
    ++i;
  }
}

TEST_F(HostileNamesTest, MessagesNameATaskAsSafeText) {
  for (const HostileName& name : HostileNames()) {
    StatusFacts facts;
    facts.operation = "submit";
    facts.task = name.name;
    const absl::Status status =
        Annotate(absl::UnavailableError("refused"), facts);
    EXPECT_TRUE(IsSafeLine(status.message())) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(name.safe));
    EXPECT_EQ(GetStatusFacts(status).task, name.name);
  }
}

TEST_F(HostileNamesTest, AJobIdIsPrintableAndHasWhatItWasMadeOf) {
  for (const HostileName& name : HostileNames()) {
    JobId id;
    id.server = "tcp://jobs:4730";
    id.handle = name.name;
    id.unique = name.name;
    const std::string text = id.ToString();
    EXPECT_TRUE(IsSafeLine(text)) << text;
    const absl::StatusOr<JobId> parsed = JobId::Parse(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->handle, name.name);
    EXPECT_EQ(parsed->unique, name.name);
    const absl::Status wrong = JobId::Parse(name.name).status();
    EXPECT_TRUE(IsSafeLine(wrong.message())) << wrong;
  }
}

}  // namespace
}  // namespace gearman
