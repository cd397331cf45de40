// Tests of the jobs that four workers hold of one server: no slow job that
// another worker could begin, but many tiny ones. On a virtual clock;
// tests/integration/worker_gearmand_test.cc does this with a real server.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

constexpr int kWorkers = 4;
constexpr absl::Duration kSlow = absl::Milliseconds(20);

// Four workers do "tiny", which takes no time, and "slow", which takes 20 ms.
class FourWorkers {
 public:
  explicit FourWorkers(uint64_t seed, const PrefetchOptions& prefetch = {})
      : stack_(seed) {
    stack_.StartServer("jobs");
    client_ = stack_.MakeClient("client", {"inproc://jobs"});
    for (int i = 0; i < kWorkers; ++i) {
      const std::string name = absl::StrCat("worker ", i);
      WorkerOptions options = stack_.WorkerDefaults(name, {"inproc://jobs"});
      options.prefetch = prefetch;
      Worker& worker = stack_.StartWorker(name, std::move(options));
      workers_.push_back(&worker);
      EXPECT_TRUE(worker.Register("tiny", Work(absl::ZeroDuration())).ok());
      EXPECT_TRUE(worker.Register("slow", Work(kSlow)).ok());
    }
    // The workers fall asleep in this second.
    stack_.simulation.RunFor(absl::Seconds(1));
    Observe();
  }

  // Does so many jobs, and returns how long that took.
  absl::Duration Run(const std::string& task, int jobs) {
    std::vector<JobSpec> specs;
    specs.reserve(static_cast<size_t>(jobs));
    for (int i = 0; i < jobs; ++i) specs.emplace_back(task, "");
    const absl::Time begin = now();
    EXPECT_TRUE(client_
                    ->WaitUntilJobsCompleted(
                        client_->SubmitMultipleJobs(std::move(specs)))
                    .ok());
    return now() - begin;
  }

  // Lets time pass with nothing to do.
  void Pause(absl::Duration time) { stack_.simulation.RunFor(time); }

  // Submits `burst` jobs at once, a thousand a second, of which one in ten is
  // slow, which keeps two workers busy. Returns the time within which 99 of 100
  // were done.
  absl::Duration RunMix(int jobs, int burst) {
    struct Submitted {
      absl::Time at;
      JobRequest request;
    };
    std::vector<Submitted> running;
    std::vector<absl::Duration> times;
    for (int next = 0; next < jobs || !running.empty();) {
      const absl::Time begin = now();
      const absl::Time end = begin + burst * absl::Milliseconds(1);
      for (int i = 0; i < burst && next < jobs; ++i, ++next) {
        running.push_back(
            {begin, client_->SubmitJob(next % 10 == 0 ? "slow" : "tiny", "")});
      }
      while (now() < end) {
        client_->RunOnce(end);
        running.erase(std::remove_if(running.begin(), running.end(),
                                     [&](const Submitted& submitted) {
                                       if (!submitted.request.finished()) {
                                         return false;
                                       }
                                       times.push_back(now() - submitted.at);
                                       return true;
                                     }),
                      running.end());
      }
    }
    std::sort(times.begin(), times.end());
    return times[times.size() * 99 / 100];
  }

  // Looks at which somebody was at work; and at which a worker held jobs that
  // an idle one could have begun.
  int looks_at_work() const { return looks_at_work_; }
  int looks_at_hoards() const { return looks_at_hoards_; }
  // The most that all held together.
  uint64_t most_held() const { return most_held_; }
  // Writes of all.
  uint64_t writes() const {
    uint64_t writes = 0;
    for (const Worker* const worker : workers_) {
      writes += worker->stats().writes;
    }
    return writes;
  }

 private:
  absl::Time now() { return stack_.simulation.now(); }

  static Worker::Handler Work(absl::Duration time) {
    return [time](JobContext& context) -> absl::StatusOr<std::string> {
      if (time > absl::ZeroDuration()) context.stop_token().WaitFor(time);
      return "";
    };
  }

  // Looks a quarter of a millisecond past each whole one. Nothing else happens
  // then: whatever begins and ends does so in whole ones.
  void Observe() {
    const absl::Duration step = absl::Milliseconds(1);
    next_look_ = now() + step / 4;
    stack_.simulation.Drive("observer", [this, step] {
      if (now() >= next_look_) {
        Look();
        next_look_ += step;
      }
      return next_look_;
    });
  }
  void Look() {
    uint64_t held = 0;
    int idle = 0;
    for (const Worker* const worker : workers_) {
      const WorkerStats stats = worker->stats();
      held += stats.jobs_waiting;
      if (stats.jobs_running == 0) ++idle;
    }
    if (idle < kWorkers) ++looks_at_work_;
    if (held > 0 && idle > 0) ++looks_at_hoards_;
    most_held_ = std::max(most_held_, held);
  }

  testing::SimulatedStack stack_;
  std::unique_ptr<Client> client_;
  std::vector<Worker*> workers_;
  absl::Time next_look_;
  int looks_at_work_ = 0;
  int looks_at_hoards_ = 0;
  uint64_t most_held_ = 0;
};

class WorkerPrefetchTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(WorkerPrefetchTest, NoSlowJobIsHeldWhileAnotherWorkerIsIdle) {
  FourWorkers four(GetParam());
  // No job waits behind another one while there is a worker for it: ten rounds
  // of four, also where two of the last round are missing.
  EXPECT_EQ(four.Run("slow", 40), 10 * kSlow);
  EXPECT_EQ(four.Run("slow", 38), 10 * kSlow);
  EXPECT_GE(four.looks_at_work(), 300);
  EXPECT_EQ(four.looks_at_hoards(), 0);
  EXPECT_EQ(four.most_held(), 0u);
}

// The test above can fail: greedy workers do hold jobs for one another.
TEST_P(WorkerPrefetchTest, HoardsAreSeenWhereTheyAreAskedFor) {
  PrefetchOptions greedy;
  greedy.min_jobs = greedy.max_jobs = 16;
  FourWorkers four(GetParam(), greedy);
  EXPECT_GT(four.Run("slow", 40), 10 * kSlow);
  EXPECT_GT(four.looks_at_hoards(), 0);
}

TEST_P(WorkerPrefetchTest, TinyJobsAreStillTakenManyAtATime) {
  FourWorkers four(GetParam());
  four.Run("slow", 8);
  const uint64_t before = four.writes();
  four.Run("tiny", 4000);
  EXPECT_LE(four.writes() - before, 1000u);
}

TEST_P(WorkerPrefetchTest, SlowJobsAfterTinyOnesAndAPauseAreNotHoarded) {
  FourWorkers four(GetParam());
  four.Run("tiny", 4000);
  four.Pause(absl::Milliseconds(10));
  EXPECT_EQ(four.Run("slow", 40), 10 * kSlow);
  EXPECT_EQ(four.looks_at_hoards(), 0);
}

TEST_P(WorkerPrefetchTest, AMixIsDoneAsSoonAsWithOneGrabAtATime) {
  PrefetchOptions one;
  one.max_jobs = 0;
  for (const int burst : {1, 10, 100}) {
    const absl::Duration alone =
        FourWorkers(GetParam(), one).RunMix(1000, burst);
    const absl::Duration adaptive = FourWorkers(GetParam()).RunMix(1000, burst);
    EXPECT_LE(adaptive, 1.5 * alone) << "bursts of " << burst;
  }
}

TEST_P(WorkerPrefetchTest, NoMoreJobsArePendingThanMayBe) {
  constexpr size_t kMost = 10;
  testing::SimulatedStack stack(GetParam());
  stack.StartServer("jobs");
  WorkerOptions options = stack.WorkerDefaults("worker", {"inproc://jobs"});
  options.limits.max_pending_jobs = kMost;
  Worker& worker = stack.StartWorker("worker", std::move(options));
  std::vector<PendingJob> pending;
  ASSERT_TRUE(worker
                  .RegisterAsync("later",
                                 [&pending](PendingJob job) {
                                   if (job.job().data() == "tiny") {
                                     job.Finish("");
                                   } else {
                                     pending.push_back(std::move(job));
                                   }
                                 })
                  .ok());
  const std::unique_ptr<Client> client =
      stack.MakeClient("client", {"inproc://jobs"});
  // The worker learns that its handler is quick, and asks for many jobs.
  std::vector<JobSpec> tiny(1000, JobSpec("later", "tiny"));
  ASSERT_TRUE(
      client
          ->WaitUntilJobsCompleted(client->SubmitMultipleJobs(std::move(tiny)))
          .ok());
  std::vector<JobSpec> kept(200, JobSpec("later", "kept"));
  const std::vector<JobRequest> requests =
      client->SubmitMultipleJobs(std::move(kept));
  size_t done = 0;
  while (done < requests.size()) {
    stack.simulation.RunFor(absl::Milliseconds(1));
    ASSERT_LE(pending.size(), kMost);
    ASSERT_FALSE(pending.empty());
    pending.back().Finish("");
    pending.pop_back();
    ++done;
  }
  EXPECT_TRUE(client->WaitUntilJobsCompleted(requests).ok());
}

// The answer of the job before waits for a moment, which is no reason to wait
// until something else happens.
TEST_P(WorkerPrefetchTest, AnUpdateDoesNotWaitForAnAnswerThatMayLeave) {
  testing::SimulatedStack stack(GetParam());
  stack.StartServer("jobs");
  WorkerOptions options = stack.WorkerDefaults("worker", {"inproc://jobs"});
  options.limits.max_output_bytes = 1;
  Worker& worker = stack.StartWorker("worker", std::move(options));
  ASSERT_TRUE(worker
                  .Register("tiny",
                            [](JobContext& context) {
                              EXPECT_TRUE(context.SendStatus(1, 2).ok());
                              return absl::StatusOr<std::string>("done");
                            })
                  .ok());
  const std::unique_ptr<Client> client =
      stack.MakeClient("client", {"inproc://jobs"});
  const absl::Time begin = stack.simulation.now();
  std::vector<JobSpec> tiny(100, JobSpec("tiny", ""));
  EXPECT_TRUE(
      client
          ->WaitUntilJobsCompleted(client->SubmitMultipleJobs(std::move(tiny)))
          .ok());
  EXPECT_LT(stack.simulation.now() - begin, absl::Seconds(1));
}

INSTANTIATE_TEST_SUITE_P(Seeds, WorkerPrefetchTest,
                         ::testing::Range<uint64_t>(1, 4));

}  // namespace
}  // namespace gearman
