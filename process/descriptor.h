// Descriptor: owns a file descriptor, and closes it in children made by fork.
//
// A child closes its copy before fork returns. Otherwise a connection that the
// parent closes, or that ends with the parent, would stay open for its server
// as long as the child lives, and a worker's jobs would not go to another
// worker. In the child a Descriptor holds nothing: get() is -1. (At exec the
// kernel closes the descriptor, because the SDK opens every descriptor
// close-on-exec.)
//
// A Descriptor belongs to one thread at a time.
#ifndef GEARMAN_PROCESS_DESCRIPTOR_H_
#define GEARMAN_PROCESS_DESCRIPTOR_H_

#include <utility>

#include "gearman/process/process_mark.h"

namespace gearman {

namespace internal {

// Closes the descriptors that the parent's Descriptors hold, in a child made by
// fork. Async-signal-safe.
void CloseInheritedDescriptors();

}  // namespace internal

class Descriptor {
 public:
  // Holds no descriptor.
  Descriptor() = default;
  // Takes ownership of `fd`; -1 means none.
  explicit Descriptor(int fd);
  // Takes the descriptor of `other`, which is then empty.
  Descriptor(Descriptor&& other) noexcept
      : mark_(other.mark_), fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      mark_ = other.mark_;
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  // Closes the descriptor.
  ~Descriptor() { Close(); }

  // The descriptor, or -1 if there is none.
  int get() const { return mark_.inherited() ? -1 : fd_; }
  // Whether there is a descriptor.
  bool is_open() const { return get() >= 0; }
  // Closes the descriptor, if there is one.
  void Close();

 private:
  ProcessMark mark_;
  int fd_ = -1;
};

}  // namespace gearman

#endif  // GEARMAN_PROCESS_DESCRIPTOR_H_
