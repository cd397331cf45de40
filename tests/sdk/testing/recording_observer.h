// RecordingObserver: a TraceObserver that keeps what it hears.
#ifndef GEARMAN_TESTS_SDK_TESTING_RECORDING_OBSERVER_H_
#define GEARMAN_TESTS_SDK_TESTING_RECORDING_OBSERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/plugins/tracing/trace_observer.h"

namespace gearman {
namespace testing {

// Copies of the facts.
struct RecordedSpan {
  TraceOperation operation = TraceOperation::kSubmit;
  absl::Time begin_time, end_time;
  std::string task, unique, handle, server, data, reason;
  bool background = false;
  int attempt = 0;
  int parent = -1;  // index of the span
  int ends = 0;
  std::string outcome, error_type;
  absl::Status status;
  std::string end_task, end_unique, end_handle, end_server;
  int attempts = 0;
};

class RecordingObserver final : public TraceObserver {
 public:
  std::unique_ptr<TraceSpan> Begin(const TraceBegin& begin) override {
    if (on_begin) on_begin(begin);
    absl::MutexLock lock(&mutex_);
    RecordedSpan span;
    span.operation = begin.operation;
    span.begin_time = begin.time;
    span.task = std::string(begin.task);
    span.unique = std::string(begin.unique);
    span.handle = std::string(begin.handle);
    span.server = std::string(begin.server);
    span.data = std::string(begin.data);
    span.reason = std::string(begin.reason);
    span.background = begin.background;
    span.attempt = begin.attempt;
    if (begin.parent != nullptr) {
      span.parent = static_cast<Span*>(begin.parent)->index();
    }
    spans_.push_back(std::move(span));
    log_.push_back(absl::StrCat("begin ", TraceOperationName(begin.operation),
                                " ", begin.task));
    return std::make_unique<Span>(this, static_cast<int>(spans_.size()) - 1);
  }

  std::vector<RecordedSpan> spans() const {
    absl::MutexLock lock(&mutex_);
    return spans_;
  }
  // "begin submit reverse", "end submit reverse complete", and what Note added.
  std::vector<std::string> log() const {
    absl::MutexLock lock(&mutex_);
    return log_;
  }
  void Note(std::string line) {
    absl::MutexLock lock(&mutex_);
    log_.push_back(std::move(line));
  }
  // Spans that were destroyed without an end.
  int lost() const {
    absl::MutexLock lock(&mutex_);
    return lost_;
  }

  // Called first; may throw.
  std::function<void(const TraceBegin&)> on_begin;
  std::function<void(const TraceEnd&)> on_end;

 private:
  class Span final : public TraceSpan {
   public:
    Span(RecordingObserver* observer, int index)
        : observer_(observer), index_(index) {}
    ~Span() override { observer_->Destroyed(index_); }
    void End(const TraceEnd& end) override { observer_->Ended(index_, end); }
    int index() const { return index_; }

   private:
    RecordingObserver* const observer_;
    const int index_;
  };

  void Ended(int index, const TraceEnd& end) {
    {
      absl::MutexLock lock(&mutex_);
      RecordedSpan& span = spans_[static_cast<size_t>(index)];
      ++span.ends;
      span.end_time = end.time;
      span.outcome = std::string(end.outcome);
      span.error_type = std::string(end.error_type);
      span.status = end.status;
      span.end_task = std::string(end.task);
      span.end_unique = std::string(end.unique);
      span.end_handle = std::string(end.handle);
      span.end_server = std::string(end.server);
      span.attempts = end.attempts;
      log_.push_back(absl::StrCat("end ", TraceOperationName(span.operation),
                                  " ", end.task, " ", end.outcome));
    }
    if (on_end) on_end(end);
  }
  void Destroyed(int index) {
    absl::MutexLock lock(&mutex_);
    if (spans_[static_cast<size_t>(index)].ends == 0) ++lost_;
  }

  mutable absl::Mutex mutex_;
  std::vector<RecordedSpan> spans_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> log_ ABSL_GUARDED_BY(mutex_);
  int lost_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_TESTING_RECORDING_OBSERVER_H_
