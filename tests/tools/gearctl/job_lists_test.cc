// `gearctl jobs`, against gearmand and against `gearctl server`.
#include <signal.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gearman/sdk/job_context.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/wait_for.h"
#include "gearman/tests/tools/gearctl/gearctl_fixture.h"
#include "gearman/tests/tools/gearctl/servers_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using JobListsTest = ServersTest;

INSTANTIATE_TEST_SUITE_P(Servers, JobListsTest, ::testing::Bool(),
                         [](const auto& gearmand) {
                           return gearmand.param ? "Gearmand" : "Embedded";
                         });

TEST_P(JobListsTest, JobsAreListedWithTheirStates) {
  absl::Notification begun;
  absl::Notification end;
  TestWorker worker(server_);
  worker.Register("run",
                  [&](JobContext& context) -> absl::StatusOr<std::string> {
                    context.SendStatus(1, 4).IgnoreError();
                    begun.Notify();
                    end.WaitForNotification();
                    return std::string();
                  });
  worker.Start();
  const std::string running = Queue("run");
  const std::string queued = Queue("wait");
  ASSERT_TRUE(begun.WaitForNotificationWithTimeout(support::kBound));
  // The status is on its way behind what has begun.
  auto watch = StartGearctl(
      {"job", running, "--watch", "--interval", "10ms", "--server", server_});
  EXPECT_TRUE(watch->WaitForOutput("running 1/4\n").ok());
  EXPECT_THAT(Run({"jobs"}).output,
              AllOf(HasSubstr(running + "  running  1/4       background"),
                    HasSubstr(queued + "  queued   -         background")));
  EXPECT_THAT(
      Run({"jobs", "--json"}).output,
      HasSubstr(absl::StrCat("\"handle\":\"", running,
                             "\",\"state\":\"running\",\"background\":true,"
                             "\"retries\":0,\"numerator\":1,"
                             "\"denominator\":4}")));
  end.Notify();
  EXPECT_EQ(watch->Wait()->code, 0);
  EXPECT_THAT(watch->output(), ::testing::EndsWith("ended\n"));
}

TEST_P(JobListsTest, ProgressOfAnUnknownTotalIsShown) {
  absl::Notification begun;
  absl::Notification end;
  TestWorker worker(server_);
  worker.Register("run",
                  [&](JobContext& context) -> absl::StatusOr<std::string> {
                    context.SendStatus(7, 0).IgnoreError();
                    begun.Notify();
                    end.WaitForNotification();
                    return std::string();
                  });
  worker.Start();
  const std::string running = Queue("run");
  ASSERT_TRUE(begun.WaitForNotificationWithTimeout(support::kBound));
  auto watch = StartGearctl(
      {"job", running, "--watch", "--interval", "10ms", "--server", server_});
  EXPECT_TRUE(watch->WaitForOutput("running 7/0\n").ok());
  EXPECT_THAT(Run({"jobs"}).output, HasSubstr(running + "  running  7/0"));
  EXPECT_THAT(Run({"jobs", "--json"}).output,
              HasSubstr("\"numerator\":7,\"denominator\":0}"));
  end.Notify();
  EXPECT_EQ(watch->Wait()->code, 0);
}

TEST_P(JobListsTest, UniquesAreListed) {
  Run({"submit", "t", "--background", "--unique", "report-7"});
  EXPECT_THAT(Run({"jobs", "--uniques"}).output, HasSubstr("\nreport-7  tcp"));
}

// The client of a foreground job gives up. What runs is no job that is dropped.
TEST_P(JobListsTest, AJobWhoseClientHasLeftIsRunningOrAbandoned) {
  absl::Notification begun;
  absl::Notification end;
  TestWorker worker(server_);
  worker.Register("run", [&](JobContext&) -> absl::StatusOr<std::string> {
    begun.Notify();
    end.WaitForNotification();
    return std::string();
  });
  worker.Start();
  const auto client =
      StartGearctl({"submit", "run", "--data", "x", "--server", server_});
  ASSERT_TRUE(begun.WaitForNotificationWithTimeout(support::kBound));
  EXPECT_EQ(
      Run({"submit", "wait", "--data", "x", "--timeout", "10ms"}).status.code,
      4);
  client->Signal(SIGKILL);
  ASSERT_TRUE(client->Wait().ok());
  // The servers find out that a client has gone in their own time.
  EXPECT_TRUE(support::WaitFor([&] {
    return absl::StrContains(Run({"jobs"}).output, "  abandoned  ");
  }));
  EXPECT_THAT(Run({"jobs"}).output, HasSubstr("  running "));
  EXPECT_THAT(Run({"jobs", "--json"}).output,
              AllOf(HasSubstr("\"state\":\"running\""),
                    HasSubstr("\"state\":\"abandoned\"")));
  end.Notify();
}

// The list comes over one connection, and the states over another one.
TEST(JobStatesTest, AStateThatNoServerTellsIsAFailure) {
  support::RawListener listener;
  const auto jobs =
      StartGearctl({"jobs", "--server", listener.address(), "--json"});
  absl::StatusOr<support::RawConnection> list = listener.Accept();
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(*list->ReceiveLine(), "show jobs\r\n");
  ASSERT_TRUE(list->Send("H:x:1\t0\t0\t1\nH:x:2\t0\t0\t1\n.\n").ok());
  absl::StatusOr<support::RawConnection> states = listener.Accept();
  ASSERT_TRUE(states.ok()) << states.status();
  listener.Close();
  states->Close();
  const auto end = jobs->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->code, 3) << jobs->error_output();
  // The list itself is shown.
  EXPECT_THAT(jobs->output(), AllOf(HasSubstr("\"handle\":\"H:x:1\""),
                                    HasSubstr("\"handle\":\"H:x:2\"")));
  EXPECT_THAT(jobs->error_output(),
              AllOf(HasSubstr("the states of 2 jobs are unknown"),
                    HasSubstr(listener.address())));
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
