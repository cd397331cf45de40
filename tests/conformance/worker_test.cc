// Tests of a server's work for workers: tasks, the order of grabs, sleep,
// answers.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/tests/conformance/fixture.h"

namespace gearman {
namespace conformance {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WorkerConformance : public ConformanceTest {};
INSTANTIATE_TEST_SUITE_P(Servers, WorkerConformance,
                         ::testing::ValuesIn(Variants()), VariantName);

// --- registering ---

TEST_P(WorkerConformance, FunctionRegisteredTwiceIsCountedTwiceAndGoneAtOnce) {
  Peer& admin = Connect();
  Peer& worker = ConnectWorker({"f", "f"});
  EXPECT_EQ(admin.AskList("status\r\n"), "f\t0\t0\t2\n.\n");
  EXPECT_THAT(admin.AskList("workers\r\n"),
              ::testing::HasSubstr(OnGearmand(Difference::kRegisteringTwice)
                                       ? " : f f\n"
                                       : " : f\n"));
  worker.Send(Command::kCantDo, {"f"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_EQ(admin.AskList("status\r\n"), "f\t0\t0\t0\n.\n");
  Submit(admin, "f", "", "", 1, Command::kSubmitJobBg);
  EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
}

TEST_P(WorkerConformance, UnknownFunctionIsTakenBackWithoutAWord) {
  Peer& worker = ConnectWorker({"f"});
  worker.Send(Command::kCantDo, {"never offered"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
}

TEST_P(WorkerConformance, ResetTakesAllFunctionsBack) {
  Peer& admin = Connect();
  Peer& worker = ConnectWorker({"f", "g"});
  worker.Send(Command::kResetAbilities);
  EXPECT_THAT(worker.Drain(), IsEmpty());
  Submit(admin, "f", "", "", 1, Command::kSubmitJobBg);
  EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
  worker.Send(Command::kCanDo, {"f"});
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
}

TEST_P(WorkerConformance, ClientIdIsListed) {
  Peer& admin = Connect();
  Peer& worker = ConnectWorker({"g", "f"});
  worker.Send(Command::kSetClientId, {"resizer 1 : of 2"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_THAT(admin.AskList("workers\r\n"),
              ::testing::HasSubstr(" resizer 1 : of 2 : f g\n"));
}

// Trap 32.
TEST_P(WorkerConformance, UnregisteringWithAJobHeld) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "u", "data", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", "data"));
  worker.Send(Command::kCantDo, {"f"});
  EXPECT_THAT(worker.Drain(), IsEmpty());
  Peer& other = ConnectWorker({"f"});
  if (OnGearmand(Difference::kUnregisteringWithAJobHeld)) {
    EXPECT_EQ(other.Call(Command::kGrabJob), Assigned(1, "f", "data"));
    EXPECT_THAT(worker.Call(Command::kWorkComplete, {Handle(1), "result"}),
                IsError("JOB_NOT_FOUND"));
  } else {
    EXPECT_EQ(other.Call(Command::kGrabJob), NoJob());
    worker.Send(Command::kWorkComplete, {Handle(1), "result"});
    EXPECT_EQ(client.Receive(),
              Packet(Command::kWorkComplete, {Handle(1), "result"}));
  }
}

// --- grabbing ---

TEST_P(WorkerConformance, EachGrabHasItsKindOfAnswer) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  for (int n = 1; n <= 3; ++n) {
    Submit(client, "f", absl::StrCat("u", n), "data", n);
  }
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", "data"));
  EXPECT_EQ(worker.Call(Command::kGrabJobUniq),
            Packet(Command::kJobAssignUniq, {Handle(2), "f", "u2", "data"}));
  EXPECT_EQ(worker.Call(Command::kGrabJobAll),
            Packet(Command::kJobAssignUniq, {Handle(3), "f", "u3", "data"}));
  EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
  EXPECT_EQ(worker.Call(Command::kGrabJobUniq), NoJob());
  EXPECT_EQ(worker.Call(Command::kGrabJobAll), NoJob());
}

// Traps 10 and 11.
TEST_P(WorkerConformance, ReduceJobTellsItsReducerToGrabJobAll) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"map"});
  for (int n = 1; n <= 3; ++n) {
    EXPECT_EQ(client.Call(Command::kSubmitReduceJob,
                          {"map", absl::StrCat("u", n), "reduce", "", "data"}),
              Created(n));
  }
  const Packet all = worker.Call(Command::kGrabJobAll);
  EXPECT_EQ(all.command, Command::kJobAssignAll);
  ASSERT_EQ(all.arguments.size(), 5u);
  EXPECT_EQ(all.arguments[0], Handle(1));
  EXPECT_EQ(all.arguments[3], "reduce");
  EXPECT_EQ(all.arguments[4], "data");
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(2, "map", "data"));
  EXPECT_EQ(worker.Call(Command::kGrabJobUniq).command,
            Command::kJobAssignUniq);
}

// The job that came first keeps its reducer, or has none.
TEST_P(WorkerConformance, ReduceJobIsJoinedByItsUniqueWhateverItsReducer) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"map"});
  EXPECT_EQ(client.Call(Command::kSubmitReduceJob,
                        {"map", "first", "reduce", "", "data"}),
            Created(1));
  EXPECT_EQ(client.Call(Command::kSubmitReduceJob,
                        {"map", "first", "other", "", "data"}),
            Created(1));
  Submit(client, "map", "first", "data", 1);
  Submit(client, "map", "plain", "data", 2);
  EXPECT_EQ(client.Call(Command::kSubmitReduceJob,
                        {"map", "plain", "reduce", "", "data"}),
            Created(2));
  const Packet first = worker.Call(Command::kGrabJobAll);
  EXPECT_EQ(first.command, Command::kJobAssignAll);
  ASSERT_EQ(first.arguments.size(), 5u);
  EXPECT_EQ(first.arguments[3], "reduce");
  EXPECT_EQ(
      worker.Call(Command::kGrabJobAll),
      Packet(Command::kJobAssignUniq, {Handle(2), "map", "plain", "data"}));
  EXPECT_EQ(worker.Call(Command::kGrabJobAll), NoJob());
}

TEST_P(WorkerConformance, PrioritiesCountInsideOneFunction) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Submit(client, "f", "1", "low", 1, Command::kSubmitJobLow);
  Submit(client, "f", "2", "normal", 2);
  Submit(client, "f", "3", "high", 3, Command::kSubmitJobHigh);
  Submit(client, "f", "4", "high too", 4, Command::kSubmitJobHighBg);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(3, "f", "high"));
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(4, "f", "high too"));
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(2, "f", "normal"));
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", "low"));
}

// gearmand 2.0 knows one order only, which the embedded server does not follow.
TEST_P(WorkerConformance, TheFunctionRegisteredLastIsEmptiedFirst) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f", "g"});
  Submit(client, "f", "1", "high", 1, Command::kSubmitJobHigh);
  Submit(client, "g", "2", "low", 2, Command::kSubmitJobLow);
  Submit(client, "g", "3", "low too", 3, Command::kSubmitJobLow);
  Submit(client, "f", "4", "low of f", 4, Command::kSubmitJobLow);
  std::vector<Packet> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(worker.Call(Command::kGrabJob));
  const Packet high = Assigned(1, "f", "high");
  const Packet low = Assigned(2, "g", "low");
  const Packet low_too = Assigned(3, "g", "low too");
  const Packet low_of_f = Assigned(4, "f", "low of f");
  if (OnGearmandSince(2)) {
    EXPECT_THAT(jobs, ElementsAre(high, low, low_of_f, low_too));
  } else {
    EXPECT_THAT(jobs, ElementsAre(low, low_too, high, low_of_f));
  }
}

TEST_P(WorkerConformance, RoundRobinTakesFunctionsInTurn) {
  options.round_robin = true;
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f", "g"});
  Submit(client, "f", "1", "f1", 1);
  Submit(client, "f", "2", "f2", 2);
  Submit(client, "g", "3", "g1", 3);
  Submit(client, "g", "4", "g2", 4);
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) {
    const Packet job = worker.Call(Command::kGrabJob);
    ASSERT_EQ(job.command, Command::kJobAssign);
    order.push_back(job.arguments[1]);
  }
  EXPECT_NE(order[0], order[1]);
  EXPECT_NE(order[1], order[2]);
  EXPECT_NE(order[2], order[3]);
}

TEST_P(WorkerConformance, GrabsArePipelined) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  for (int n = 1; n <= 50; ++n) Submit(client, "f", "", "", n);
  std::vector<Packet> grabs(60, Packet(Command::kGrabJob));
  worker.SendAll(grabs);
  for (int n = 1; n <= 50; ++n) {
    EXPECT_EQ(worker.Receive(), Assigned(n, "f", ""));
  }
  for (int n = 0; n < 10; ++n) EXPECT_EQ(worker.Receive(), NoJob());
}

// --- sleeping ---

TEST_P(WorkerConformance, SleeperIsWokenOnceUntilItGrabs) {
  Peer& client = Connect();
  Peer& worker = ConnectSleeper({"f"});
  Submit(client, "f", "1", "", 1);
  Submit(client, "f", "2", "", 2);
  EXPECT_THAT(worker.Drain(), ElementsAre(Noop()));
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
}

TEST_P(WorkerConformance, WorkThatWaitsIsToldAtOnce) {
  Peer& client = Connect();
  Submit(client, "f", "1", "", 1);
  Peer& worker = ConnectWorker({"f"});
  worker.Send(Command::kPreSleep);
  EXPECT_EQ(worker.Receive(), Noop());
}

TEST_P(WorkerConformance, AllSleepersAreWokenAndOneGetsTheJob) {
  Peer& client = Connect();
  Peer& first = ConnectSleeper({"f"});
  Peer& second = ConnectSleeper({"f"});
  Peer& unconcerned = ConnectSleeper({"g"});
  Submit(client, "f", "1", "", 1);
  EXPECT_THAT(first.Drain(), ElementsAre(Noop()));
  EXPECT_THAT(second.Drain(), ElementsAre(Noop()));
  EXPECT_THAT(unconcerned.Drain(), IsEmpty());
  EXPECT_EQ(second.Call(Command::kGrabJob), Assigned(1, "f", ""));
  EXPECT_EQ(first.Call(Command::kGrabJob), NoJob());
}

TEST_P(WorkerConformance, AsManySleepersAreWokenAsToldTo) {
  options.worker_wakeup = 1;
  Peer& client = Connect();
  Peer& first = ConnectSleeper({"f"});
  Peer& second = ConnectSleeper({"f"});
  Submit(client, "f", "1", "", 1);
  const size_t woken = first.Drain().size() + second.Drain().size();
  EXPECT_EQ(woken, 1u);
}

// Trap 43.
TEST_P(WorkerConformance, WokenWorkerThatLeavesWithoutAGrab) {
  options.worker_wakeup = 1;
  Peer& client = Connect();
  Peer& first = ConnectSleeper({"f"});
  Peer& second = ConnectSleeper({"f"});
  Submit(client, "f", "1", "", 1);
  const bool first_woken = !first.Drain().empty();
  Peer& woken = first_woken ? first : second;
  Peer& asleep = first_woken ? second : first;
  EXPECT_THAT(second.Drain(), SizeIs(first_woken ? 0 : 1));
  woken.Close();
  EXPECT_TRUE(StatusBecomes(client, "f\t1\t0\t1\n"));
  if (OnGearmand(Difference::kWokenWorkerLeaves)) {
    EXPECT_THAT(asleep.Drain(), IsEmpty());
  } else {
    EXPECT_EQ(asleep.Receive(), Noop());
  }
  EXPECT_EQ(asleep.Call(Command::kGrabJob), Assigned(1, "f", ""));
}

TEST_P(WorkerConformance, WokenWorkerThatTakesAnotherFunctionsJob) {
  options.worker_wakeup = 1;
  Peer& client = Connect();
  Peer& first = ConnectSleeper({"f"});
  Peer& second = ConnectSleeper({"f"});
  Submit(client, "f", "1", "", 1);
  const bool first_woken = !first.Drain().empty();
  Peer& woken = first_woken ? first : second;
  Peer& asleep = first_woken ? second : first;
  EXPECT_THAT(second.Drain(), SizeIs(first_woken ? 0 : 1));
  woken.Send(Command::kCanDo, {"g"});
  Submit(client, "g", "2", "", 2);
  EXPECT_EQ(woken.Call(Command::kGrabJob), Assigned(2, "g", ""));
  if (OnGearmand(Difference::kWokenWorkerLeaves)) {
    EXPECT_THAT(asleep.Drain(), IsEmpty());
  } else {
    EXPECT_EQ(asleep.Receive(), Noop());
  }
  EXPECT_EQ(asleep.Call(Command::kGrabJob), Assigned(1, "f", ""));
}

// Trap 28.
TEST_P(WorkerConformance, SleepAgainWithoutAGrab) {
  Peer& client = Connect();
  Peer& worker = ConnectSleeper({"f"});
  Submit(client, "f", "1", "", 1);
  EXPECT_EQ(worker.Receive(), Noop());
  EXPECT_EQ(ConnectWorker({"f"}).Call(Command::kGrabJob), Assigned(1, "f", ""));
  worker.Send(Command::kPreSleep);
  EXPECT_THAT(worker.Drain(), IsEmpty());
  Submit(client, "f", "2", "", 2);
  if (OnGearmand(Difference::kSleepWithoutAGrab)) {
    EXPECT_THAT(worker.Drain(), IsEmpty());
  } else {
    EXPECT_THAT(worker.Drain(), ElementsAre(Noop()));
  }
}

// Trap 31.
TEST_P(WorkerConformance, RegisteringWhileAsleep) {
  Peer& client = Connect();
  Peer& worker = ConnectSleeper({"f"});
  Submit(client, "g", "1", "", 1);
  worker.Send(Command::kCanDo, {"g"});
  if (OnGearmand(Difference::kRegisteringWhileAsleep)) {
    EXPECT_THAT(worker.Drain(), IsEmpty());
  } else {
    EXPECT_THAT(worker.Drain(), ElementsAre(Noop()));
  }
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "g", ""));
}

// Traps 29 and 30.
TEST_P(WorkerConformance, LowJobsBehindADelayedJob) {
  Peer& client = Connect();
  EXPECT_EQ(client.Call(Command::kSubmitJobEpoch, {"f", "1", "4000000000", ""}),
            Created(1));
  Submit(client, "f", "2", "low", 2, Command::kSubmitJobLow);
  Peer& worker = ConnectWorker({"f"});
  if (OnGearmand(Difference::kLowJobsBehindADelayedJob)) {
    EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
    worker.Send(Command::kPreSleep);
    EXPECT_EQ(worker.Receive(), Noop());
    EXPECT_EQ(worker.Call(Command::kGrabJob), NoJob());
  } else {
    EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(2, "f", "low"));
    worker.Send(Command::kPreSleep);
    EXPECT_THAT(worker.Drain(), IsEmpty());
  }
}

// --- answering ---

// Trap 35.
TEST_P(WorkerConformance, AnswerForAJobThatIsNotHeldIsRefused) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  Peer& other = ConnectWorker({"f"});
  Submit(client, "f", "1", "", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", ""));
  const std::vector<Packet> answers = {
      {Command::kWorkData, {Handle(1), "x"}},
      {Command::kWorkWarning, {Handle(1), "x"}},
      {Command::kWorkStatus, {Handle(1), "1", "2"}},
      {Command::kWorkComplete, {Handle(1), "x"}},
      {Command::kWorkFail, {Handle(1)}},
      {Command::kWorkException, {Handle(1), "x"}}};
  for (const Packet& answer : answers) {
    EXPECT_THAT(other.Call(answer.command, answer.arguments),
                IsError("JOB_NOT_FOUND"));
  }
  EXPECT_THAT(client.Drain(), IsEmpty());
  EXPECT_THAT(worker.Call(Command::kWorkFail, {"H:test:99"}),
              IsError("JOB_NOT_FOUND"));
  worker.Send(Command::kWorkComplete, {Handle(1), "done"});
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkComplete, {Handle(1), "done"}));
  EXPECT_THAT(worker.Call(Command::kWorkComplete, {Handle(1), "again"}),
              IsError("JOB_NOT_FOUND"));
}

TEST_P(WorkerConformance, FailOfALongHandleIsRefused) {
  Peer& worker = ConnectWorker({"f"});
  EXPECT_THAT(worker.Call(Command::kWorkFail, {std::string(64, 'h')}),
              IsError("ARGUMENT_TOO_LARGE"));
  EXPECT_THAT(worker.Drain(), IsEmpty());
}

TEST_P(WorkerConformance, OneWorkerMayHoldManyJobsAndAnswerInAnyOrder) {
  Peer& client = Connect();
  Peer& worker = ConnectWorker({"f"});
  for (int n = 1; n <= 3; ++n) Submit(client, "f", "", "", n);
  for (int n = 1; n <= 3; ++n) {
    EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(n, "f", ""));
  }
  for (const int n : {2, 3, 1}) {
    worker.Send(Command::kWorkComplete, {Handle(n), ""});
    EXPECT_EQ(client.Receive(),
              Packet(Command::kWorkComplete, {Handle(n), ""}));
  }
}

TEST_P(WorkerConformance, OneConnectionMayBeClientAndWorker) {
  Peer& both = ConnectWorker({"f"});
  Submit(both, "f", "u", "data", 1);
  EXPECT_EQ(both.Call(Command::kGrabJob), Assigned(1, "f", "data"));
  EXPECT_EQ(both.Call(Command::kWorkComplete, {Handle(1), "result"}),
            Packet(Command::kWorkComplete, {Handle(1), "result"}));
}

// --- time limits ---

TEST_P(WorkerConformance, JobPastItsTimeLimitIsQueuedAgain) {
  Peer& client = Connect();
  Peer& worker = Connect();
  worker.Send(Command::kCanDoTimeout, {"f", "1"});
  Submit(client, "f", "u", "data", 1);
  EXPECT_EQ(worker.Call(Command::kGrabJob), Assigned(1, "f", "data"));
  // Less than a second counts as one.
  Peer& other = ConnectSleeper({"f"});
  EXPECT_EQ(other.Receive(), Noop());
  if (OnGearmand(Difference::kTimeLimits)) {
    EXPECT_TRUE(Eventually([&] {
      const Packet answer = other.Call(Command::kGrabJob);
      EXPECT_THAT(answer, AnyOf(NoJob(), Assigned(1, "f", "data")));
      return !(answer == NoJob());
    }));
  } else {
    EXPECT_EQ(other.Call(Command::kGrabJob), Assigned(1, "f", "data"));
  }
  EXPECT_THAT(worker.Call(Command::kWorkComplete, {Handle(1), "late"}),
              IsError("JOB_NOT_FOUND"));
  EXPECT_THAT(client.Drain(), IsEmpty());
}

TEST_P(WorkerConformance, JobThatIsSlowerThanItsTimeLimitEnds) {
  Peer& client = Connect();
  Peer& worker = Connect();
  worker.Send(Command::kCanDoTimeout, {"f", "1000"});
  Submit(client, "f", "u", "data", 1);
  // The only worker, which takes longer than the limit and then grabs again, as
  // a worker does whose answer was refused.
  const int runs = OnGearmand(Difference::kTimeLimits) ? 2 : 20;
  bool done = false;
  for (int run = 0; run < runs && !done; ++run) {
    while (!(worker.Call(Command::kGrabJob) == Assigned(1, "f", "data"))) {
    }
    worker.Readable(absl::Milliseconds(1500));
    worker.Send(Command::kWorkComplete, {Handle(1), "result"});
    done = worker.Drain().empty();
  }
  // gearmand goes on like this for ever.
  EXPECT_EQ(done, !OnGearmand(Difference::kTimeLimits));
  if (!done) return;
  EXPECT_EQ(client.Receive(),
            Packet(Command::kWorkComplete, {Handle(1), "result"}));
}

TEST_P(WorkerConformance, TimeLimitThatIsNoneIsNone) {
  Peer& admin = Connect();
  Peer& worker = Connect();
  for (const char* limit : {"0", "-5", "soon", ""}) {
    worker.Send(Command::kCanDoTimeout, {"f", limit});
  }
  EXPECT_THAT(worker.Drain(), IsEmpty());
  EXPECT_EQ(admin.AskList("status\r\n"), "f\t0\t0\t4\n.\n");
}

}  // namespace
}  // namespace conformance
}  // namespace gearman
