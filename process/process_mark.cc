#include "gearman/process/process_mark.h"

#include <pthread.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "gearman/process/descriptor.h"

namespace gearman {
namespace internal {

std::atomic<uint32_t> process_number{0};

namespace {

struct Kept {
  const void* object;
  Kept* next;
};
std::atomic<Kept*> kept{nullptr};

// Runs before fork returns, on the only thread of the child.
void OnFork() {
  process_number.fetch_add(1, std::memory_order_relaxed);
  CloseInheritedDescriptors();
}

}  // namespace

void KeepForever(const void* object) {
  Kept* const node = new Kept{object, kept.load(std::memory_order_relaxed)};
  while (!kept.compare_exchange_weak(node->next, node)) {
  }
}

}  // namespace internal

ProcessMark::ProcessMark() {
  // The first mark registers the handler. Static objects make marks before main
  // begins. pthread_atfork fails only when there is no memory.
  static const bool registered =
      pthread_atfork(nullptr, nullptr, internal::OnFork) == 0;
  static_cast<void>(registered);
  number_ = internal::process_number.load(std::memory_order_relaxed);
}

absl::Status InheritedError(absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("this ", what,
                   " was made before fork, in the parent process, which goes "
                   "on using it: create a new one in this process"));
}

}  // namespace gearman
