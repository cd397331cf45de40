#include "gearman/transports/wake_batch.h"

#include <memory>
#include <utility>

namespace gearman {
namespace {

thread_local WakeBatch* current = nullptr;

}  // namespace

WakeBatch::WakeBatch() : outer_(std::exchange(current, this)) {}

WakeBatch::~WakeBatch() {
  current = outer_;
  for (const std::shared_ptr<Sleeper>& sleeper : sleepers_) sleeper->Rouse();
}

void WakeBatch::Rouse(std::shared_ptr<Sleeper> sleeper) {
  if (current == nullptr) {
    sleeper->Rouse();
  } else {
    current->sleepers_.push_back(std::move(sleeper));
  }
}

}  // namespace gearman
