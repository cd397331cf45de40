// JobRequestTracker, driven by effects, losses and time: no connection.
#include "gearman/sdk/internal/client/job_request_tracker.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gearman/base/ref.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/sdk/internal/request/waiter.h"
#include "gearman/sdk/status.h"
#include "gearman/tests/sdk/internal/client/job_request_tracker_fixture.h"
#include "gearman/transports/address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(JobRequestTrackerTest, AForegroundRequestGoesFromPendingToComplete) {
  auto request = Started();
  EXPECT_EQ(request->state, JobState::kPending);
  EXPECT_FALSE(request->finished.load());
  EXPECT_FALSE(tracker_.wants_dispatch());
  Accept(request);
  EXPECT_EQ(request->state, JobState::kCreated);
  EXPECT_EQ(policy_.successes, 1);
  Give(request, Effect::Kind::kCompleted, "result");
  EXPECT_EQ(request->state, JobState::kComplete);
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->result, "result");
  EXPECT_EQ(tracker_.in_flight(), 0u);
  EXPECT_EQ(request->self, nullptr);
}

TEST_F(JobRequestTrackerTest, ABackgroundRequestEndsWithItsAcceptance) {
  auto request = Started(/*background=*/true);
  Accept(request);
  EXPECT_EQ(request->state, JobState::kCreated);
  EXPECT_TRUE(request->finished.load());
}

// The record of the request is looked at no more: the address sanitizer would
// tell.
TEST_F(JobRequestTrackerTest, ARequestThatNobodyHoldsIsGoneWithItsEnd) {
  for (const bool background : {true, false}) {
    std::shared_ptr<JobRequestState> request = Started(background);
    const std::weak_ptr<JobRequestState> record = request;
    JobRequestState* const raw = request.get();
    request = nullptr;
    EXPECT_FALSE(record.expired());
    Accept(raw);
    if (!background) Give(raw, Effect::Kind::kCompleted, "result");
    EXPECT_TRUE(record.expired());
  }
}

TEST_F(JobRequestTrackerTest, AFailedJobIsAborted) {
  auto request = Started();
  Accept(request);
  Give(request, Effect::Kind::kFailed);
  EXPECT_EQ(request->state, JobState::kFailed);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(request->status.message()), HasSubstr(kServer));
}

TEST_F(JobRequestTrackerTest, AnExceptionIsKeptAndNamed) {
  auto request = Started();
  Accept(request);
  Give(request, Effect::Kind::kException, "boom");
  EXPECT_EQ(request->state, JobState::kFailed);
  ASSERT_TRUE(request->extras->exception.has_value());
  EXPECT_EQ(*request->extras->exception, "boom");
  EXPECT_THAT(std::string(request->status.message()), HasSubstr("boom"));
}

TEST_F(JobRequestTrackerTest, TheTextOfAFailureIsAnException) {
  auto request = Started();
  Accept(request);
  Give(request, Effect::Kind::kFailureText, "gearman exception: no image 17");
  EXPECT_FALSE(request->finished.load());
  Give(request, Effect::Kind::kFailed);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(request->status.message()),
              HasSubstr("ended with an exception: no image 17"));
  EXPECT_EQ(request->extras->exception, "no image 17");
  ASSERT_THAT(request->extras->attempts, SizeIs(1));
  EXPECT_EQ(request->extras->attempts[0].reason, FailureReason::kException);
  EXPECT_THAT(Untaken(request, JobUpdate::Kind::kWarning), IsEmpty());
}

TEST_F(JobRequestTrackerTest, ATextWithoutItsFailureIsForgottenByTheNextRun) {
  auto request = Started();
  Accept(request);
  Give(request, Effect::Kind::kFailureText, "gearman exception: no image 17");
  Give(request, Effect::Kind::kStatus);
  Give(request, Effect::Kind::kFailed);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(request->extras->exception.has_value());
}

// Trap 15.
TEST_F(JobRequestTrackerTest, AFullQueueReadsAsResourceExhausted) {
  auto request = Started();
  Give(request, Effect::Kind::kRefused, "", "QUEUE_ERROR");
  EXPECT_EQ(request->state, JobState::kFailed);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(request->status.message()), HasSubstr("QUEUE_ERROR"));
}

// Trap 12 and 60.
TEST_F(JobRequestTrackerTest, AnErrorIsMatchedByItsCodeWhateverItsCase) {
  auto request = Started();
  Give(request, Effect::Kind::kRefused, "", "queue_error");
  EXPECT_EQ(request->status.code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(JobRequestTrackerTest, ARefusalOfTheRequestItselfIsNotTriedElsewhere) {
  AllowRetry();
  auto request = Started();
  Give(request, Effect::Kind::kRefused, "", "ARGUMENT_TOO_LARGE");
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(JobRequestTrackerTest, AServerThatCantBeReachedIsReplacedByTheNext) {
  AllowRetry();
  auto request = Started();
  Lose(request, FailureReason::kConnect, /*bytes_sent=*/false);
  EXPECT_EQ(request->state, JobState::kPending);
  Dispatched(request);
  EXPECT_EQ(request->attempts, 2);
  Accept(request);
  EXPECT_EQ(request->state, JobState::kCreated);
}

TEST_F(JobRequestTrackerTest, AttemptsEndAtTheMaximumAndNameEveryFailure) {
  AllowRetry();
  auto request = Started();
  for (int attempt = 0; attempt < 2; ++attempt) {
    Lose(request, FailureReason::kConnect, false);
    Dispatched(request);
  }
  request->server = MakeServer("tcp://three:4730");
  tracker_.OnFailed(
      request.get(),
      {FailureReason::kConnect, absl::UnavailableError("no route"), false},
      now_);
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->state, JobState::kUnknown);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kUnavailable);
  const std::string message(request->status.message());
  EXPECT_THAT(message,
              HasSubstr("tcp://one:4730: connection refused (2 times); "));
  EXPECT_THAT(message, HasSubstr("tcp://three:4730: no route"));
  EXPECT_THAT(message, HasSubstr("attempt 3 of 3"));
  EXPECT_THAT(request->extras->attempts, SizeIs(3));
}

TEST_F(JobRequestTrackerTest, ASubmissionOfUnknownOutcomeIsNotRepeated) {
  AllowRetry();
  auto request = Started();
  Lose(request, FailureReason::kLostBeforeAcceptance, /*bytes_sent=*/true);
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->state, JobState::kUnknown);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(request->status.message()),
              HasSubstr("outcome unknown"));
  EXPECT_EQ(GetStatusFacts(request->status).bytes_sent, true);
}

TEST_F(JobRequestTrackerTest, AnIdempotentRequestIsRepeatedAfterALoss) {
  AllowRetry();
  for (const FailureReason reason : {FailureReason::kLostBeforeAcceptance,
                                     FailureReason::kLostAfterAcceptance}) {
    auto request = Started();
    request->idempotent = true;
    if (reason == FailureReason::kLostAfterAcceptance) {
      Accept(request);
    }
    Lose(request, reason, /*bytes_sent=*/true);
    EXPECT_EQ(request->state, JobState::kPending);
    Dispatched(request);
    EXPECT_TRUE(request->handle.empty());
  }
}

// The outcome of the first submission stays in doubt, however later attempts
// end.
TEST_F(JobRequestTrackerTest, AJobWithAUniqueIsJoinedOnTheServerThatMayHaveIt) {
  AllowRetry();
  auto request = std::make_shared<JobRequestState>();
  request->task = "reverse";
  request->explicit_unique = true;
  request->resolved_max_attempts = 3;
  Start(request);
  const auto server = ClientServerPtr::Make(Address{"inproc", "jobs"},
                                            /*server_metrics=*/nullptr);
  request->server = server;
  Lose(request, FailureReason::kLostBeforeAcceptance, /*bytes_sent=*/true);
  EXPECT_EQ(request->extras->next_server, server);
  EXPECT_TRUE(request->extras->pinned);
  Dispatched(request);
  Lose(request, FailureReason::kConnect, /*bytes_sent=*/false);
  EXPECT_EQ(request->extras->next_server, server);
  Dispatched(request);
  Give(request, Effect::Kind::kRefused, "", "QUEUE_ERROR");
  EXPECT_EQ(request->state, JobState::kUnknown);
  EXPECT_THAT(std::string(request->status.message()),
              HasSubstr("outcome unknown"));
}

TEST_F(JobRequestTrackerTest, AnAcceptedJobThatIsLostIsUnknown) {
  auto request = Started();
  Accept(request);
  Lose(request, FailureReason::kLostAfterAcceptance, true);
  EXPECT_EQ(request->state, JobState::kUnknown);
  EXPECT_THAT(std::string(request->status.message()), HasSubstr("H:1"));
}

TEST_F(JobRequestTrackerTest, ADelayedRetryWaitsForItsTime) {
  AllowRetry(absl::Seconds(5));
  auto request = Started();
  Lose(request, FailureReason::kConnect, false);
  EXPECT_THAT(TakeDispatches(), IsEmpty());
  EXPECT_EQ(tracker_.next_deadline(), now_ + absl::Seconds(5));
  tracker_.OnTime(now_ + absl::Seconds(4));
  EXPECT_THAT(TakeDispatches(), IsEmpty());
  tracker_.OnTime(now_ + absl::Seconds(5));
  Dispatched(request);
}

TEST_F(JobRequestTrackerTest, ARetryThatWouldBeTooLateIsNotMade) {
  AllowRetry(absl::Seconds(5));
  auto request = std::make_shared<JobRequestState>();
  request->resolved_max_attempts = 3;
  request->deadline = now_ + absl::Seconds(4);
  Start(request);
  Lose(request, FailureReason::kConnect, false);
  EXPECT_TRUE(request->finished.load());
}

TEST_F(JobRequestTrackerTest, ATimeoutEndsTheRequest) {
  auto request = std::make_shared<JobRequestState>();
  request->task = "slow";
  request->deadline = now_ + absl::Seconds(1);
  Start(request);
  Accept(request);
  EXPECT_EQ(tracker_.next_deadline(), now_ + absl::Seconds(1));
  tracker_.OnTime(now_ + absl::Seconds(1));
  EXPECT_TRUE(request->late);
  EXPECT_EQ(request->status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(tracker_.next_deadline(), absl::InfiniteFuture());
}

TEST_F(JobRequestTrackerTest, UpdatesAreKeptInOrder) {
  auto request = Started();
  Accept(request);
  Give(request, Effect::Kind::kData, "one");
  Give(request, Effect::Kind::kWarning, "careful");
  Give(request, Effect::Kind::kData, "two");
  EXPECT_THAT(Untaken(request, JobUpdate::Kind::kData),
              ElementsAre("one", "two"));
  EXPECT_THAT(Untaken(request, JobUpdate::Kind::kWarning),
              ElementsAre("careful"));
}

TEST_F(JobRequestTrackerTest, UpdatesSayWhenTheyCame) {
  auto request = Started();
  Accept(request);
  const absl::Time first = now_;
  Give(request, Effect::Kind::kData, "one");
  now_ += absl::Seconds(5);
  Give(request, Effect::Kind::kStatus);
  now_ += absl::Seconds(2);
  Give(request, Effect::Kind::kWarning, "careful");
  std::vector<absl::Duration> times;
  request->extras->updates->ForEach([&](const JobUpdate& update) {
    times.push_back(update.time_received - first);
  });
  EXPECT_THAT(times, ElementsAre(absl::ZeroDuration(), absl::Seconds(5),
                                 absl::Seconds(7)));
}

TEST_F(JobRequestTrackerTest, ProgressThatNobodyReadsEndsNoRequest) {
  ByteAccount account;
  JobRequestTracker::Options options = Options();
  options.account = &account;
  options.max_memory = 1000;
  JobRequestTracker tracker(options);
  std::shared_ptr<JobRequestState> request(new JobRequestState);
  request->server = server_;
  tracker.Start(request, now_);
  tracker.OnDispatched(request.get(), now_);
  request->handle.Assign("H:1");
  tracker.OnAccepted(request.get());
  const auto report = [&](int64_t numerator) {
    Effect effect;
    effect.kind = Effect::Kind::kStatus;
    effect.operation = request.get();
    effect.numerator = numerator;
    tracker.OnEffect(effect);
  };
  for (int i = 1; i <= 100; ++i) report(i);
  EXPECT_FALSE(request->finished.load());
  EXPECT_LE(account.bytes(), 500u);
  EXPECT_EQ(request->extras->job_status.numerator, 100);
  int64_t newest = 0;
  request->extras->updates->ForEach(
      [&](const JobUpdate& update) { newest = update.numerator; });
  EXPECT_EQ(newest, 100);

  // The other half is for data.
  Effect part;
  part.kind = Effect::Kind::kData;
  part.operation = request.get();
  part.data = Payload(std::string(100, 'x'));
  tracker.OnEffect(part);
  EXPECT_FALSE(request->finished.load());
  EXPECT_GT(account.bytes(), 500u);

  Effect end;
  end.kind = Effect::Kind::kCompleted;
  end.operation = request.get();
  tracker.OnEffect(end);
  EXPECT_TRUE(request->status.ok());
  EXPECT_EQ(account.bytes(), 0u);
}

TEST_F(JobRequestTrackerTest, TooManyUpdatesThatNobodyTakesEndTheRequest) {
  auto request = Started();
  Accept(request);
  Give(request, Effect::Kind::kData, std::string(100, 'x'));
  EXPECT_FALSE(request->finished.load());
  Give(request, Effect::Kind::kData, "y");
  EXPECT_TRUE(request->finished.load());
  EXPECT_EQ(request->status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Untaken(request, JobUpdate::Kind::kData), SizeIs(1));
}

TEST_F(JobRequestTrackerTest, CallbacksGetTheirNoticesInOrder) {
  auto request = std::make_shared<JobRequestState>();
  CallOptions options;
  options.callbacks.on_data = [](const JobRequest&, absl::string_view) {};
  options.callbacks.on_complete = [](const JobRequest&) {};
  request->options = Ref<KeptOptions>::Make(std::move(options));
  Start(request);
  Waiter waiter(1);
  waiter.Add(request.get(), /*for_accepted=*/false);
  Accept(request);
  Give(request, Effect::Kind::kData, "one");
  Give(request, Effect::Kind::kCompleted, "done");
  // The waiters of a request hear of the end only after the callbacks.
  EXPECT_FALSE(waiter.done());
  const std::vector<Notice> notices = tracker_.TakeNotices();
  ASSERT_THAT(notices, SizeIs(2));
  EXPECT_EQ(notices[0].kind, Notice::Kind::kData);
  EXPECT_EQ(notices[0].data, "one");
  EXPECT_EQ(notices[1].kind, Notice::Kind::kComplete);
  ReleaseWaiters(request.get(), /*finished=*/true);
  EXPECT_TRUE(waiter.done());
}

TEST_F(JobRequestTrackerTest, WaitersForAcceptanceAreReleasedFirst) {
  auto request = Started();
  Waiter accepted(1), finished(1);
  accepted.Add(request.get(), /*for_accepted=*/true);
  finished.Add(request.get(), /*for_accepted=*/false);
  Accept(request);
  EXPECT_TRUE(accepted.done());
  EXPECT_FALSE(finished.done());
  Give(request, Effect::Kind::kCompleted);
  EXPECT_TRUE(finished.done());
}

TEST_F(JobRequestTrackerTest, GivingUpAllLeavesNothingInFlight) {
  std::vector<std::shared_ptr<JobRequestState>> requests;
  for (int i = 0; i < 10; ++i) requests.push_back(Started());
  tracker_.GiveUpAll(absl::CancelledError("the client was destroyed"), now_);
  EXPECT_EQ(tracker_.in_flight(), 0u);
  for (auto& request : requests) {
    EXPECT_EQ(request->status.code(), absl::StatusCode::kCancelled);
  }
}

// The end of one must cost the same however many wait to be dispatched.
TEST_F(JobRequestTrackerTest, ALossOfVeryManyRetriesSomeAndEndsTheRest) {
  constexpr int kOfEach = 50000;
  AllowRetry();
  std::vector<std::shared_ptr<JobRequestState>> unsent, accepted;
  for (int i = 0; i < kOfEach; ++i) {
    unsent.push_back(Started());
    accepted.push_back(Started());
    Accept(accepted.back());
  }
  for (const auto& request : unsent) {
    Lose(request, FailureReason::kConnect, /*bytes_sent=*/false);
  }
  for (const auto& request : accepted) {
    Lose(request, FailureReason::kLostAfterAcceptance, /*bytes_sent=*/true);
  }
  EXPECT_THAT(TakeDispatches(), SizeIs(kOfEach));
  EXPECT_EQ(tracker_.in_flight(), static_cast<size_t>(kOfEach));
}

TEST_F(JobRequestTrackerTest, ARequestThatEndsIsNotDispatchedAnyMore) {
  AllowRetry();
  auto first = Started();
  auto second = Started();
  for (const auto& request : {first, second}) {
    Lose(request, FailureReason::kConnect, /*bytes_sent=*/false);
  }
  tracker_.GiveUp(first.get(), absl::CancelledError("enough"), now_);
  EXPECT_THAT(TakeDispatches(), ElementsAre(second.get()));
}

TEST_F(JobRequestTrackerTest, ALostQuestionIsAskedOnceMoreUnlessItIsWithdrawn) {
  const auto lose = [this](Query* query) {
    tracker_.OnFailed(query,
                      {FailureReason::kLostBeforeAcceptance,
                       absl::UnavailableError("cable pulled"), true},
                      now_);
  };
  Query query(Operation::Kind::kEcho), withdrawn(Operation::Kind::kEcho);
  lose(&query);
  lose(&withdrawn);
  tracker_.Withdraw(&withdrawn);
  tracker_.Withdraw(&withdrawn);
  EXPECT_THAT(TakeDispatches(), ElementsAre(&query));
  EXPECT_FALSE(query.finished);
  lose(&query);
  EXPECT_THAT(TakeDispatches(), IsEmpty());
  EXPECT_TRUE(query.finished);
  EXPECT_TRUE(absl::IsUnavailable(query.status)) << query.status;
}

TEST_F(JobRequestTrackerTest, AtTheEndAQuestionThatWaitsForAServerEnds) {
  Query query(Operation::Kind::kStatusQuery);
  tracker_.OnFailed(&query,
                    {FailureReason::kLostBeforeAcceptance,
                     absl::UnavailableError("cable pulled"), true},
                    now_);
  tracker_.GiveUpAll(absl::CancelledError("the end"), now_);
  EXPECT_TRUE(query.finished);
  EXPECT_TRUE(absl::IsCancelled(query.status)) << query.status;
  EXPECT_THAT(TakeDispatches(), IsEmpty());
}

TEST(JobRequestStateTest, ItsTransitionsLeadWhereTheTableSays) {
  EXPECT_EQ(NextState(JobState::kUnknown, RequestInput::kSubmit),
            JobState::kPending);
  EXPECT_EQ(NextState(JobState::kComplete, RequestInput::kFail), std::nullopt);
  // Every state but the two final ones can be left, and every one is reached.
  for (const RequestTransition& transition : kRequestTransitions) {
    EXPECT_NE(transition.from, JobState::kComplete);
    EXPECT_NE(transition.from, JobState::kFailed);
    int same = 0;
    for (const RequestTransition& other : kRequestTransitions) {
      same += other.from == transition.from && other.input == transition.input;
    }
    EXPECT_EQ(same, 1);
  }
}

// Observers and interceptors cost a request nothing that has none.
TEST_F(JobRequestTrackerTest, APlainRequestNeedsNoExtras) {
  auto request = Started();
  Accept(request);
  Give(request, Effect::Kind::kCompleted, "done");
  EXPECT_TRUE(request->finished);
  EXPECT_EQ(request->extras, nullptr);
  EXPECT_FALSE(tracker_.has_notices());
}

TEST(JobRequestStateTest, IsSmall) { EXPECT_LE(sizeof(JobRequestState), 384u); }

}  // namespace
}  // namespace internal
}  // namespace gearman
