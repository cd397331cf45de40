// FakeJobContext: a job for a handler that is tested without a worker.
//
//   FakeJobContext fake("hello");
//   EXPECT_THAT(fake.Run(Reverse), IsComplete("olleh"));
//   EXPECT_THAT(fake.statuses(), ElementsAre(Pair(1, 2), Pair(2, 2)));
//
// The handler gets a real JobContext. Time is virtual: it passes only while the
// handler waits with its stop token (StopToken::WaitFor), and then at once.
//
// Use it from one thread. Threads that the handler starts may also use the
// context. Their updates are seen when the handler's thread next sends or asks
// its token, and when the test asks for them.
#ifndef GEARMAN_SDK_TESTING_FAKE_JOB_CONTEXT_H_
#define GEARMAN_SDK_TESTING_FAKE_JOB_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "gearman/base/callback.h"
#include "gearman/base/duration.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/job_update.h"
#include "gearman/sdk/stop_reason.h"
#include "gearman/sdk/testing/fake_clock.h"

namespace gearman {
namespace testing {

// The facts that the handler finds in its context.
struct FakeJob {
  // The facts that JobContext::job and JobContext::reducer return.
  std::string task = "task";
  std::string data;
  std::string unique = "unique";
  std::string handle = "H:fake:1";
  std::string connection = "inproc://fake";
  std::string reducer;
  // The stop token fires after this time (kTimeLimit), as with
  // TaskOptions::time_limit.
  Duration time_limit = absl::InfiniteDuration();
  // A larger update is refused, as with WorkerLimits::max_packet_bytes.
  size_t max_packet_bytes = 64u << 20;
};

class FakeJobContext {
 public:
  // The handlers of Worker::Register and Worker::RegisterAsync.
  using Handler = absl::AnyInvocable<absl::StatusOr<std::string>(JobContext&)>;
  using AsyncHandler = absl::AnyInvocable<void(PendingJob)>;

  // Makes a job with these facts.
  explicit FakeJobContext(FakeJob job);
  // Makes a job with this payload.
  explicit FakeJobContext(std::string data);
  // Stop tokens and pending jobs may outlive this object. They do nothing then.
  ~FakeJobContext();
  FakeJobContext(const FakeJobContext&) = delete;
  FakeJobContext& operator=(const FakeJobContext&) = delete;

  // Calls the handler as a worker does and returns what it returned; an
  // exception becomes a JobException. Afterwards the job has ended: updates are
  // refused. Returns FAILED_PRECONDITION if the job has been given to a handler
  // before, and if the handler waits for its stop token without an end: then
  // the token fires in the end.
  absl::StatusOr<std::string> Run(Handler handler);
  // Calls the asynchronous handler as a worker does. answer() is set when
  // PendingJob::Finish has been called, on whichever thread, and when the
  // handler throws or drops the job; UNAVAILABLE is the answer of a job that
  // was given back. Does nothing if the job has been given to a handler before.
  void RunAsync(AsyncHandler handler);
  // Returns the answer of the handler. It is unset while there is none.
  std::optional<absl::StatusOr<std::string>> answer();
  // Returns the source that the handler gave for the rest of its result
  // (JobContext::SetBody, PendingJob::FinishWithBody). It is null if it gave
  // none.
  std::shared_ptr<BodySource> result_body();

  // The context, for a test that calls parts of a handler. It lives as long as
  // this object.
  JobContext& context();

  // --- the stop token --------------------------------------------------------
  // Fires the job's stop token now. From within the handler, OnUpdate is the
  // place.
  void Stop(StopReason reason = StopReason::kStopped);
  // Fires it after this virtual time, counted from now.
  void StopAfter(Duration time, StopReason reason = StopReason::kStopped);
  // Fires it when the handler asks its token for the `count`-th time from now,
  // for a handler that computes and asks, but does not wait.
  void StopAtCheck(int count, StopReason reason = StopReason::kStopped);

  // --- what the handler sent -------------------------------------------------
  // Calls `hook` with each update that the handler sends from now on, on the
  // handler's thread.
  void OnUpdate(Callback<void(const JobUpdate&)> hook);
  // Returns all updates in the order of sending, with their virtual times.
  const std::vector<JobUpdate>& updates();
  // Return the updates of one kind: WORK_DATA, WORK_WARNING, WORK_STATUS.
  std::vector<std::string> data();
  std::vector<std::string> warnings();
  std::vector<std::pair<int64_t, int64_t>> statuses();

  // The virtual clock of the job.
  FakeClock& clock();

 private:
  class Core;

  const std::unique_ptr<Core> core_;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_SDK_TESTING_FAKE_JOB_CONTEXT_H_
