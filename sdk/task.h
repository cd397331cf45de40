// Task: a coroutine of C++20 that the SDK can run, stop and wait for.
//
//   gearman::Task<absl::StatusOr<std::string>> Shout(gearman::Client& client) {
//     auto text = co_await gearman::Run(client, {"reverse", "hello"});
//     if (!text.ok()) co_return text.status();
//     co_return *text + "!";
//   }
//   absl::StatusOr<std::string> text = gearman::SyncWait(Shout(*client));
//
// A task is lazy: nothing runs until it is awaited by another task, started
// with Start, or given to SyncWait or WhenAll. A task is moved, never copied. A
// task that awaits another one passes the thread on to it, and back at its end,
// by symmetric transfer: where the compiler makes tail calls (Clang; GCC with
// optimisation) the stack does not grow, however many tasks follow each other.
//
// Threads: a coroutine runs on the thread that starts it until it first waits,
// and then on the thread that resumes it: the thread that does the client's
// I/O, or wherever an executor takes it (sdk/coroutines.h). It is never on two
// threads at once.
//
// Destroying a started task stops it: if another thread is running it, the
// destructor waits until it suspends or ends; then the frame is destroyed, and
// nothing resumes it any more. So the caller may then destroy the objects that
// the frame refers to. Do not destroy a task while you hold a lock that it may
// take. If the task's own code destroys it, its frame is destroyed when it next
// suspends or ends.
//
// Exceptions: the SDK throws none. An exception that leaves the coroutine
// becomes its result if that is an absl::Status or an absl::StatusOr: UNKNOWN
// with the text of what(). Otherwise it is thrown again where the result is
// taken.
#ifndef GEARMAN_SDK_TASK_H_
#define GEARMAN_SDK_TASK_H_

#if __cplusplus < 202002L
#error "gearman/sdk/task.h needs C++20: compile with -std=c++20 or later"
#endif

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "gearman/base/cpp17.h"
#include "gearman/base/ref.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/client/told_call.h"

namespace gearman {

template <typename T>
class [[nodiscard]] Task;

namespace internal {

// Lets one thread at a time, the runner, run a tree of tasks that await each
// other, and ends it. Everything that resumes one of these tasks holds a
// reference. The runner owns all but `runner_` itself, so there is no lock.
class TaskControl final : public Counted {
 public:
  // Runs `coroutine`, which is suspended, until it suspends again or ends.
  // Waits until another thread that runs a task of this tree has returned. Does
  // nothing after Destroy.
  void Resume(std::coroutine_handle<> coroutine) {
    if (InRunner()) {
      // The tree has suspended, but has not returned to the call below yet.
      next_ = coroutine;
      return;
    }
    const auto self = Ref<TaskControl>::Share(this);
    BecomeRunner();
    while (coroutine && !destroyed_) {
      coroutine.resume();
      coroutine = std::exchange(next_, nullptr);
    }
    // The tree has destroyed itself.
    const std::coroutine_handle<> doomed = std::exchange(root_, nullptr);
    EndRunner();
    if (doomed) doomed.destroy();
  }
  // Destroys `root` and what it awaits, now or when this thread has left it.
  void Destroy(std::coroutine_handle<> root) {
    if (InRunner()) {
      destroyed_ = true;
      root_ = root;
      return;
    }
    BecomeRunner();
    destroyed_ = true;
    EndRunner();
    root.destroy();
  }

 private:
  bool InRunner() const {
    return runner_.load(std::memory_order_relaxed) == ThisThread();
  }
  void BecomeRunner() {
    const void* other = nullptr;
    while (!runner_.compare_exchange_weak(other, ThisThread(),
                                          std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
      if (other != nullptr) runner_.wait(other, std::memory_order_relaxed);
      other = nullptr;
    }
  }
  void EndRunner() {
    runner_.store(nullptr, std::memory_order_release);
    runner_.notify_all();
  }

  std::atomic<const void*> runner_{nullptr};
  std::coroutine_handle<> next_;
  bool destroyed_ = false;
  // The tree to destroy when this thread has left it.
  std::coroutine_handle<> root_;
};

class TaskPromiseBase {
 public:
  // At the end: the task that awaits this one goes on, or the starter hears.
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(
        std::coroutine_handle<Promise> ended) const noexcept {
      TaskPromiseBase& promise = ended.promise();
      if (promise.continuation) return promise.continuation;
      if (promise.on_done) {
        // The function may destroy the task.
        absl::AnyInvocable<void()> on_done = std::move(promise.on_done);
        CallIgnoringThrow(on_done);
      }
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }

  Ref<TaskControl> control;  // null until the task has started
  std::coroutine_handle<> continuation;
  absl::AnyInvocable<void()> on_done;
  std::exception_ptr exception;
};

template <typename T>
class TaskPromise : public TaskPromiseBase {
 public:
  Task<T> get_return_object();
  template <typename Value = T>
  requires std::is_constructible_v<T, Value&&> void return_value(
      Value&& value) {
    result_.emplace(std::forward<Value>(value));
  }
  void unhandled_exception() {
    if constexpr (std::is_constructible_v<T, absl::Status>) {
      const std::exception_ptr thrown = std::current_exception();
      absl::Status status = GuardedCall(
          [&] { std::rethrow_exception(thrown); },
          [](const char* what) { return absl::UnknownError(what); });
      result_.emplace(std::move(status));
    } else {
      exception = std::current_exception();
    }
  }
  T Take() {
    if (exception != nullptr) std::rethrow_exception(exception);
    return *std::move(result_);
  }

 private:
  std::optional<T> result_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() {}
  void unhandled_exception() { exception = std::current_exception(); }
  void Take() {
    if (exception != nullptr) std::rethrow_exception(exception);
  }
};

// A coroutine that waits, and how to go on with it. A coroutine of another
// library's type has no control: it is simply resumed, and must not be
// destroyed while it may be resumed.
class Resumption {
 public:
  Resumption() = default;
  template <typename Promise>
  explicit Resumption(std::coroutine_handle<Promise> coroutine)
      : coroutine_(coroutine) {
    if constexpr (std::is_base_of_v<TaskPromiseBase, Promise>) {
      control_ = coroutine.promise().control;
    }
  }
  explicit operator bool() const { return static_cast<bool>(coroutine_); }
  void Resume() const {
    control_ ? control_->Resume(coroutine_) : coroutine_.resume();
  }

 private:
  std::coroutine_handle<> coroutine_;
  Ref<TaskControl> control_;
};

}  // namespace internal

template <typename T>
class [[nodiscard]] Task {
 public:
  // The compiler needs this name.
  using promise_type = internal::TaskPromise<T>;

  // Holds no coroutine.
  Task() = default;
  Task(Task&& other) noexcept
      : coroutine_(std::exchange(other.coroutine_, nullptr)),
        root_(std::exchange(other.root_, false)) {}
  Task& operator=(Task&& other) noexcept {
    if (this == &other) return *this;
    Destroy();
    coroutine_ = std::exchange(other.coroutine_, nullptr);
    root_ = std::exchange(other.root_, false);
    return *this;
  }
  ~Task() { Destroy(); }

  // Runs the task on this thread until it first waits. `on_done` is called once
  // when it has ended, on the thread where it ended, and may destroy the task;
  // it must not wait. It is not called if the task is destroyed before. Start a
  // task once, and do not await a task that was started.
  void Start(absl::AnyInvocable<void()> on_done = nullptr) {
    const auto control = internal::Ref<internal::TaskControl>::Make();
    coroutine_.promise().control = control;
    coroutine_.promise().on_done = std::move(on_done);
    root_ = true;
    control->Resume(coroutine_);
  }
  // Takes the result of a started task. Call it once, when `on_done` has been
  // called, or in `on_done`.
  T TakeResult() { return coroutine_.promise().Take(); }

  // `co_await std::move(task)` runs the task and returns its result. The
  // coroutine that awaits owns it meanwhile.
  auto operator co_await() && { return Awaiter{std::move(*this)}; }

 private:
  friend promise_type;

  // Owns the task while it runs for the coroutine that awaits it.
  struct Awaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(
        std::coroutine_handle<Promise> parent) noexcept {
      auto& promise = task.coroutine_.promise();
      if constexpr (std::is_base_of_v<internal::TaskPromiseBase, Promise>) {
        promise.control = parent.promise().control;
      }
      promise.continuation = parent;
      return task.coroutine_;
    }
    T await_resume() { return task.coroutine_.promise().Take(); }

    Task task;
  };

  explicit Task(std::coroutine_handle<promise_type> coroutine)
      : coroutine_(coroutine) {}

  void Destroy() {
    if (!coroutine_) return;
    if (root_) {
      // The control must outlive the frame, which has a reference to it.
      const internal::Ref<internal::TaskControl> control =
          coroutine_.promise().control;
      control->Destroy(coroutine_);
    } else {
      coroutine_.destroy();
    }
    coroutine_ = nullptr;
  }

  std::coroutine_handle<promise_type> coroutine_;
  bool root_ = false;  // it was started, and has a control of its own
};

namespace internal {

template <typename T>
Task<T> TaskPromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

// Counts what is left of some tasks. The last one resumes who waits for them.
class TaskLatch {
 public:
  explicit TaskLatch(size_t count) : left_(count + 1) {}
  void CountDown() {
    if (Last()) waiter_.Resume();
  }
  // Returns true if `waiter` must wait, and then resumes it.
  bool Wait(Resumption waiter) {
    waiter_ = std::move(waiter);
    return !Last();
  }

 private:
  bool Last() { return left_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

  std::atomic<size_t> left_;
  Resumption waiter_;
};

// Starts tasks, and waits until all have ended.
template <typename T>
struct AllStarted {
  bool await_ready() const noexcept { return tasks->empty(); }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiter) {
    // This object may be gone as soon as the last task has ended.
    const auto kept = std::make_shared<TaskLatch>(tasks->size());
    // Nobody else touches the list before the latch is open.
    for (Task<T>& task : *tasks) {
      task.Start([kept] { kept->CountDown(); });
    }
    return kept->Wait(Resumption(waiter));
  }
  void await_resume() const noexcept {}

  std::vector<Task<T>>* tasks;
};

}  // namespace internal

// Runs all tasks at once, and returns their results, in order, when the last
// one has ended. The tasks may run on several threads, each on one at a time.
// If the task that awaits them is destroyed, these tasks are also destroyed.
// Results must be movable; for tasks without a result there is an overload.
template <typename T>
requires(!std::is_void_v<T>) Task<std::vector<T>> WhenAll(
    std::vector<Task<T>> tasks) {
  co_await internal::AllStarted<T>{&tasks};
  std::vector<T> results;
  results.reserve(tasks.size());
  for (Task<T>& task : tasks) results.push_back(task.TakeResult());
  co_return results;
}
inline Task<void> WhenAll(std::vector<Task<void>> tasks) {
  co_await internal::AllStarted<void>{&tasks};
  for (Task<void>& task : tasks) task.TakeResult();
}

// Runs the task and waits on this thread for its end. Another thread must drive
// the clients that the task waits for. With DriveMode::kAuto the background
// thread of each client does. Code that a client or worker calls must not call
// this.
template <typename T>
T SyncWait(Task<T> task) {
  absl::Notification done;
  task.Start([&done] { done.Notify(); });
  done.WaitForNotification();
  return task.TakeResult();
}

}  // namespace gearman

#endif  // GEARMAN_SDK_TASK_H_
