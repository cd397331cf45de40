// ProcessMark: tells an object whether it is still in the process that made it.
//
// fork() gives the child a copy of every object, but no thread other than the
// one that called it. A copy shares sockets and epoll instances with the
// parent's object, its threads do not exist, and a mutex that another thread
// held at that moment stays locked forever. So a program must neither use nor
// destroy such a copy: the copy refuses calls with InheritedError, and
// DeleteInOwnProcess leaves it as it is.
//
// A counter tells processes apart. A handler of pthread_atfork raises it in
// each child. Reading it makes no system call. vfork, posix_spawn and exec need
// none of this. A child made by a bare clone system call or by _Fork is not
// recognised; it may only call exec or _exit.
#ifndef GEARMAN_PROCESS_PROCESS_MARK_H_
#define GEARMAN_PROCESS_PROCESS_MARK_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

namespace internal {

// The number of forks between the first process and this one.
extern std::atomic<uint32_t> process_number;

// Keeps `object` reachable, so that no leak checker reports it.
void KeepForever(const void* object);

}  // namespace internal

class ProcessMark {
 public:
  // Marks an object of the running process.
  ProcessMark();

  // True in a child made by fork after the mark was made. Any thread;
  // async-signal-safe.
  bool inherited() const {
    return number_ != internal::process_number.load(std::memory_order_relaxed);
  }

 private:
  uint32_t number_;
};

// Returns the FAILED_PRECONDITION of functions of an inherited object. `what`
// is the kind of object: "client".
absl::Status InheritedError(absl::string_view what);

// Deletes an object in the process that made it. In a child it does nothing:
// the object's memory stays until the child ends or calls exec.
template <typename T>
class DeleteInOwnProcess {
 public:
  // Deletes `object`, or does nothing in a child.
  void operator()(T* object) const {
    if (mark_.inherited()) {
      internal::KeepForever(object);
    } else {
      delete object;
    }
  }

 private:
  ProcessMark mark_;
};

// A std::unique_ptr that deletes its object only in the process that made it.
template <typename T>
using OwnedByProcess = std::unique_ptr<T, DeleteInOwnProcess<T>>;

}  // namespace gearman

#endif  // GEARMAN_PROCESS_PROCESS_MARK_H_
