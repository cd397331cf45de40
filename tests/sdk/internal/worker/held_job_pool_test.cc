#include "gearman/sdk/internal/worker/held_job_pool.h"

#include <memory>
#include <string>
#include <utility>

#include "gearman/codecs/payload.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/job.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

// A job with this data, as it is when it has been answered.
HeldJobPtr EndedJob(HeldJobPool* pool, const std::string& data) {
  HeldJobPtr job = pool->Take();
  Access::Assign("tcp://jobs", "H:1", "echo", "u",
                 TakeData(Payload::View(data), job.get()), &job->job);
  job->state = HeldJob::State::kEnded;
  job->stop.End();
  return job;
}

TEST(HeldJobPoolTest, ARecordThatNobodyRefersToIsUsedAgainAsNew) {
  HeldJobPool pool;
  HeldJobPtr job = EndedJob(&pool, "data");
  HeldJob* const record = job.get();
  pool.GiveBack(std::move(job));
  job = pool.Take();
  EXPECT_EQ(job.get(), record);
  EXPECT_EQ(job->state, HeldJob::State::kWaiting);
  EXPECT_FALSE(job->stop.fired());
  EXPECT_TRUE(job->job.data().empty());
}

TEST(HeldJobPoolTest, ARecordThatSomebodyRefersToIsLeftToHim) {
  HeldJobPool pool;
  HeldJobPtr job = EndedJob(&pool, "data");
  const HeldJobPtr report = job;
  pool.GiveBack(std::move(job));
  EXPECT_NE(pool.Take(), report);
  EXPECT_EQ(report->job.data(), "data");
}

TEST(HeldJobPoolTest, DataThatSomebodyKeepsIsNotWrittenTo) {
  HeldJobPool pool;
  HeldJobPtr job = EndedJob(&pool, "kept");
  const std::shared_ptr<const std::string> kept = job->job.shared_data();
  pool.GiveBack(std::move(job));
  job = EndedJob(&pool, "another");
  EXPECT_EQ(*kept, "kept");
  EXPECT_EQ(job->job.data(), "another");
}

TEST(HeldJobPoolTest, TheMemoryOfSmallDataIsUsedAgain) {
  HeldJobPool pool;
  HeldJobPtr job = EndedJob(&pool, "a first job's data, of some length");
  const char* const memory = job->job.data().data();
  pool.GiveBack(std::move(job));
  // A job without data in between takes none.
  pool.GiveBack(EndedJob(&pool, ""));
  job = EndedJob(&pool, "another");
  EXPECT_EQ(job->job.data(), "another");
  EXPECT_EQ(job->job.data().data(), memory);
}

TEST(HeldJobPoolTest, TheMemoryOfLargeDataIsHandedBack) {
  HeldJobPool pool;
  const std::string large(100000, 'x');
  EXPECT_GE(pool.GiveBack(EndedJob(&pool, large)).capacity(), large.size());
  EXPECT_TRUE(pool.GiveBack(EndedJob(&pool, "small")).empty());
}

// A callback may come in the moment in which its job ends, and is then not
// dropped with the others.
TEST(HeldJobPoolTest, ACallbackIsNeverCalledForAnotherJob) {
  HeldJobPool pool;
  HeldJobPtr job = pool.Take();
  HeldJob* const record = job.get();
  bool called = false;
  job->stop.OnStop([&called] { called = true; });
  job->state = HeldJob::State::kEnded;
  pool.GiveBack(std::move(job));
  job = pool.Take();
  ASSERT_EQ(job.get(), record);
  job->stop.Fire(StopReason::kTimeLimit);
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
