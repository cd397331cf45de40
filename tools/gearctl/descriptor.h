// Descriptor is a file descriptor that is closed with its owner.
#ifndef GEARMAN_TOOLS_GEARCTL_DESCRIPTOR_H_
#define GEARMAN_TOOLS_GEARCTL_DESCRIPTOR_H_

#include <unistd.h>

namespace gearman {
namespace gearctl {

// Not thread-safe.
class Descriptor {
 public:
  // -1: none.
  explicit Descriptor(int descriptor = -1) : descriptor_(descriptor) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  // Closes the current descriptor and takes over `descriptor`.
  void Reset(int descriptor) {
    Close();
    descriptor_ = descriptor;
  }
  void Close() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_DESCRIPTOR_H_
