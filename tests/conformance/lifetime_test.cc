// Tests of jobs whose clients or workers leave, and of jobs that are not due
// yet.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/tests/conformance/fixture.h"

namespace gearman {
namespace conformance {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LifetimeConformance : public ConformanceTest {
 protected:
  // Returns the first job's row of `show jobs`, with retries, ignore and bg.
  static std::string FirstJob(Peer& admin) {
    return admin.AskList("show jobs\r\n");
  }
  // Closes a client, and waits until the server has noticed: until the only
  // job is abandoned, or is not known to be.
  static void CloseAndAwait(Peer& client, Peer& admin, const std::string& row) {
    client.Close();
    EXPECT_TRUE(Eventually([&admin, &row] { return FirstJob(admin) == row; }))
        << FirstJob(admin);
  }
};
INSTANTIATE_TEST_SUITE_P(Servers, LifetimeConformance,
                         ::testing::ValuesIn(Variants()), VariantName);

// --- clients that leave ---

TEST_P(LifetimeConformance, AbandonedJobStaysCountedUntilAWorkerComesUponIt) {
  Peer& admin = Connect();
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  CloseAndAwait(client, admin, "H:test:1\t0\t1\t0\n.\n");
  EXPECT_EQ(admin.AskList("status\r\n"), "f\t1\t0\t0\n.\n");
  EXPECT_THAT(Status(admin, 1), ElementsAre("1", "0", "0", "0"));
  Peer& worker = ConnectWorker({"f"});
  EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
  EXPECT_EQ(admin.AskList("status\r\n"), "f\t0\t0\t1\n.\n");
  EXPECT_THAT(Status(admin, 1), ElementsAre("0", "0", "0", "0"));
}

TEST_P(LifetimeConformance, WorkerThatGoesToSleepDropsAbandonedJobs) {
  Peer& admin = Connect();
  Peer& client = Connect();
  Submit(client, "f", "u", "", 1);
  CloseAndAwait(client, admin, "H:test:1\t0\t1\t0\n.\n");
  ConnectSleeper({"f"});
  EXPECT_EQ(FirstJob(admin), ".\n");
}

TEST_P(LifetimeConformance, WorkerOfAnAbandonedJobIsNotTold) {
  Peer& admin = Connect();
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  CloseAndAwait(client, admin, "H:test:1\t0\t1\t0\n.\n");
  worker.SendAll({{Command::kWorkData, {Handle(1), ""}},
                  {Command::kWorkStatus, {Handle(1), "1", "2"}},
                  {Command::kWorkComplete, {Handle(1), ""}}});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_EQ(FirstJob(admin), ".\n");
}

TEST_P(LifetimeConformance, AbandonedJobThatLosesItsWorkerIsNotRunAgain) {
  Peer& admin = Connect();
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  CloseAndAwait(client, admin, "H:test:1\t0\t1\t0\n.\n");
  worker.Close();
  EXPECT_TRUE(StatusBecomes(admin, "f\t1\t0\t0\n"));
  EXPECT_EQ(ConnectWorker({"f"}).Call(Command::kGrabJob), NoJob());
}

TEST_P(LifetimeConformance, BackgroundJobOutlivesItsClient) {
  Peer& client = Connect();
  Submit(client, "f", "u", "data", 1, Command::kSubmitJobBg);
  client.Close();
  EXPECT_EQ(ConnectWorker({"f"}).Call(Command::kGrabJob),
            Assigned(1, "f", "data"));
}

// Trap 18.
TEST_P(LifetimeConformance, SubmitThatJoinsAnAbandonedJob) {
  Peer& admin = Connect();
  Peer& client = Connect();
  Submit(client, "f", "u", "data", 1);
  CloseAndAwait(client, admin, "H:test:1\t0\t1\t0\n.\n");
  Submit(admin, "f", "u", "data", 1);
  EXPECT_THAT(Status(admin, 1), ElementsAre("1", "0", "0", "0"));
  Peer& worker = ConnectWorker({"f"});
  worker.Send(Command::kGrabJob);
  if (OnGearmand(Difference::kJoiningAnAbandonedJob)) {
    EXPECT_EQ(worker.Receive(), NoJob());
    EXPECT_THAT(admin.Drain(), IsEmpty());
    // The only way to learn of it.
    EXPECT_THAT(Status(admin, 1), ElementsAre("0", "0", "0", "0"));
    // The next one is a new job.
    Submit(admin, "f", "u", "data", 2);
  } else {
    EXPECT_EQ(worker.Receive(), Assigned(1, "f", "data"));
    worker.Send(Command::kWorkComplete, {Handle(1), "done"});
    EXPECT_EQ(admin.Receive(),
              Packet(Command::kWorkComplete, {Handle(1), "done"}));
  }
}

TEST_P(LifetimeConformance, BackgroundSubmitThatJoinsAnAbandonedJob) {
  Peer& admin = Connect();
  Peer& client = Connect();
  Submit(client, "f", "u", "data", 1);
  CloseAndAwait(client, admin, "H:test:1\t0\t1\t0\n.\n");
  Submit(admin, "f", "u", "data", 1, Command::kSubmitJobBg);
  EXPECT_EQ(ConnectWorker({"f"}).Call(Command::kGrabJob),
            OnGearmand(Difference::kJoiningAnAbandonedJob)
                ? NoJob()
                : Assigned(1, "f", "data"));
}

TEST_P(LifetimeConformance, SubmitThatJoinsACancelledJob) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "data", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", "data"));
  Peer& admin = Connect();
  EXPECT_EQ(admin.Ask("cancel job H:test:1\r\n"), "OK\r\n");
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkFail, {Handle(1)}));
  const Packet created =
      client.Call(Command::kSubmitJob, {"f", "u", "data again"});
  if (OnGearmand(Difference::kJoiningACancelledJob)) {
    EXPECT_EQ(created, Created(1));
    worker.Send(Command::kWorkComplete, {Handle(1), "done"});
    // Once for each submission.
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(client.Receive(),
                Packet(Command::kWorkComplete, {Handle(1), "done"}));
    }
  } else {
    EXPECT_EQ(created, Created(2));
  }
}

// Trap 18.
TEST_P(LifetimeConformance, SubmitThatJoinsACancelledJobInTheQueue) {
  Peer& client = Connect();
  Submit(client, "f", "u", "data", 1);
  Peer& admin = Connect();
  EXPECT_EQ(admin.Ask("cancel job H:test:1\r\n"), "OK\r\n");
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkFail, {Handle(1)}));
  const Packet created = client.Call(Command::kSubmitJob, {"f", "u", "data"});
  Peer& worker = ConnectWorker({"f"});
  if (OnGearmand(Difference::kJoiningACancelledJob)) {
    EXPECT_EQ(created, Created(1));
    EXPECT_THAT(Status(client, 1), ElementsAre("1", "0", "0", "0"));
    EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
    EXPECT_THAT(client.Drain(), IsEmpty());
    EXPECT_THAT(Status(client, 1), ElementsAre("0", "0", "0", "0"));
  } else {
    EXPECT_EQ(created, Created(2));
    EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(2, "f", "data"));
  }
}

// Trap 19.
TEST_P(LifetimeConformance, ForegroundClientThatLeavesABackgroundJobItJoined) {
  Peer& admin = Connect();
  Peer& background = Connect();
  Submit(background, "f", "u", "data", 1, Command::kSubmitJobBg);
  Peer& client = Connect();
  Submit(client, "f", "u", "data", 1);
  if (OnGearmand(Difference::kForegroundJoiningABackgroundJob)) {
    // A worker must not come before it has seen the client go.
    CloseAndAwait(client, admin, "H:test:1\t0\t1\t0\n.\n");
    Peer& worker = ConnectWorker({"f"});
    EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
    EXPECT_EQ(admin.AskList("show jobs\r\n"), ".\n");
  } else {
    client.Close();
    EXPECT_EQ(ConnectWorker({"f"}).Call(Command::kGrabJob),
              Assigned(1, "f", "data"));
  }
}

// Trap 20.
TEST_P(LifetimeConformance, BackgroundSubmitThatJoinsAForegroundJob) {
  Peer& admin = Connect();
  Peer& client = Connect();
  Submit(client, "f", "u", "data", 1);
  Submit(admin, "f", "u", "data", 1, Command::kSubmitJobBg);
  client.Close();
  if (OnGearmand(Difference::kBackgroundJoiningAForegroundJob)) {
    EXPECT_TRUE(Eventually(
        [&admin] { return FirstJob(admin) == "H:test:1\t0\t1\t0\n.\n"; }));
    EXPECT_EQ(ConnectWorker({"f"}).Call(Command::kGrabJob), NoJob());
  } else {
    EXPECT_EQ(ConnectWorker({"f"}).Call(Command::kGrabJob),
              Assigned(1, "f", "data"));
  }
}

// --- workers that leave ---

// Traps 23 and 38.
TEST_P(LifetimeConformance, JobsOfALostWorkerAreRunAgainLastOneFirst) {
  Peer& client = Connect();
  Peer& admin = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "1", "a", 1);
  Submit(client, "f", "2", "b", 2);
  Submit(client, "f", "3", "c", 3);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", "a"));
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(2, "f", "b"));
  worker.Send(Command::kWorkData, {Handle(1), "part"});
  worker.Send(Command::kWorkStatus, {Handle(1), "1", "2"});
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkData, {Handle(1), "part"}));
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkStatus, {Handle(1), "1", "2"}));
  worker.Close();
  EXPECT_TRUE(StatusBecomes(admin, "f\t3\t0\t0\n"));
  EXPECT_THAT(client.Drain(), IsEmpty());
  EXPECT_THAT(Status(admin, 1), ElementsAre("1", "0", "0", "0"));
  Peer& next = ConnectWorker({"f"});
  EXPECT_EQ(next.Call(Command::kGrabJob), Assigned(3, "f", "c"));
  EXPECT_EQ(next.Call(Command::kGrabJob), Assigned(2, "f", "b"));
  EXPECT_EQ(next.Call(Command::kGrabJob), Assigned(1, "f", "a"));
  next.Send(Command::kWorkData, {Handle(1), "part"});
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkData, {Handle(1), "part"}));
}

// Trap 39.
TEST_P(LifetimeConformance, JobThatKeepsLosingItsWorkersFails) {
  options.job_retries = 2;
  Peer& client = Connect();
  Peer& admin = Connect();
  Submit(client, "f", "u", "", 1);
  for (int run = 0; run < 2; ++run) {
    Peer& worker = ConnectWorker({"f"});
    EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
    worker.Close();
    EXPECT_TRUE(
        StatusBecomes(admin, run == 0 ? "f\t1\t0\t0\n" : "f\t0\t0\t0\n"));
  }
  EXPECT_EQ(client.Receive(), Packet(Command::kWorkFail, {Handle(1)}));
}

// --- jobs that are not due ---

TEST_P(LifetimeConformance, DelayedJobIsPassedOver) {
  Peer& client = Connect();
  EXPECT_EQ(
      client.Call(Command::kSubmitJobEpoch, {"f", "u", "4000000000", "later"}),
      Created(1));
  EXPECT_EQ(client.Call(Command::kSubmitJobEpoch, {"f", "v", "1", "at once"}),
            Created(2));
  EXPECT_EQ(
      client.Call(Command::kSubmitJobEpoch, {"f", "w", "no number", "now"}),
      Created(3));
  Peer& worker = ConnectWorker({"f"});
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(2, "f", "at once"));
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(3, "f", "now"));
  EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
  EXPECT_THAT(Status(client, 1), ElementsAre("1", "0", "0", "0"));
}

TEST_P(LifetimeConformance, DueDelayedJobWakesASleeper) {
  Peer& client = Connect();
  Peer* worker = nullptr;
  const auto grabs = [&worker] {
    return !(worker->Call(Command::kGrabJob) == NoJob());
  };
  int64_t due = 0;
  // A busy machine may not have come so far when the job is due. Then the
  // worker takes it, and another one waits for the next.
  for (int n = 1;; ++n) {
    ASSERT_LE(n, 10);
    worker = &ConnectWorker({"f"});
    due = absl::ToUnixSeconds(absl::Now()) + 2;
    EXPECT_EQ(
        client.Call(Command::kSubmitJobEpoch,
                    {"f", absl::StrCat("u", n), absl::StrCat(due), "data"}),
        Created(n));
    // Both servers tell the sleeper of the new job at once, though it is not due.
    const bool early = grabs();
    worker->Send(Command::kPreSleep);
    const std::vector<Packet> told = worker->Drain();
    if (absl::Now() < absl::FromUnixSeconds(due)) {
      EXPECT_FALSE(early);
      EXPECT_THAT(told, IsEmpty());
      break;
    }
    EXPECT_TRUE(early || Eventually(grabs));
  }
  if (OnGearmand(Difference::kDueDelayedJob)) {
    // NOOP only as PRE_SLEEP found it queued; none when it comes due.
    EXPECT_FALSE(worker->Readable(absl::FromUnixSeconds(due) - absl::Now() +
                                  absl::Milliseconds(500)));
  } else {
    EXPECT_EQ(worker->Receive(), Noop());
  }
  EXPECT_TRUE(Eventually(grabs));
  EXPECT_GE(absl::ToUnixSeconds(absl::Now()), due);
}

}  // namespace
}  // namespace conformance
}  // namespace gearman
