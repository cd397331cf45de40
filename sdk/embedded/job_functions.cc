// The functions of a JobQueue: how they are found, made and forgotten.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gearman/sdk/embedded/work_meter.h"

namespace gearman {
namespace embedded {
namespace {

size_t CaselessHash(absl::string_view name) {
  return absl::Hash<std::string>()(absl::AsciiStrToLower(name));
}

}  // namespace

Function* JobQueue::FindFunction(absl::string_view name) {
  if (last_found_ != nullptr && last_found_->name == name) return last_found_;
  const auto found = functions_.find(name);
  if (!found) return nullptr;
  last_found_ = found->second.get();
  return last_found_;
}

Function* JobQueue::GetFunction(absl::string_view name) {
  if (Function* const known = FindFunction(name)) return known;
  if (options_.max_functions > 0 &&
      functions_.size() >= options_.max_functions && !ForgetIdle()) {
    return nullptr;
  }
  return NewFunction(name);
}

Function* JobQueue::GetFunctionFor(absl::string_view name, size_t registered) {
  if (Function* const function = GetFunction(name)) return function;
  const size_t all = options_.max_functions + options_.max_functions / 4;
  if (functions_.size() >= all ||
      registered >= (all - functions_.size()) / kReserveShare) {
    return nullptr;
  }
  return NewFunction(name);
}

Function* JobQueue::NewFunction(absl::string_view name) {
  meter_.Spend(cost::kJob + cost::Bytes(16 * name.size()));
  auto function = std::make_unique<Function>(name);
  Function& made = *function;
  if (Exceeds(made.memory())) return nullptr;
  made.caseless_hash = CaselessHash(name);
  // Allocate everything first.
  functions_.Reserve(1);
  const auto in_order = by_name_.emplace(made.name, &made).first;
  try {
    by_spelling_.emplace(
        std::pair<size_t, absl::string_view>(made.caseless_hash, made.name),
        &made);
  } catch (...) {
    by_name_.erase(in_order);
    throw;
  }
  functions_.emplace(absl::string_view(made.name), std::move(function));
  account_.Add(made.memory());
  NoteUse(made);
  return &made;
}

bool JobQueue::Exceeds(size_t bytes) {
  if (options_.max_memory == 0) return false;
  while (account_.bytes() + bytes > options_.max_memory) {
    if (!ForgetIdle()) return true;
  }
  return false;
}

std::unique_ptr<Function> JobQueue::TakeOut(Function& function) {
  if (last_found_ == &function) last_found_ = nullptr;
  if (function.ListLink<IdleTag>::linked()) {
    idle_name_bytes_ -= function.name.size();
    function.ListLink<IdleTag>::Unlink();
  }
  by_name_.erase(function.name);
  by_spelling_.erase({function.caseless_hash, function.name});
  const auto found = functions_.find(absl::string_view(function.name));
  // The key is a view of the function's name.
  std::unique_ptr<Function> owned = std::move(found->second);
  functions_.erase(found);
  return owned;
}

void JobQueue::RemoveFunction(Function& function) {
  meter_.Spend(cost::kJob);
  account_.Remove(function.memory());
  TakeOut(function);
}

void JobQueue::DropFunction(Function& function) {
  function.dropped = true;
  dropped_.PushBack(*TakeOut(function).release());
}

void JobQueue::ForgetDropped(Function& function) {
  account_.Remove(function.memory());
  delete &function;
}

bool JobQueue::ForgetIdle() {
  if (idle_functions_.empty()) return false;
  RemoveFunction(idle_functions_.front());
  return true;
}

void JobQueue::NoteUse(Function& function) {
  if (function.dropped) return;
  const bool idle = function.total() == 0 && function.workers == 0 &&
                    function.max_queue == decltype(function.max_queue)();
  if (idle == function.ListLink<IdleTag>::linked()) return;
  if (!idle) {
    function.ListLink<IdleTag>::Unlink();
    idle_name_bytes_ -= function.name.size();
    return;
  }
  idle_functions_.PushBack(function);
  idle_name_bytes_ += function.name.size();
  while (idle_name_bytes_ > kMaxIdleNameBytes &&
         &idle_functions_.front() != &function) {
    ForgetIdle();
  }
}

void JobQueue::AddRegistration(Function& function) {
  ++function.workers;
  NoteUse(function);
}

void JobQueue::RemoveRegistrations(Function& function, size_t count) {
  function.workers -= count;
  NoteUse(function);
}

void JobQueue::SetMaxQueue(Function& function, uint32_t high, uint32_t normal,
                           uint32_t low) {
  function.max_queue[IndexOf(Priority::kHigh)] = high;
  function.max_queue[IndexOf(Priority::kNone)] = normal;
  function.max_queue[IndexOf(Priority::kLow)] = low;
  NoteUse(function);
}

Function* JobQueue::FunctionAfter(const std::string* name) {
  meter_.Spend(cost::kLook);
  const auto next =
      name == nullptr ? by_name_.begin() : by_name_.upper_bound(*name);
  return next == by_name_.end() ? nullptr : next->second;
}

Function* JobQueue::SpellingAfter(absl::string_view name,
                                  const std::string* last) {
  const size_t hash = CaselessHash(name);
  auto next = last == nullptr
                  ? by_spelling_.lower_bound({hash, absl::string_view()})
                  : by_spelling_.upper_bound({hash, *last});
  for (; next != by_spelling_.end() && next->first.first == hash; ++next) {
    meter_.Spend(cost::kLook);
    if (absl::EqualsIgnoreCase(next->second->name, name)) return next->second;
  }
  return nullptr;
}

std::vector<Function*> JobQueue::Functions() {
  std::vector<Function*> functions;
  functions.reserve(by_name_.size());
  for (const auto& entry : by_name_) functions.push_back(entry.second);
  return functions;
}

}  // namespace embedded
}  // namespace gearman
