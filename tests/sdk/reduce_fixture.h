// ReduceTest: a job server, a worker, a client and a mapper of one process. The
// task "map" splits the letters of its job into parts, which go to "reduce".
#ifndef GEARMAN_TESTS_SDK_REDUCE_FIXTURE_H_
#define GEARMAN_TESTS_SDK_REDUCE_FIXTURE_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/reduce.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/inproc_fixture.h"
#include "gearman/tests/support/bounds.h"
#include "gtest/gtest.h"

namespace gearman {

// Joins results by commas. A failed part is "!" and its number.
class Joiner : public Aggregator {
 public:
  absl::Status Add(size_t part, std::string result) override {
    EXPECT_EQ(part, seen_++);
    results_.push_back(std::move(result));
    return absl::OkStatus();
  }
  absl::Status AddFailure(size_t part, const absl::Status& why) override {
    EXPECT_EQ(part, seen_++);
    EXPECT_FALSE(why.ok());
    results_.push_back(absl::StrCat("!", part));
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Finish() override {
    return absl::StrJoin(results_, ",");
  }

 private:
  size_t seen_ = 0;
  std::vector<std::string> results_;
};

// Each byte of the text is a part. The text must outlive the function.
inline auto Letters(absl::string_view text) {
  return
      [text, next = size_t{
                 0}]() mutable -> absl::StatusOr<std::optional<std::string>> {
        if (next == text.size()) return std::nullopt;
        return std::string(1, text[next++]);
      };
}

inline absl::StatusOr<MapPlan> JoinLetters(const MapInput& input) {
  MapPlan plan;
  plan.next_part = Letters(input.job.data());
  plan.aggregator = std::make_unique<Joiner>();
  return plan;
}

// A reducer whose jobs a test ends, one by one.
class HeldParts {
 public:
  Worker::AsyncHandler handler() {
    return [this](PendingJob job) {
      absl::MutexLock lock(&mutex_);
      jobs_.push_back(std::move(job));
    };
  }
  // Waits until so many jobs are held.
  void Await(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto held = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return jobs_.size() >= count;
    };
    EXPECT_TRUE(
        mutex_.AwaitWithTimeout(absl::Condition(&held), support::kBound))
        << jobs_.size() << " of " << count << " jobs";
  }
  size_t size() {
    absl::MutexLock lock(&mutex_);
    return jobs_.size();
  }
  // Waits for the job with this data, and takes it.
  PendingJob Take(absl::string_view data) {
    absl::MutexLock lock(&mutex_);
    auto found = jobs_.end();
    const auto held = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      for (found = jobs_.begin(); found != jobs_.end(); ++found) {
        if (absl::string_view(found->job().data()) == data) return true;
      }
      return false;
    };
    EXPECT_TRUE(
        mutex_.AwaitWithTimeout(absl::Condition(&held), support::kBound))
        << "no job has the data " << data;
    if (found == jobs_.end()) return PendingJob();
    PendingJob taken = std::move(*found);
    jobs_.erase(found);
    return taken;
  }
  void Finish(absl::string_view data, absl::StatusOr<std::string> result) {
    Take(data).Finish(std::move(result));
  }

 private:
  absl::Mutex mutex_;
  std::deque<PendingJob> jobs_ ABSL_GUARDED_BY(mutex_);
};

class ReduceTest : public InprocTest {
 protected:
  explicit ReduceTest(std::string address = "inproc://reduce")
      : InprocTest(std::move(address)) {}
  ~ReduceTest() override {
    // The worker's handlers use the fixture.
    if (worker_ != nullptr) worker_->Stop();
    worker_ = nullptr;
  }

  MapperOptions Options() {
    MapperOptions options;
    options.client.servers = {address_};
    return options;
  }
  void MakeMapper(MapperOptions options) {
    auto mapper = Mapper::Create(std::move(options));
    ASSERT_TRUE(mapper.ok()) << mapper.status();
    mapper_ = *std::move(mapper);
  }
  void Map(MapHandler handler = JoinLetters, TaskOptions options = {}) {
    const absl::Status status =
        mapper_->Register(*worker_, "map", std::move(handler), options);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Reduce(Worker::Handler handler) {
    ASSERT_TRUE(worker_->Register("reduce", std::move(handler)).ok());
  }
  void HoldParts() {
    ASSERT_TRUE(worker_->RegisterAsync("reduce", held_.handler()).ok());
  }
  // Starts the worker with a mapper whose parts wait in held_.
  void StartHolding(MapperOptions options) {
    MakeMapper(std::move(options));
    Map();
    HoldParts();
    ASSERT_TRUE(worker_->Start().ok());
  }
  static absl::StatusOr<std::string> Double(JobContext& context) {
    return absl::StrCat(absl::string_view(context.job().data()),
                        absl::string_view(context.job().data()));
  }
  static CallOptions ToReducer() {
    CallOptions options;
    options.reducer = "reduce";
    return options;
  }
  JobRequest Submit(std::string data) {
    return client_->SubmitJob("map", std::move(data), ToReducer());
  }
  absl::StatusOr<std::string> Run(std::string data) {
    return client_->Run("map", std::move(data), ToReducer());
  }

  HeldParts held_;
  std::unique_ptr<Mapper> mapper_;
};

}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_REDUCE_FIXTURE_H_
