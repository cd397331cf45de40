// PerProcess: an object that each process has for itself. A child made by fork
// makes a new one at its first use, and leaves its copy of the parent's object
// as it is: other threads may have been changing that object, or holding its
// locks, when the process forked.
//
// ProcessMutex: a mutex that a child always finds free. It is for tables that a
// program changes only when it begins, and later reads: a child may use its
// copy of such a table.
//
// Both classes are thread-safe.
#ifndef GEARMAN_PROCESS_PER_PROCESS_H_
#define GEARMAN_PROCESS_PER_PROCESS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gearman/process/process_mark.h"

namespace gearman {

template <typename T>
class PerProcess {
 public:
  // `make` returns the object of one process. Several threads may call it at
  // once; one of their objects is kept.
  explicit PerProcess(std::function<std::unique_ptr<T>()> make)
      : make_(std::move(make)), node_(new Node{ProcessMark(), make_()}) {}
  // The object is made by its default constructor.
  PerProcess() : PerProcess([] { return std::make_unique<T>(); }) {}
  PerProcess(const PerProcess&) = delete;
  PerProcess& operator=(const PerProcess&) = delete;
  // Destroys the object of this process.
  ~PerProcess() {
    Node* const node = node_.load(std::memory_order_acquire);
    if (node->mark.inherited()) {
      internal::KeepForever(node);
    } else {
      delete node;
    }
  }

  // Returns the object of this process. It lives as long as the PerProcess.
  T& Get() const {
    Node* node = node_.load(std::memory_order_acquire);
    while (node->mark.inherited()) {
      std::unique_ptr<Node> made(new Node{ProcessMark(), make_()});
      if (node_.compare_exchange_strong(node, made.get(),
                                        std::memory_order_acq_rel)) {
        internal::KeepForever(node);
        node = made.release();
      }
    }
    return *node->value;
  }
  T& operator*() const { return Get(); }
  T* operator->() const { return &Get(); }

 private:
  struct Node {
    const ProcessMark mark;
    const std::unique_ptr<T> value;
  };

  const std::function<std::unique_ptr<T>()> make_;
  mutable std::atomic<Node*> node_;
};

// A mutex that a child made by fork finds free.
class ABSL_LOCKABLE ProcessMutex {
 public:
  // Take and release the mutex.
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    mutex_->Lock();
  }
  void Unlock() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    mutex_->Unlock();
  }

 private:
  PerProcess<absl::Mutex> mutex_;
};

// Holds a ProcessMutex while it lives.
class ABSL_SCOPED_LOCKABLE ProcessMutexLock {
 public:
  // Takes `mutex`, which must outlive this object.
  explicit ProcessMutexLock(ProcessMutex* mutex)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : mutex_(mutex) {
    mutex_->Lock();
  }
  ProcessMutexLock(const ProcessMutexLock&) = delete;
  ProcessMutexLock& operator=(const ProcessMutexLock&) = delete;
  ~ProcessMutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }

 private:
  ProcessMutex* const mutex_;
};

}  // namespace gearman

#endif  // GEARMAN_PROCESS_PER_PROCESS_H_
