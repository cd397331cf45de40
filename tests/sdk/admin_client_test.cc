// AdminClient with a server that the test plays by hand, and with the embedded
// one.
#include "gearman/sdk/admin_client.h"

#include <functional>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/log.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/test_certificates.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/tls/tls_options.h"
#include "gearman/transports/tls/tls_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AdminClientTest : public ::testing::Test {
 protected:
  ~AdminClientTest() override {
    // Ends a wait for a connection that no call has made.
    support::RawConnection::Connect(listener_.port()).status().IgnoreError();
    if (thread_.joinable()) thread_.join();
  }
  // A client of a server that answers the n-th line of each connection in turn
  // with the n-th of `answers`, in pieces, and then closes.
  std::unique_ptr<AdminClient> Play(
      std::vector<std::vector<std::string>> connections,
      absl::Duration timeout = absl::Seconds(30)) {
    thread_ = std::thread([this, connections = std::move(connections)] {
      for (const std::vector<std::string>& answers : connections) {
        auto connection = listener_.Accept();
        if (!connection.ok()) return;
        for (const std::string& answer : answers) {
          const auto line = connection->ReceiveLine();
          if (!line.ok()) break;
          lines_.push_back(*line);
          // A client whose time is over has gone, on a slow machine in the
          // middle of it.
          for (const char c : answer) {
            if (!connection->Send(absl::string_view(&c, 1)).ok()) break;
          }
        }
        if (hang_) connection->ReceiveUntilClosed().status().IgnoreError();
      }
    });
    AdminClientOptions options;
    options.server = listener_.address();
    options.timeout = timeout;
    options.logger = logger_;
    options.transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(options.transports
                    ->Register("tcp", std::make_shared<TcpTransportFactory>())
                    .ok());
    auto client = AdminClient::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  static std::string Text(const absl::Status& status) {
    return std::string(status.message());
  }

  support::RawListener listener_;
  Logger logger_;
  bool hang_ = false;  // after the last answer, until the client closes
  std::vector<std::string> lines_;
  std::thread thread_;
};

TEST_F(AdminClientTest, ReadsListsInWhateverPieces) {
  const auto client =
      Play({{"f\t2\t1\t3\nodd %s name\t0\t0\t0\n.\n", "f\t0\t1\t0\t3\n.\n",
             "12 127.0.0.1 - : f g\n13 ::1 me : \n.\n", "H:a:1\t2\t1\t0\n.\n",
             "u 1\n\n.\n", ".\n"}});
  const auto status = client->GetStatus();
  ASSERT_TRUE(status.ok()) << status.status();
  ASSERT_THAT(*status, SizeIs(2));
  EXPECT_EQ((*status)[0].function, "f");
  EXPECT_EQ((*status)[0].total, 2);
  EXPECT_EQ((*status)[0].running, 1);
  EXPECT_EQ((*status)[0].workers, 3);
  EXPECT_EQ((*status)[1].function, "odd %s name");
  const auto priorities = client->GetPriorityStatus();
  ASSERT_TRUE(priorities.ok()) << priorities.status();
  EXPECT_EQ((*priorities)[0].normal, 1);
  const auto workers = client->GetWorkers();
  ASSERT_TRUE(workers.ok()) << workers.status();
  EXPECT_THAT((*workers)[0].functions, ElementsAre("f", "g"));
  EXPECT_EQ((*workers)[1].id, "me");
  const auto jobs = client->GetJobs();
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  EXPECT_EQ((*jobs)[0].handle, "H:a:1");
  EXPECT_EQ((*jobs)[0].retries, 2);
  EXPECT_TRUE((*jobs)[0].ignored);
  EXPECT_THAT(*client->GetUniqueJobs(), ElementsAre("u 1", ""));
  EXPECT_THAT(*client->GetStatus(), IsEmpty());
  thread_.join();
  EXPECT_THAT(lines_, ElementsAre("status\r\n", "prioritystatus\r\n",
                                  "workers\r\n", "show jobs\r\n",
                                  "show unique jobs\r\n", "status\r\n"));
}

TEST_F(AdminClientTest, ReadsAHugeList) {
  std::string list;
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&list, "f", i, "\t1\t0\t0\n");
  const auto client = Play({{absl::StrCat(list, ".\n")}});
  const auto status = client->GetStatus();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_THAT(*status, SizeIs(3000));
  EXPECT_EQ(status->back().function, "f2999");
}

TEST_F(AdminClientTest, AListWithoutItsEndIsAnErrorAndNoHang) {
  hang_ = true;
  const auto client =
      Play({{"f\t2\t1\t3\n"}}, /*timeout=*/absl::Milliseconds(200));
  const absl::Status status = client->GetStatus().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_THAT(Text(status), AllOf(HasSubstr(listener_.address()),
                                  HasSubstr("no whole answer within 200ms")));
}

TEST_F(AdminClientTest, AListThatIsCutOffIsAnError) {
  const auto client = Play({{"f\t2\t1\t3\n"}});
  const absl::Status status = client->GetStatus().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(Text(status), HasSubstr("before its answer was whole"));
}

TEST_F(AdminClientTest, AnAnswerThatMakesNoSenseIsNamed) {
  const auto client = Play({{"what?\n.\n"}});
  const absl::Status status = client->GetStatus().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(Text(status), HasSubstr("a row of status was expected, got"));
}

TEST_F(AdminClientTest, RefusalsHaveTheirCodeAndText) {
  // A "getpid" follows each "drop function".
  const auto client =
      Play({{"ERR UNKNOWN_JOB\r\n", "ERR function not found\r\n", "OK 7\n",
             "ERR there are still connected workers or executing clients\r\n",
             "OK 7\n", "ERR UNKNOWN_COMMAND Unknown+server+command\r\n",
             "OK 1234\n", "ERR INVALID_ARGUMENTS incomplete+command\r\n",
             "ERR QUEUE_ERROR Too many functions\r\n"}});
  absl::Status status = client->CancelJob("H:a:1");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_EQ(Text(status), absl::StrCat(listener_.address(),
                                       " refuses \"cancel job\": UNKNOWN_JOB"));
  EXPECT_EQ(client->DropFunction("f").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(client->DropFunction("f").status().code(),
            absl::StatusCode::kFailedPrecondition);
  status = client->Shutdown(/*graceful=*/true);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
  EXPECT_THAT(Text(status), HasSubstr("send SIGUSR1 to its process 1234"));
  EXPECT_EQ(client->SetMaxQueue("f", 1).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client->CreateFunction("f").code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(AdminClientTest, NamesThatCantBeSentAreRefusedBeforeSending) {
  const auto client = Play({});
  for (const char* const name : {"", "a b", "a\nshutdown"}) {
    EXPECT_EQ(client->CreateFunction(name).code(),
              absl::StatusCode::kInvalidArgument)
        << name;
    EXPECT_EQ(client->CancelJob(name).code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
}

TEST_F(AdminClientTest, AQuestionIsAskedAgainWhenAKeptConnectionHasGone) {
  const auto client = Play({{"OK 1.1.20\n"}, {"OK 1.1.20\n"}});
  EXPECT_EQ(*client->GetVersion(), "1.1.20");
  // The server has closed it, sooner or later.
  const auto version = client->GetVersion();
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(*version, "1.1.20");
}

TEST_F(AdminClientTest, AServerThatIsNotThereIsNamed) {
  AdminClientOptions options;
  options.server = listener_.address();
  listener_.Close();
  options.transports = std::make_shared<TransportRegistry>();
  ASSERT_TRUE(options.transports
                  ->Register("tcp", std::make_shared<TcpTransportFactory>())
                  .ok());
  const auto client = AdminClient::Create(std::move(options));
  ASSERT_TRUE(client.ok()) << client.status();
  const absl::Status status = (*client)->GetVersion().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(Text(status), HasSubstr((*client)->server()));
}

TEST_F(AdminClientTest, DebugShowsCommandsAndTheSizeOfAnswers) {
  std::vector<std::string> lines;
  logger_ = Logger(
      LogLevel::kDebug,
      [&lines](LogLevel, absl::string_view line) { lines.emplace_back(line); });
  const auto client = Play({{"f\t2\t1\t3\n.\n"}});
  ASSERT_TRUE(client->GetStatus().ok());
  EXPECT_THAT(lines,
              ElementsAre(absl::StrCat("sent \"status\" to ",
                                       listener_.address(), ": 8 bytes"),
                          absl::StrCat("received 1 lines from ",
                                       listener_.address(), ": 7 bytes")));
}

TEST_F(AdminClientTest, RowsThatCanBeReadAreGivenWhateverStandsBetweenThem) {
  std::vector<std::string> lines;
  logger_ = Logger(LogLevel::kWarning, [&lines](LogLevel, absl::string_view l) {
    lines.emplace_back(l);
  });
  const std::string list =
      "a\t2\t1\t3\nforged \x1b[2J\n\t0\t0\t1\nb\t1\t0\t0\n.\n";
  const auto client = Play({{list, list, list}});
  auto rows = client->GetStatus();
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ(rows->at(0).function, "a");
  EXPECT_EQ(rows->at(2).function, "b");
  EXPECT_THAT(lines,
              ElementsAre(AllOf(HasSubstr(listener_.address()),
                                HasSubstr("1 row of its list can't be read"),
                                HasSubstr("\"forged \\x1b[2J\""))));
  // To a caller who asks for them the log says nothing.
  lines.clear();
  UnreadableRows unreadable;
  EXPECT_TRUE(client->GetStatus(&unreadable).ok());
  EXPECT_EQ(unreadable.count, 1u);
  EXPECT_EQ(unreadable.first, "forged \\x1b[2J");
  // Row by row.
  std::vector<std::string> visited;
  EXPECT_TRUE(client
                  ->VisitStatus(
                      [&visited](const FunctionStatus& row) {
                        visited.push_back(row.function);
                      },
                      &unreadable)
                  .ok());
  EXPECT_THAT(visited, ElementsAre("a", "", "b"));
  EXPECT_THAT(lines, ElementsAre());
}

// TLS, from the embedded server.
TEST_F(AdminClientTest, ACallThatWaitsForAnothersEndsInItsOwnTime) {
  hang_ = true;
  absl::Notification sent;
  absl::Notification go_on;
  // Holds the first call up.
  logger_ =
      Logger(LogLevel::kDebug, [&](LogLevel /*level*/, absl::string_view text) {
        if (!absl::StartsWith(text, "sent ")) return;
        sent.Notify();
        go_on.WaitForNotification();
      });
  const auto client = Play({{}}, absl::Milliseconds(100));
  std::thread first([&client] { client->GetVersion().status().IgnoreError(); });
  sent.WaitForNotification();
  const absl::Status status = client->GetVersion().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_THAT(Text(status),
              HasSubstr("another call had not ended within 100ms"));
  go_on.Notify();
  first.join();
}

TEST_F(AdminClientTest, CancelEndsTheCallsThatWait) {
  hang_ = true;
  const auto client = Play({{}}, absl::InfiniteDuration());
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&client] {
      EXPECT_EQ(client->GetVersion().status().code(),
                absl::StatusCode::kCancelled);
    });
  }
  client->Cancel();
  for (std::thread& caller : callers) caller.join();
}

TEST(AdminClientOverTls, AsksLikeOverAnyTransport) {
  support::TestCertificates certificates;
  const support::CertificateFiles files = certificates.Make("server");
  TlsServerOptions listen;
  listen.identity.certificate_file = files.certificate;
  listen.identity.key_file = files.key;
  TlsOptions connect;
  connect.ca_file = certificates.ca_file();
  auto transports = std::make_shared<TransportRegistry>();
  ASSERT_TRUE(transports
                  ->Register("tls", std::make_shared<TlsTransportFactory>(
                                        connect, listen))
                  .ok());
  JobServerOptions server_options;
  server_options.transports = transports;
  auto server = JobServer::Create(std::move(server_options));
  ASSERT_TRUE(server.ok()) << server.status();
  const auto address = (*server)->Listen("tls://127.0.0.1:0");
  ASSERT_TRUE(address.ok()) << address.status();
  AdminClientOptions options;
  options.server = *address;
  options.timeout = absl::Seconds(30);
  options.transports = transports;
  auto admin = AdminClient::Create(std::move(options));
  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_TRUE((*admin)->CreateFunction("resize").ok());
  const auto status = (*admin)->GetStatus();
  ASSERT_TRUE(status.ok()) << status.status();
  ASSERT_THAT(*status, SizeIs(1));
  EXPECT_EQ(status->front().function, "resize");
}

TEST(AdminClientOptionsTest, WrongOnesAreRefused) {
  AdminClientOptions options;
  options.server = "carrier-pigeon://a";
  EXPECT_EQ(AdminClient::Create(options).status().code(),
            absl::StatusCode::kNotFound);
  options.server = "://a";
  EXPECT_EQ(AdminClient::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
  options.server = "";
  options.timeout = absl::ZeroDuration();
  EXPECT_EQ(AdminClient::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// In one thread on a virtual clock.
TEST(AdminClientSimulation, SeesAndSteersTheEmbeddedServer) {
  testing::SimulatedStack stack(1);
  stack.StartServer("jobs");
  ClientOptions defaults = stack.ClientDefaults("admin", {"inproc://jobs"});
  AdminClientOptions options;
  options.server = "inproc://jobs";
  options.transports = defaults.transports;
  options.poller = defaults.poller;
  auto admin = AdminClient::Create(std::move(options));
  ASSERT_TRUE(admin.ok()) << admin.status();
  const auto client = stack.MakeClient("client", {"inproc://jobs"});
  CallOptions unique;
  unique.unique = "u1";
  const JobRequest job = client->SubmitBackgroundJob("resize", "", unique);
  ASSERT_TRUE(client->WaitUntilJobsAccepted({job}).ok());

  const auto status = (*admin)->GetStatus();
  ASSERT_TRUE(status.ok()) << status.status();
  ASSERT_THAT(*status, SizeIs(1));
  EXPECT_EQ(status->front().function, "resize");
  EXPECT_EQ(status->front().total, 1);
  EXPECT_THAT(*(*admin)->GetUniqueJobs(), ElementsAre("u1"));
  EXPECT_EQ((*admin)->GetJobs()->front().handle, job.job().handle());
  const auto priorities = (*admin)->GetPriorityStatus();
  ASSERT_TRUE(priorities.ok()) << priorities.status();
  ASSERT_THAT(*priorities, SizeIs(1));
  EXPECT_EQ(priorities->front().normal, 1);
  const auto workers = (*admin)->GetWorkers();
  ASSERT_TRUE(workers.ok()) << workers.status();
  EXPECT_THAT(*workers, SizeIs(2));  // the client and this one
  EXPECT_GT(*(*admin)->GetPid(), 0);
  EXPECT_FALSE((*admin)->GetVersion()->empty());
  EXPECT_EQ(*(*admin)->GetVerbosity(), "ERROR");

  EXPECT_TRUE((*admin)->CancelJob(job.job().handle()).ok());
  EXPECT_EQ((*admin)->CancelJob("H:no:1").code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE((*admin)->CreateFunction("new").ok());
  EXPECT_TRUE((*admin)->SetMaxQueue("new", 1).ok());
  ASSERT_TRUE(
      client->WaitUntilJobsAccepted({client->SubmitBackgroundJob("new", "")})
          .ok());
  EXPECT_FALSE(
      client->WaitUntilJobsAccepted({client->SubmitBackgroundJob("new", "")})
          .ok());
  EXPECT_EQ(*(*admin)->DropFunction("new"), 1);
  EXPECT_EQ((*admin)->DropFunction("new").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ((*admin)->Shutdown().code(), absl::StatusCode::kUnimplemented);

  // A server that was restarted is found again.
  stack.KillServer("jobs");
  EXPECT_FALSE((*admin)->GetStatus().ok());
  stack.StartServer("jobs");
  EXPECT_THAT(*(*admin)->GetStatus(), IsEmpty());
}

}  // namespace
}  // namespace gearman
