// co_await over the client, for C++20. sdk/task.h has the type of coroutine,
// and sdk/worker_coroutines.h handlers that are coroutines.
//
//   // The result of a job.
//   absl::StatusOr<std::string> text =
//       co_await gearman::Run(client, {"reverse", "hello"});
//
//   // A job that goes on while the coroutine does other things.
//   gearman::Call call = gearman::Run(client, {"reverse", "hello"});
//   ...
//   text = co_await call.Result();
//
//   // Many jobs at once, in as few writes as possible.
//   for (gearman::Call& call : gearman::RunAll(client, std::move(specs))) {
//     text = co_await call.Result();
//   }
//
// Threads: a coroutine that waited is resumed by the thread that does the
// client's I/O, as a callback is. It may submit, cancel and co_await there. It
// must not block: the client stands still meanwhile, and a wait for the client
// returns FAILED_PRECONDITION. The coroutine goes on elsewhere with an executor
// in CoroutineOptions, or after `co_await ResumeOn(executor)`. If the job has
// ended before the coroutine awaits it, the coroutine goes on at once, on its
// own thread. These functions start no thread. A client with
// DriveMode::kCallerOnly refuses such jobs with FAILED_PRECONDITION, because
// they have callbacks.
//
// Errors: those of JobRequest::status(). If the client is destroyed, the result
// is CANCELLED. Nothing is thrown.
//
// Clang 14 and GCC 12 compile this header with libstdc++ 12 and -std=c++20,
// also with -fno-exceptions.
#ifndef GEARMAN_SDK_COROUTINES_H_
#define GEARMAN_SDK_COROUTINES_H_

#if __cplusplus < 202002L
#error "gearman/sdk/coroutines.h needs C++20: compile with -std=c++20 or later"
#endif

#include <atomic>
#include <coroutine>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/base/callback.h"
#include "gearman/base/cpp17.h"
#include "gearman/base/ref.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client/told_call.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/task.h"

namespace gearman {

// Runs each function that it gets once, soon, in another place: on a thread
// pool, or on an event loop. If it drops the function of a coroutine, that
// coroutine never goes on.
using Executor = Callback<void(absl::AnyInvocable<void()>)>;

// The options of one call, beside those of its job.
struct CoroutineOptions {
  // Resumes the coroutine. Empty means the thread that does the client's I/O.
  Executor executor;
  // When a stop is requested, the request ends as CANCELLED
  // (JobRequest::Cancel), and the coroutine goes on with that error. While Run
  // waits for room, a stop does not end that wait: it counts when the job has
  // been submitted.
  std::stop_token stop_token;
};

namespace internal {

// A Call and its request share this state. It has no lock, because one is made
// for each call: Debian's Abseil takes a lock of the whole process to destroy a
// mutex.
class CallState final : public CallListener {
 public:
  explicit CallState(Executor executor) : executor_(std::move(executor)) {}

  void OnEnd(absl::StatusOr<std::string> end) override {
    end_ = std::move(end);
    if (stage_.exchange(Stage::kEnded, std::memory_order_acq_rel) !=
        Stage::kAwaited) {
      return;
    }
    Resumption waiter = std::move(waiter_);
    if (!executor_) return waiter.Resume();
    executor_([waiter = std::move(waiter)] { waiter.Resume(); });
  }

  bool ended() const {
    return stage_.load(std::memory_order_acquire) >= Stage::kEnded;
  }
  // Returns true if `waiter` waits, and is then resumed. Returns false if the
  // request has ended, or another coroutine waits for it.
  bool Wait(Resumption waiter) {
    if (!Move(Stage::kGoingOn, Stage::kBeingAwaited)) return false;
    waiter_ = std::move(waiter);
    if (Move(Stage::kBeingAwaited, Stage::kAwaited)) return true;
    waiter_ = Resumption();  // it has ended meanwhile
    return false;
  }
  // Resumes nobody any more.
  void Abandon() {
    if (Move(Stage::kAwaited, Stage::kAbandoned)) waiter_ = Resumption();
  }
  absl::StatusOr<std::string> TakeEnd() {
    if (Move(Stage::kEnded, Stage::kTaken)) return std::move(end_);
    return absl::FailedPreconditionError(
        ended() ? "the result of this call was taken before"
                : "another coroutine waits for this call: one at a time may");
  }

 private:
  enum class Stage : unsigned char {
    kGoingOn,
    kBeingAwaited,  // Wait is writing waiter_
    kAwaited,
    kAbandoned,
    kEnded,
    kTaken,
  };
  // Returns false if the stage is not `from`.
  bool Move(Stage from, Stage to) {
    return stage_.compare_exchange_strong(from, to, std::memory_order_acq_rel,
                                          std::memory_order_acquire);
  }

  const Executor executor_;
  std::atomic<Stage> stage_{Stage::kGoingOn};
  absl::StatusOr<std::string> end_;  // written before kEnded
  Resumption waiter_;                // written before kAwaited
};

struct CancelRequest {
  void operator()() const noexcept { request.Cancel(); }
  JobRequest request;
};

// Waits for the end of a call.
struct ResultAwaiter {
  bool await_ready() const { return state->ended(); }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) const {
    return state->Wait(Resumption(coroutine));
  }
  absl::StatusOr<std::string> await_resume() const { return state->TakeEnd(); }

  CallState* state;
};

struct ExecutorAwaiter {
  bool await_ready() const noexcept { return !executor; }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> coroutine) {
    // This object may be gone before the executor returns.
    const Executor kept = std::move(executor);
    kept([waiter = Resumption(coroutine)] { waiter.Resume(); });
  }
  void await_resume() const noexcept {}

  Executor executor;
};

}  // namespace internal

// A submitted job that coroutines wait for. A Call is moved, never copied.
//
// Destroying a Call that has not ended cancels its request (the job itself may
// go on, see JobRequest::Cancel). When the destructor returns, none of the
// request's callbacks is running or will run, except one that destroys the Call
// itself. So callbacks may refer to what lives longer than the Call, such as
// variables of the coroutine that are declared before it. If another thread is
// in such a callback, the destructor waits for it.
class [[nodiscard]] Call {
 public:
  // Move the call. A call that is assigned to ends first, as in the destructor.
  Call(Call&&) = default;
  Call& operator=(Call&& other) noexcept {
    if (this == &other) return *this;
    Close();
    state_ = std::move(other.state_);
    gate_ = std::move(other.gate_);
    request_ = std::move(other.request_);
    stop_ = std::move(other.stop_);
    return *this;
  }
  ~Call() { Close(); }

  // `co_await call.Result()`, or `co_await` on the call itself, waits until the
  // request is finished. Returns the result, moved out, or the error that says
  // why there is none. The result is the empty text for a background job that a
  // server has accepted. Returns FAILED_PRECONDITION if the result was taken
  // before, or if another coroutine waits for it.
  //
  // The awaiter refers to the call, which must outlive it.
  internal::ResultAwaiter Result() { return {state_.get()}; }
  internal::ResultAwaiter operator co_await() { return Result(); }

  // The request, with its server, handle, status and updates. Its result is in
  // Result().
  const JobRequest& request() const { return request_; }
  // Ends the request as CANCELLED. Any thread may call it.
  void Cancel() const { request_.Cancel(); }

 private:
  friend Call Run(Client& client, JobSpec&& spec, CoroutineOptions options);
  friend std::vector<Call> RunAll(Client& client, std::vector<JobSpec> specs,
                                  CoroutineOptions options);

  // Makes a call whose request is submitted next.
  Call(JobSpec&& spec, Executor executor)
      : state_(internal::Ref<internal::CallState>::Make(std::move(executor))),
        gate_(GateOf(&spec.options.callbacks)),
        request_(internal::MakeTold(std::move(spec), state_)) {}

  // Guards the callbacks, if there are any.
  static std::shared_ptr<internal::CallGate> GateOf(JobCallbacks* callbacks) {
    if (callbacks->empty()) return nullptr;
    auto gate = std::make_shared<internal::CallGate>();
    internal::GuardCallbacks(gate, callbacks);
    return gate;
  }
  void CancelAt(const std::stop_token& token) {
    if (!token.stop_possible()) return;
    stop_ = std::make_unique<std::stop_callback<internal::CancelRequest>>(
        token, internal::CancelRequest{request_});
  }
  void Close() {
    if (state_ == nullptr) return;  // moved
    stop_ = nullptr;
    state_->Abandon();
    if (gate_ != nullptr) gate_->Close();
    if (!request_.finished()) request_.Cancel();
  }

  internal::Ref<internal::CallState> state_;
  std::shared_ptr<internal::CallGate> gate_;  // null: there is no callback
  JobRequest request_;
  std::unique_ptr<std::stop_callback<internal::CancelRequest>> stop_;
};

// Submits one job, at once, in the packets of Client::SubmitJob. The callbacks
// of `spec` are also called: on_complete comes before the coroutine goes on,
// unless the job is refused at once. May wait for room, as Client::SubmitJob
// does. The client may be destroyed before the call. Any thread may call it.
//
// `spec` is no parameter by value: the frame of a coroutine that awaits the
// call at once would keep it, moved from, until the job has ended.
inline Call Run(Client& client, JobSpec&& spec, CoroutineOptions options = {}) {
  Call call(std::move(spec), std::move(options.executor));
  internal::SubmitTold(client, {&call.request_, 1});
  call.CancelAt(options.stop_token);
  return call;
}
inline Call Run(Client& client, const JobSpec& spec,
                CoroutineOptions options = {}) {
  return Run(client, JobSpec(spec), std::move(options));
}

// Submits many jobs, in order, in as few writes as possible. The calls are in
// the order of the jobs.
inline std::vector<Call> RunAll(Client& client, std::vector<JobSpec> specs,
                                CoroutineOptions options = {}) {
  std::vector<Call> calls;
  std::vector<JobRequest> requests;
  calls.reserve(specs.size());
  requests.reserve(specs.size());
  for (JobSpec& spec : specs) {
    calls.push_back(Call(std::move(spec), options.executor));
    requests.push_back(calls.back().request_);
  }
  internal::SubmitTold(client, requests);
  for (Call& call : calls) call.CancelAt(options.stop_token);
  return calls;
}

// `co_await ResumeOn(executor)` goes on where the executor runs functions.
inline internal::ExecutorAwaiter ResumeOn(Executor executor) {
  return internal::ExecutorAwaiter{std::move(executor)};
}

}  // namespace gearman

#endif  // GEARMAN_SDK_COROUTINES_H_
