// The tasks that a WorkerSession offers to its server, and takes back.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/sdk/internal/worker/worker_session.h"

namespace gearman {
namespace internal {

void WorkerSession::ChangeTasks(absl::Span<const TaskChange> changes) {
  for (const TaskChange& change : changes) {
    if (change.task != nullptr) {
      OfferTask(change.task);
      continue;
    }
    const auto found = offered_.find(change.function);
    if (found == offered_.end()) continue;
    found->second->wanted = false;
    found->second->gives_way = change.gives_way;
    LookAtLater(found->second.get());
  }
  TakeBackTasks();
}

void WorkerSession::OfferTask(const std::shared_ptr<Task>& task) {
  std::unique_ptr<Offer>& offer = offered_[task->function];
  if (offer != nullptr) {
    offer->task = task;
    offer->wanted = true;
    offer->gives_way = false;
    if (offer->announced_ms != task->announced_ms) LookAtLater(offer.get());
    return;
  }
  offer = std::make_unique<Offer>();
  offer->task = task;
  Announce(offer.get());
  CountWakeUp(sleep_.OnOffer(), WakeupCause::kRegistered);
}

void WorkerSession::LookAtLater(Offer* offer) {
  if (std::exchange(offer->look_at, true)) return;
  look_at_.push_back(offer);
}

std::vector<std::string> WorkerSession::refused_tasks() const {
  std::vector<std::string> names;
  for (const auto& entry : offered_) {
    if (entry.second->refused) names.push_back(entry.second->task->name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool WorkerSession::NoteRefusal(absl::string_view text, absl::Time now,
                                absl::string_view* name) {
  // The embedded server's text ends with the name: "Too many functions: echo".
  const size_t colon = text.find(": ");
  const auto named = colon == absl::string_view::npos
                         ? offered_.end()
                         : offered_.find(text.substr(colon + 2));
  bool known = true;
  const auto refuse = [&known](Offer& offer) {
    known = known && offer.refused;
    offer.refused = true;
    offer.asked_again = false;
  };
  if (named != offered_.end()) {
    refuse(*named->second);
    *name = named->second->task->name;
  } else {
    // The server may mean any task. Offering it a task that it already has does
    // no harm.
    for (const auto& entry : offered_) refuse(*entry.second);
  }
  if (offer_again_at_ == absl::InfiniteFuture()) {
    offer_delay_ =
        offer_delay_ == absl::ZeroDuration()
            ? options().first_offer_delay
            : std::min(2 * offer_delay_, options().longest_offer_delay);
    offer_again_at_ = now + offer_delay_;
  }
  return known;
}

void WorkerSession::RepeatOffers(absl::Time now) {
  offer_again_at_ = absl::InfiniteFuture();
  bool any = false;
  for (const auto& entry : offered_) {
    Offer& offer = *entry.second;
    if (!offer.refused || !offer.wanted) continue;
    any = true;
    offer.asked_again = true;
    if (offer.announced_ms != 0) --timed_offers_;
    Announce(&offer);
  }
  if (!any) return;
  // The server sends a refusal before the answer to this echo.
  MustEncode(
      wire::Encode(wire::EchoRequest{Payload::View(kOffersEcho)}, *output_));
  Due(ReplyKind::kOffers, 1, now);
  CountWakeUp(sleep_.OnOffer(), WakeupCause::kRegistered);
}

bool WorkerSession::EndRepeat() {
  bool refused = false;
  for (const auto& entry : offered_) {
    Offer& offer = *entry.second;
    if (offer.asked_again) offer.refused = false;
    offer.asked_again = false;
    refused = refused || offer.refused;
  }
  if (!refused) offer_delay_ = absl::ZeroDuration();
  return !refused;
}

void WorkerSession::Announce(Offer* offer) {
  const Task& task = *offer->task;
  offer->announced_ms = task.announced_ms;
  if (task.announced_ms == 0) {
    MustEncode(wire::Encode(wire::CanDo{task.function}, *output_));
    return;
  }
  ++timed_offers_;
  MustEncode(wire::Encode(
      wire::CanDoTimeout{task.function, absl::StrCat(task.announced_ms)},
      *output_));
}

// A task can't be taken back while a job of it is held or may be on its way:
// the server would give the job to another worker, although it runs here.
void WorkerSession::TakeBackTasks() {
  if (outstanding_ > 0) return;
  blocked_ = false;
  size_t left = 0;
  for (Offer* const offer : look_at_) {
    const bool keep =
        offer->wanted && offer->announced_ms == offer->task->announced_ms;
    if (!keep && offer->held > 0) {
      look_at_[left++] = offer;
      blocked_ = blocked_ || offer->gives_way;
      continue;
    }
    offer->look_at = false;
    if (keep) continue;
    const auto place = offered_.find(offer->task->function);
    MustEncode(wire::Encode(wire::CantDo{place->first}, *output_));
    if (offer->announced_ms != 0) --timed_offers_;
    if (offer->wanted) {
      // Only its time limit has changed.
      Announce(offer);
      CountWakeUp(sleep_.OnOffer(), WakeupCause::kRegistered);
      continue;
    }
    if (last_offer_ == offer) last_offer_ = nullptr;
    offered_.erase(place);
  }
  look_at_.resize(left);
  blocked_ = blocked_ && offered_.size() > left;
}

}  // namespace internal
}  // namespace gearman
