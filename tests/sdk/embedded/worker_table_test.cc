// WorkerTable: who is given what, and who is woken.
#include "gearman/sdk/embedded/worker_table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Time kStart = absl::UnixEpoch();
constexpr absl::Duration kNoLimit = absl::InfiniteDuration();

class WorkerTableTest : public ::testing::Test {
 protected:
  // Notes the workers that are woken.
  struct WakeNoter {
    WorkerTableTest* test;
    void operator()(EngineWorker& worker) const {
      test->woken_.push_back(
          static_cast<size_t>(&worker - test->workers_.data()));
    }
  };
  WakeNoter Noter() { return {this}; }

  WorkerTableOptions options;  // before the first use of table()

  WorkerTableTest() : queue_(JobQueueOptions()) {}
  WorkerTable& table() {
    if (table_ == nullptr) {
      table_ = std::make_unique<WorkerTable>(options, &queue_);
    }
    return *table_;
  }
  void CanDo(EngineWorker& worker, absl::string_view function,
             absl::Duration limit = kNoLimit) {
    EXPECT_EQ(table().Add(worker, function, limit, Noter()),
              WorkerTable::Added::kYes);
  }
  // A new job of `function`, told to those who sleep.
  QueuedJob& NewJob(absl::string_view function) {
    return NewJobIn(table(), function);
  }
  QueuedJob& NewJobIn(WorkerTable& table, absl::string_view function) {
    Submission submission;
    submission.function = function;
    QueuedJob& job = *queue_.Submit(std::move(submission), kStart).job;
    table.WakeFor(*job.function, Noter());
    return job;
  }
  // The workers, by number, that have been woken since the last call.
  std::vector<size_t> Woken() {
    std::vector<size_t> woken;
    woken.swap(woken_);
    return woken;
  }
  size_t Registrations(absl::string_view function) {
    return queue_.GetFunction(function)->workers;
  }

  JobQueue queue_;
  std::array<EngineWorker, 4> workers_;

 private:
  std::unique_ptr<WorkerTable> table_;
  std::vector<size_t> woken_;
};

TEST_F(WorkerTableTest, GivesTheNewestFunctionsJobsFirst) {
  EngineWorker& worker = workers_[0];
  CanDo(worker, "f");
  CanDo(worker, "g");
  QueuedJob& f1 = NewJob("f");
  QueuedJob& g1 = NewJob("g");
  QueuedJob& g2 = NewJob("g");
  NewJob("h");
  EXPECT_EQ(table().Grab(worker, kStart, Noter()), &g1);
  EXPECT_EQ(table().Grab(worker, kStart, Noter()), &g2);
  EXPECT_EQ(table().Grab(worker, kStart, Noter()), &f1);
  EXPECT_EQ(table().Grab(worker, kStart, Noter()), nullptr);
}

TEST_F(WorkerTableTest, TakesFunctionsInTurnWhenToldTo) {
  options.round_robin = true;
  EngineWorker& worker = workers_[0];
  CanDo(worker, "f");
  CanDo(worker, "g");
  QueuedJob& f1 = NewJob("f");
  QueuedJob& f2 = NewJob("f");
  QueuedJob& g1 = NewJob("g");
  QueuedJob& g2 = NewJob("g");
  EXPECT_EQ(table().Grab(worker, kStart, Noter()), &g1);
  EXPECT_EQ(table().Grab(worker, kStart, Noter()), &f1);
  EXPECT_EQ(table().Grab(worker, kStart, Noter()), &g2);
  EXPECT_EQ(table().Grab(worker, kStart, Noter()), &f2);
}

TEST_F(WorkerTableTest, TimesAJobByTheNewestRegistration) {
  EngineWorker& worker = workers_[0];
  CanDo(worker, "f", absl::Seconds(9));
  CanDo(worker, "f", absl::Seconds(5));
  NewJob("f");
  ASSERT_NE(table().Grab(worker, kStart, Noter()), nullptr);
  EXPECT_EQ(queue_.next_deadline(), kStart + absl::Seconds(5));
}

TEST_F(WorkerTableTest, CountsEachRegistrationAndEndsThemTogether) {
  CanDo(workers_[0], "f");
  CanDo(workers_[0], "f");
  CanDo(workers_[1], "f");
  EXPECT_EQ(Registrations("f"), 3u);
  table().Remove(workers_[0], "f", Noter());
  EXPECT_EQ(Registrations("f"), 1u);
  table().Remove(workers_[0], "f", Noter());
  table().Remove(workers_[0], "unknown", Noter());
  EXPECT_EQ(Registrations("f"), 1u);
  table().RemoveAll(workers_[1], Noter());
  EXPECT_EQ(Registrations("f"), 0u);
}

TEST_F(WorkerTableTest, WakesASleeperOnceWhateverItsFunctions) {
  CanDo(workers_[0], "f");
  CanDo(workers_[0], "g");
  CanDo(workers_[0], "f");
  EXPECT_TRUE(table().GoToSleep(workers_[0]));
  NewJob("f");
  EXPECT_THAT(Woken(), ElementsAre(0));
  NewJob("g");
  EXPECT_THAT(Woken(), IsEmpty());
  ASSERT_NE(table().Grab(workers_[0], kStart, Noter()), nullptr);
  ASSERT_NE(table().Grab(workers_[0], kStart, Noter()), nullptr);
  EXPECT_TRUE(table().GoToSleep(workers_[0]));
  EXPECT_TRUE(table().GoToSleep(workers_[0]));
  NewJob("g");
  EXPECT_THAT(Woken(), ElementsAre(0));
}

TEST_F(WorkerTableTest, PutsNobodyToSleepWhoHasWork) {
  CanDo(workers_[0], "f");
  NewJob("f");
  EXPECT_FALSE(table().GoToSleep(workers_[0]));
  NewJob("f");
  EXPECT_THAT(Woken(), IsEmpty());
}

TEST_F(WorkerTableTest, AGrabEndsASleep) {
  CanDo(workers_[0], "f");
  EXPECT_TRUE(table().GoToSleep(workers_[0]));
  EXPECT_EQ(table().Grab(workers_[0], kStart, Noter()), nullptr);
  NewJob("f");
  EXPECT_THAT(Woken(), IsEmpty());
}

TEST_F(WorkerTableTest, WakesEverybodyWhoSleepsOrAsManyAsTold) {
  for (EngineWorker& worker : workers_) {
    CanDo(worker, "f");
    EXPECT_TRUE(table().GoToSleep(worker));
  }
  NewJob("f");
  EXPECT_THAT(Woken(), ElementsAre(0, 1, 2, 3));
}

TEST_F(WorkerTableTest, WakesInTurn) {
  options.wakeup = 2;
  for (EngineWorker& worker : workers_) {
    CanDo(worker, "f");
    EXPECT_TRUE(table().GoToSleep(worker));
  }
  NewJob("f");
  EXPECT_THAT(Woken(), ElementsAre(0, 1));
  NewJob("f");
  EXPECT_THAT(Woken(), ElementsAre(2, 3));
  NewJob("f");
  EXPECT_THAT(Woken(), IsEmpty());
}

TEST_F(WorkerTableTest, WakesAnotherWhenTheOneWokenLeaves) {
  options.wakeup = 1;
  CanDo(workers_[0], "f");
  CanDo(workers_[1], "f");
  CanDo(workers_[2], "f");
  for (size_t i = 0; i < 3; ++i) table().GoToSleep(workers_[i]);
  NewJob("f");
  EXPECT_THAT(Woken(), ElementsAre(0));
  table().RemoveAll(workers_[0], Noter());
  EXPECT_THAT(Woken(), ElementsAre(1));
  table().Remove(workers_[1], "f", Noter());
  EXPECT_THAT(Woken(), ElementsAre(2));
}

TEST_F(WorkerTableTest, WakesASleeperThatOffersWhatWaits) {
  NewJob("f");
  CanDo(workers_[0], "g");
  EXPECT_TRUE(table().GoToSleep(workers_[0]));
  CanDo(workers_[0], "f");
  EXPECT_THAT(Woken(), ElementsAre(0));
}

TEST_F(WorkerTableTest, WakesASleeperForWhatItOffersSinceItSleeps) {
  CanDo(workers_[0], "g");
  EXPECT_TRUE(table().GoToSleep(workers_[0]));
  CanDo(workers_[0], "f");
  EXPECT_THAT(Woken(), IsEmpty());
  table().Remove(workers_[0], "g", Noter());
  NewJob("g");
  EXPECT_THAT(Woken(), IsEmpty());
  NewJob("f");
  EXPECT_THAT(Woken(), ElementsAre(0));
}

TEST_F(WorkerTableTest, WakesAnotherWhenTheOneWokenTakesSomethingElse) {
  options.wakeup = 1;
  CanDo(workers_[0], "f");
  CanDo(workers_[0], "g");
  CanDo(workers_[1], "f");
  for (size_t i = 0; i < 2; ++i) table().GoToSleep(workers_[i]);
  NewJob("f");
  EXPECT_THAT(Woken(), ElementsAre(0));
  QueuedJob& other = NewJob("g");
  EXPECT_EQ(table().Grab(workers_[0], kStart, Noter()), &other);
  EXPECT_THAT(Woken(), ElementsAre(1));
}

// The rule that keeps jobs from hanging, for any history: while a job waits, no
// worker that could do it sleeps, unless a worker was woken for it and has not
// grabbed yet.
TEST_F(WorkerTableTest, LetsNobodySleepBesideWorkThatNobodyWasWokenFor) {
  const std::vector<std::string> functions = {"f", "g", "h"};
  for (uint32_t wakeup = 0; wakeup < 3; ++wakeup) {
    options.wakeup = wakeup;
    WorkerTable table(options, &queue_);
    std::mt19937 random(wakeup);  // NOLINT: the same in every run
    for (int step = 0; step < 20000; ++step) {
      const size_t number = random() % workers_.size();
      EngineWorker& worker = workers_[number];
      const std::string& name = functions[random() % functions.size()];
      const size_t what = random() % 32;
      if (what < 3) {
        table.Add(worker, name, kNoLimit, Noter());
      } else if (what < 4) {
        table.Remove(worker, name, Noter());
      } else if (what < 5) {
        if (random() % 4 == 0) table.RemoveAll(worker, Noter());
      } else if (what < 17) {
        if (QueuedJob* const job = table.Grab(worker, kStart, Noter()))
          queue_.Remove(*job);
      } else if (what < 29) {
        table.GoToSleep(worker);
      } else {
        NewJobIn(table, name);
      }
      for (Function* function : queue_.Functions()) {
        size_t registrations = 0;
        bool somebody_sleeps = false;
        bool somebody_is_woken = false;
        for (EngineWorker& any : workers_) {
          for (const Ability& ability : any.abilities) {
            if (ability.function != function) continue;
            registrations += ability.registrations;
            somebody_sleeps |= any.sleep == EngineWorker::Sleep::kAsleep;
            somebody_is_woken |= any.sleep == EngineWorker::Sleep::kWoken;
          }
        }
        ASSERT_EQ(function->workers, registrations) << step;
        if (somebody_sleeps && queue_.HasRunnable(*function)) {
          ASSERT_TRUE(somebody_is_woken)
              << function->name << " at step " << step;
        }
      }
    }
    for (EngineWorker& worker : workers_) table.RemoveAll(worker, Noter());
    queue_.Clear();
  }
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
