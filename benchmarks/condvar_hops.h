// CondvarHops wakes another thread, which wakes this one. A synchronous call
// within one process can't be faster.
#ifndef GEARMAN_BENCHMARKS_CONDVAR_HOPS_H_
#define GEARMAN_BENCHMARKS_CONDVAR_HOPS_H_

#include <condition_variable>  // NOLINT: the bare one is meant
#include <mutex>               // NOLINT
#include <thread>              // NOLINT

namespace gearman {
namespace benchmarks {

class CondvarHops {
 public:
  CondvarHops() : other_([this] { Serve(); }) {}
  ~CondvarHops() {
    Pass(Turn::kEnd);
    other_.join();
  }
  CondvarHops(const CondvarHops&) = delete;
  CondvarHops& operator=(const CondvarHops&) = delete;

  // Hops to the other thread and back.
  void Two() {
    Pass(Turn::kOther);
    Await([this] { return turn_ == Turn::kCaller; });
  }

 private:
  enum class Turn { kCaller, kOther, kEnd };

  void Pass(Turn turn) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      turn_ = turn;
    }
    changed_.notify_one();
  }
  template <typename Condition>
  void Await(const Condition& condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, condition);
  }
  void Serve() {
    for (;;) {
      Await([this] { return turn_ != Turn::kCaller; });
      if (turn_ == Turn::kEnd) return;
      Pass(Turn::kCaller);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Turn turn_ = Turn::kCaller;
  std::thread other_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_CONDVAR_HOPS_H_
