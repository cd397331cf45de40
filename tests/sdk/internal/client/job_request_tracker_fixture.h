// JobRequestTrackerTest: a tracker, driven by effects, losses and time: no
// connection.
#ifndef GEARMAN_TESTS_SDK_INTERNAL_CLIENT_JOB_REQUEST_TRACKER_FIXTURE_H_
#define GEARMAN_TESTS_SDK_INTERNAL_CLIENT_JOB_REQUEST_TRACKER_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/transports/address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {

// Says what it is told to, and keeps what it heard.
class ScriptedPolicy : public RetryPolicy {
 public:
  RetryDecision OnFailure(const AttemptFailure& failure) override {
    reasons.push_back(failure.reason);
    return decision;
  }
  void OnSuccess() override { ++successes; }
  absl::string_view name() const override { return "scripted"; }

  RetryDecision decision;
  std::vector<FailureReason> reasons;
  int successes = 0;
};

inline ClientServerPtr MakeServer(absl::string_view address) {
  return ClientServerPtr::Make(*ParseAddress(address), /*metrics=*/nullptr);
}

class JobRequestTrackerTest : public ::testing::Test {
 protected:
  static constexpr char kServer[] = "tcp://one:4730";
  static constexpr absl::Duration kInterval = absl::Seconds(30);

  JobRequestTracker::Options Options() {
    JobRequestTracker::Options options;
    options.retry_policy = &policy_;
    // `standard` repeats what `strict` does, and joins by unique besides.
    options.idempotency_policy = &standard_idempotency_;
    options.max_update_bytes = 100;
    options.question_interval = kInterval;
    return options;
  }
  std::shared_ptr<JobRequestState> Started(bool background = false) {
    // The record has its own allocation, so that its memory is freed even if a
    // weak pointer watches it.
    const std::shared_ptr<JobRequestState> request(new JobRequestState);
    request->task = "reverse";
    request->background = background;
    request->resolved_max_attempts = 3;
    Start(request);
    return request;
  }
  void Start(const std::shared_ptr<JobRequestState>& request) {
    request->server = server_;
    tracker_.Start(request, now_);
    tracker_.OnDispatched(request.get(), now_);
  }
  std::vector<Operation*> TakeDispatches() {
    std::vector<Operation*> operations;
    tracker_.TakeDispatches(&operations);
    return operations;
  }
  void Dispatched(const std::shared_ptr<JobRequestState>& request) {
    EXPECT_THAT(TakeDispatches(), ::testing::ElementsAre(request.get()));
    tracker_.OnDispatched(request.get(), now_);
  }
  void Accept(const std::shared_ptr<JobRequestState>& request) {
    Accept(request.get());
  }
  void Accept(JobRequestState* request) {
    // A session does this, too.
    request->handle.Assign("H:1");
    tracker_.set_now(now_);
    tracker_.OnAccepted(request);
  }
  void Give(const std::shared_ptr<JobRequestState>& request, Effect::Kind kind,
            const std::string& data = "", absl::string_view code = "",
            absl::string_view text = "") {
    Give(request.get(), kind, data, code, text);
  }
  void Give(JobRequestState* request, Effect::Kind kind,
            const std::string& data = "", absl::string_view code = "",
            absl::string_view text = "") {
    Effect effect;
    effect.kind = kind;
    effect.operation = request;
    effect.code = code;
    effect.text = text;
    effect.data = Payload(data);
    tracker_.set_now(now_);
    tracker_.OnEffect(effect);
  }
  void Lose(const std::shared_ptr<JobRequestState>& request,
            FailureReason reason, bool bytes_sent) {
    tracker_.OnFailed(
        request.get(),
        {reason, absl::UnavailableError("connection refused"), bytes_sent},
        now_);
  }
  // Returns the data of the updates of one kind that nobody took.
  static std::vector<std::string> Untaken(
      const std::shared_ptr<JobRequestState>& request, JobUpdate::Kind kind) {
    std::vector<std::string> data;
    if (request->extras == nullptr || request->extras->updates == nullptr) {
      return data;
    }
    request->extras->updates->ForEach(kind, [&data](const JobUpdate& update) {
      data.push_back(update.data);
    });
    return data;
  }
  void AllowRetry(absl::Duration delay = absl::ZeroDuration()) {
    policy_.decision.again = true;
    policy_.decision.delay = delay;
  }

  const ClientServerPtr server_ = MakeServer(kServer);
  ScriptedPolicy policy_;
  StandardIdempotencyPolicy standard_idempotency_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  JobRequestTracker tracker_{Options()};
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_INTERNAL_CLIENT_JOB_REQUEST_TRACKER_FIXTURE_H_
