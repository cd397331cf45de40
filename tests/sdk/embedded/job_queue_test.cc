// JobQueue against a simple model of it, for many random histories.
#include "gearman/sdk/embedded/job_queue.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/codecs/byte_account.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

// A job in the model, without any index.
struct ModelJob {
  uint64_t number = 0;
  std::string function;
  std::string unique;
  std::string data;
  Priority priority = Priority::kNone;
  bool background = false;
  bool abandoned = false;
  bool cancelled = false;
  int holder = -1;
  uint32_t retries = 0;
  absl::Time due = absl::InfinitePast();
  uint64_t place = 0;
  std::vector<int> waiters;  // parties, one for each submission
};

class Model {
 public:
  uint64_t Submit(const Submission& submission, int waiter, absl::Time now) {
    if (!submission.unique.empty()) {
      for (auto& [number, job] : jobs_) {
        if (job.cancelled || job.function != submission.function) continue;
        if (submission.unique == "-"
                ? job.unique == "-" && !submission.data.view().empty() &&
                      job.data == submission.data.view()
                : job.unique == submission.unique) {
          if (waiter >= 0) job.waiters.push_back(waiter);
          if (waiter < 0) job.background = true;
          job.abandoned = false;
          return number;
        }
      }
    }
    ModelJob job;
    job.number = ++last_number_;
    job.place = ++last_place_;
    job.function = std::string(submission.function);
    job.unique = std::string(submission.unique);
    job.data = std::string(submission.data.view());
    job.priority = submission.priority;
    job.due = submission.not_before > now ? submission.not_before
                                          : absl::InfinitePast();
    job.background = waiter < 0;
    if (waiter >= 0) job.waiters.push_back(waiter);
    const uint64_t number = job.number;
    jobs_[number] = std::move(job);
    return number;
  }
  // The job that is next, after those that are abandoned have been dropped.
  uint64_t Take(const std::string& function, int holder, absl::Time now) {
    for (;;) {
      ModelJob* best = nullptr;
      for (auto& [number, job] : jobs_) {
        if (job.function != function || job.holder >= 0 || job.due > now) {
          continue;
        }
        if (best == nullptr || Rank(job) < Rank(*best)) best = &job;
      }
      if (best == nullptr) return 0;
      if (best->abandoned) {
        jobs_.erase(best->number);
        continue;
      }
      best->holder = holder;
      return best->number;
    }
  }
  void Requeue(uint64_t number) {
    ModelJob& job = jobs_.at(number);
    job.holder = -1;
    job.place = ++last_place_;
    ++job.retries;
  }
  void Cancel(uint64_t number) {
    ModelJob& job = jobs_.at(number);
    job.abandoned = true;
    job.cancelled = true;
    job.background = false;
  }
  // The newest job of a unique; 0: none.
  uint64_t Find(const std::string& unique) const {
    uint64_t newest = 0;
    for (const auto& [number, job] : jobs_) {
      if (job.unique == unique) newest = number;
    }
    return newest;
  }
  void Remove(uint64_t number) { jobs_.erase(number); }
  void Leave(int party) {
    for (auto& [number, job] : jobs_) {
      const auto before = job.waiters.size();
      job.waiters.erase(
          std::remove(job.waiters.begin(), job.waiters.end(), party),
          job.waiters.end());
      if (before > 0 && job.waiters.empty() && !job.background) {
        job.abandoned = true;
      }
    }
  }
  const std::map<uint64_t, ModelJob>& jobs() const { return jobs_; }

 private:
  static std::pair<int, uint64_t> Rank(const ModelJob& job) {
    const int priority = job.priority == Priority::kHigh   ? 0
                         : job.priority == Priority::kNone ? 1
                                                           : 2;
    return {priority, job.place};
  }

  std::map<uint64_t, ModelJob> jobs_;
  uint64_t last_number_ = 0;
  uint64_t last_place_ = 0;
};

class JobQueueTest : public ::testing::TestWithParam<int> {};

TEST_P(JobQueueTest, DoesAsItsModel) {
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  const auto choose = [&random](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  JobQueueOptions options;
  options.handle_prefix = "H";
  JobQueue queue(options);
  Model model;
  absl::Time now = kStart;
  constexpr int kParties = 4;
  std::vector<Party> parties(kParties);
  const std::vector<std::string> functions = {"f", "g", "h"};
  const std::vector<std::string> uniques = {"", "a", "b", "-"};
  const std::vector<std::string> datas = {"", "x", "y"};

  for (int step = 0; step < 400; ++step) {
    const int what = choose(100);
    if (what < 45) {
      Submission submission;
      submission.function = functions[static_cast<size_t>(choose(3))];
      submission.unique = uniques[static_cast<size_t>(choose(4))];
      const std::string& data = datas[static_cast<size_t>(choose(3))];
      submission.data = Payload(data);
      submission.priority = static_cast<Priority>(choose(3));
      if (choose(10) == 0) {
        submission.priority = Priority::kNone;
        submission.not_before = now + absl::Seconds(choose(20));
      }
      const int waiter =
          submission.not_before > now || choose(2) == 0 ? -1 : choose(kParties);
      submission.waiter =
          waiter < 0 ? nullptr : &parties[static_cast<size_t>(waiter)];
      const uint64_t expected = model.Submit(submission, waiter, now);
      const JobQueue::Submitted submitted =
          queue.Submit(std::move(submission), now);
      ASSERT_NE(submitted.job, nullptr);
      ASSERT_EQ(submitted.job->number, expected) << "step " << step;
    } else if (what < 75) {
      const std::string& function = functions[static_cast<size_t>(choose(3))];
      const int holder = choose(kParties);
      QueuedJob* const job = queue.Take(*queue.GetFunction(function),
                                        parties[static_cast<size_t>(holder)]);
      const uint64_t expected = model.Take(function, holder, now);
      ASSERT_EQ(job == nullptr ? 0 : job->number, expected) << "step " << step;
    } else if (what < 88) {
      // A worker answers, or is lost.
      std::vector<uint64_t> running;
      for (const auto& [number, job] : model.jobs()) {
        if (job.holder >= 0) running.push_back(number);
      }
      if (running.empty()) continue;
      const uint64_t number = running[static_cast<size_t>(
          choose(static_cast<int>(running.size())))];
      QueuedJob* const job = queue.FindByHandle(absl::StrCat("H:", number));
      ASSERT_NE(job, nullptr);
      if (choose(3) == 0) {
        ASSERT_TRUE(queue.Requeue(*job));
        model.Requeue(number);
      } else {
        queue.Remove(*job);
        model.Remove(number);
      }
    } else if (what < 92) {
      if (model.jobs().empty()) continue;
      auto chosen = model.jobs().begin();
      std::advance(chosen, choose(static_cast<int>(model.jobs().size())));
      const uint64_t number = chosen->first;
      queue.Cancel(*queue.FindByHandle(absl::StrCat("H:", number)));
      model.Cancel(number);
    } else if (what < 96) {
      const int party = choose(kParties);
      auto& waiting = parties[static_cast<size_t>(party)].waiting;
      while (!waiting.empty()) queue.Leave(waiting.front());
      model.Leave(party);
    } else {
      now += absl::Seconds(choose(10));
      while (queue.PopDue(now, now).job != nullptr) {
      }
    }
    // The queue and the model agree.
    ASSERT_EQ(queue.size(), model.jobs().size()) << "step " << step;
    for (const char* unique : {"a", "b"}) {
      const QueuedJob* const job = queue.FindByUnique(unique);
      ASSERT_EQ(job == nullptr ? 0 : job->number, model.Find(unique));
    }
    for (const QueuedJob* job : queue.Jobs()) {
      const auto it = model.jobs().find(job->number);
      ASSERT_NE(it, model.jobs().end()) << "step " << step;
      EXPECT_EQ(job->waiter_count, it->second.waiters.size());
      EXPECT_EQ(job->abandoned, it->second.abandoned) << "step " << step;
      EXPECT_EQ(job->retries, it->second.retries);
      EXPECT_EQ(job->state == QueuedJob::State::kRunning,
                it->second.holder >= 0);
      EXPECT_EQ(job->data.view(), it->second.data);
    }
  }
  queue.Clear();
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.bytes(), 0u);
  for (const Party& party : parties) EXPECT_TRUE(party.held.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, JobQueueTest, ::testing::Range(0, 100));

Submission Of(absl::string_view function, absl::string_view data) {
  Submission submission;
  submission.function = function;
  submission.data = Payload(std::string(data));
  return submission;
}

TEST(JobQueueLimits, RefusesMoreJobsOrBytesThanTheLimit) {
  JobQueueOptions options;
  options.max_jobs = 2;
  options.max_bytes = 10;
  JobQueue queue(options);
  EXPECT_EQ(queue.Submit(Of("f", "12345"), kStart).outcome,
            JobQueue::Outcome::kNew);
  EXPECT_EQ(queue.Submit(Of("f", "123456"), kStart).outcome,
            JobQueue::Outcome::kFull);
  EXPECT_EQ(queue.Submit(Of("f", "12345"), kStart).outcome,
            JobQueue::Outcome::kNew);
  EXPECT_EQ(queue.Submit(Of("f", ""), kStart).outcome,
            JobQueue::Outcome::kFull);
  queue.Remove(*queue.Jobs().front());
  EXPECT_EQ(queue.Submit(Of("f", ""), kStart).outcome, JobQueue::Outcome::kNew);
}

TEST(JobQueueLimits, DropsAJobAtItsLastLoss) {
  JobQueueOptions options;
  options.max_runs = 2;
  JobQueue queue(options);
  Party worker;
  QueuedJob* const job = queue.Submit(Of("f", ""), kStart).job;
  ASSERT_EQ(queue.Take(*job->function, worker), job);
  EXPECT_TRUE(queue.Requeue(*job));
  ASSERT_EQ(queue.Take(*job->function, worker), job);
  EXPECT_FALSE(queue.Requeue(*job));
  queue.Remove(*job);
}

TEST(JobQueueTimers, ReportWhoseTimeIsUp) {
  JobQueue queue(JobQueueOptions{});
  Party worker;
  Submission later = Of("f", "");
  later.not_before = kStart + absl::Seconds(5);
  QueuedJob* const delayed = queue.Submit(std::move(later), kStart).job;
  QueuedJob* const running = queue.Submit(Of("f", ""), kStart).job;
  ASSERT_EQ(queue.Take(*running->function, worker), running);
  queue.SetTimeLimit(*running, kStart + absl::Seconds(3));
  EXPECT_EQ(queue.next_deadline(), kStart + absl::Seconds(3));
  const auto pop_due = [&queue](int seconds) {
    const absl::Time now = kStart + absl::Seconds(seconds);
    return queue.PopDue(now, now);
  };
  EXPECT_EQ(pop_due(2).job, nullptr);
  JobQueue::Due due = pop_due(5);
  EXPECT_EQ(due.job, running);
  EXPECT_FALSE(due.was_delayed);
  due = pop_due(5);
  EXPECT_EQ(due.job, delayed);
  EXPECT_TRUE(due.was_delayed);
  EXPECT_EQ(queue.next_deadline(), absl::InfiniteFuture());
}

TEST(JobQueueFunctions, AFunctionThatWasRemovedIsNotFound) {
  JobQueue queue{JobQueueOptions()};
  Function* const first = queue.GetFunction("first");
  queue.GetFunction("second");
  EXPECT_EQ(queue.FindFunction("first"), first);
  queue.RemoveFunction(*first);
  EXPECT_EQ(queue.FindFunction("first"), nullptr);
  EXPECT_NE(queue.FindFunction("second"), nullptr);
  EXPECT_EQ(queue.FindFunction("first"), nullptr);
}

TEST(JobQueueMemoryTest, KnowsWhatItHolds) {
  ByteAccount account;
  {
    JobQueue queue({}, &account);
    Submission submission;
    submission.function = "f";
    submission.data = Payload(std::string(100'000, 'x'));
    QueuedJob& job = *queue.Submit(std::move(submission), kStart).job;
    EXPECT_GE(account.bytes(), 100'000u);
    EXPECT_LE(account.bytes(), 102'000u);
    // Somebody still points at its data.
    const std::shared_ptr<const std::string> kept = job.data.payload().shared();
    queue.Remove(job);
    EXPECT_GE(account.bytes(), 100'000u);
  }
  EXPECT_EQ(account.bytes(), 0u);
}

TEST(JobQueueMemoryTest, NamesThatNobodyUsesMakeRoom) {
  JobQueueOptions options;
  options.max_memory = 100'000;
  JobQueue queue(options);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_NE(queue.GetFunction(absl::StrCat(i, std::string(1000, 'n'))),
              nullptr);
    ASSERT_LE(queue.memory(), 100'000u);
  }
  // The oldest have gone.
  EXPECT_EQ(queue.FindFunction(absl::StrCat(0, std::string(1000, 'n'))),
            nullptr);
  EXPECT_NE(queue.FindFunction(absl::StrCat(999, std::string(1000, 'n'))),
            nullptr);
  // The functions in use stay, and the next function is refused.
  uint64_t used = 0;
  for (; used < 1000; ++used) {
    Function* const function =
        queue.GetFunction(absl::StrCat("used ", used, std::string(1000, 'n')));
    if (function == nullptr) break;
    queue.AddRegistration(*function);
  }
  EXPECT_GT(used, 10u);
  EXPECT_LT(used, 100u);
}

TEST(JobQueueMemoryTest, OldNamesGoBeforeTheyTakeMuch) {
  JobQueue queue({});
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_NE(queue.GetFunction(absl::StrCat(i, std::string(8000, 'n'))),
              nullptr);
  }
  EXPECT_LT(queue.memory(), size_t{40} << 20);
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
