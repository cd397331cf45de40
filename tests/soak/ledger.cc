#include "gearman/tests/soak/ledger.h"

#include <utility>

namespace gearman {
namespace soak {

void Ledger::Expect(std::string unique) {
  absl::MutexLock lock(&mutex_);
  entries_.emplace(std::move(unique), Entry());
}

void Ledger::Ran(absl::string_view unique) {
  absl::MutexLock lock(&mutex_);
  const auto it = entries_.find(unique);
  if (it == entries_.end()) return;
  if (it->second.accepted) {
    entries_.erase(it);
  } else {
    it->second.ran = true;
  }
}

void Ledger::Settle(absl::string_view unique, bool accepted) {
  absl::MutexLock lock(&mutex_);
  const auto it = entries_.find(unique);
  if (it == entries_.end()) return;
  if (!accepted || it->second.ran) {
    entries_.erase(it);
  } else {
    it->second.accepted = true;
  }
}

size_t Ledger::WaitForAll(absl::Duration bound) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(
      absl::Condition(
          +[](Ledger* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) {
            return self->entries_.empty();
          },
          this),
      bound);
  return entries_.size();
}

}  // namespace soak
}  // namespace gearman
