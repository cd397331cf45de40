// The part of ClientSession that handles what the server sends, and the loss of
// the connection.
#include <cstdint>
#include <new>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/progress.h"
#include "gearman/sdk/internal/client/client_session.h"
#include "gearman/sdk/internal/failure_text.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// Returns an effect like `effect` for another operation, with its own data.
Effect CopyOf(const Effect& effect) {
  Effect copy;
  copy.kind = effect.kind;
  copy.too_large = effect.too_large;
  const absl::string_view data = effect.data.view();
  try {
    copy.data = Payload(std::string(data.data(), data.size()));
  } catch (const std::bad_alloc&) {
    copy.kind = Effect::Kind::kNoMemory;
  }
  copy.known = effect.known;
  copy.running = effect.running;
  copy.numerator = effect.numerator;
  copy.denominator = effect.denominator;
  return copy;
}

constexpr absl::string_view kEchoName = "ECHO_RES";

// Puts the answer of STATUS_RES or STATUS_RES_UNIQUE into `effect`.
template <typename Result>
void PutStatus(const Result& event, Effect* effect) {
  effect->kind = Effect::Kind::kStatus;
  effect->known = event.known == "1";
  effect->running = event.running == "1";
  effect->numerator = wire::ParseProgress(event.numerator);
  effect->denominator = wire::ParseProgress(event.denominator);
}

}  // namespace

absl::Status ClientSession::OnEvent(wire::ToClient& event, Effects* effects) {
  return std::visit(
      [this, effects](auto& message) { return Handle(message, effects); },
      event);
}

absl::Status ClientSession::PopReply(ExpectedReply expected,
                                     ExpectedReply or_expected,
                                     absl::string_view packet,
                                     absl::string_view about,
                                     ReplyQueue::Entry* entry) {
  if (replies_.empty()) {
    return absl::DataLossError(absl::StrCat("the server sent ", packet, " (",
                                            SafeText(about),
                                            ") with no command unanswered"));
  }
  const ExpectedReply front = replies_.front().expected;
  if (front != expected && front != or_expected) {
    return absl::DataLossError(
        absl::StrCat("the server sent ", packet, " (", SafeText(about),
                     ") out of turn: another command's reply was due"));
  }
  *entry = replies_.Pop();
  ++replies_received_;
  return absl::OkStatus();
}

absl::Status ClientSession::Handle(wire::JobCreated& event, Effects* effects) {
  // This check comes before the reply is popped: a popped operation would no
  // longer be found as an orphan.
  if (event.handle.size() > InlineBytes::kMaxSize || event.handle.empty()) {
    return absl::DataLossError(
        absl::StrCat("the server sent JOB_CREATED with a handle of ",
                     event.handle.size(), " bytes; 1 to 63 are legal"));
  }
  ReplyQueue::Entry entry;
  absl::Status status = PopReply(ExpectedReply::kJobCreatedForeground,
                                 ExpectedReply::kJobCreatedBackground,
                                 "JOB_CREATED", event.handle, &entry);
  if (!status.ok()) return status;
  const bool foreground =
      entry.expected == ExpectedReply::kJobCreatedForeground;
  JobRequestState* const chain = AsRequest(entry.operation);
  for (Operation* operation = chain; operation != nullptr;
       operation = operation->next_shared) {
    JobRequestState* request = AsRequest(operation);
    request->reply_due = false;
    request->handle.Assign(event.handle);
    if (!foreground) request->session = nullptr;
    Effect& effect = effects->emplace_back();
    effect.kind = Effect::Kind::kAccepted;
    effect.operation = request;
  }
  // No WORK_* packet will come for a background job.
  if (foreground) {
    handles_.AddSubmission(event.handle, chain);
    if (!ended_.empty()) ended_.erase(event.handle);
  }
  return absl::OkStatus();
}

absl::Status ClientSession::Spread(absl::string_view handle,
                                   absl::string_view packet, bool ends_job,
                                   Effects* effects) {
  const HandleTable::Arrival arrival = handles_.Arrive(handle, ends_job);
  if (!arrival.known) {
    effects->pop_back();
    if (ended_.contains(handle) || handles_.has_forgotten()) {
      return absl::OkStatus();
    }
    return absl::DataLossError(
        absl::StrCat("the server sent ", packet, " for the handle \"",
                     SafeText(handle), "\", which nobody here asked for"));
  }
  if (ends_job && effects->back().kind != Effect::Kind::kCompleted) {
    RememberEnded(handle);
  }
  if (!arrival.first_copy || arrival.requests == nullptr) {
    effects->pop_back();
    return absl::OkStatus();
  }
  GiveToAll(arrival.requests, ends_job, effects);
  return absl::OkStatus();
}

void ClientSession::GiveToAll(JobRequestState* first, bool ends_job,
                              Effects* effects) {
  if (ends_job) StopSharing(*first);
  Operation* operation = first;
  for (;;) {
    Operation* const next = operation->next_shared;
    effects->back().operation = operation;
    if (ends_job) {
      operation->next_shared = nullptr;
      operation->session = nullptr;
    }
    if (next == nullptr) return;
    effects->push_back(CopyOf(effects->back()));
    operation = next;
  }
}

void ClientSession::RememberEnded(absl::string_view handle) {
  if (!ended_.insert(std::string(handle)).second) return;
  ended_order_.emplace_back(handle);
  if (ended_order_.size() <= kMaxEndedHandles) return;
  ended_.erase(ended_order_.front());
  ended_order_.pop_front();
}

absl::Status ClientSession::Handle(wire::WorkComplete& event,
                                   Effects* effects) {
  Effect& effect = effects->emplace_back();
  effect.kind = Effect::Kind::kCompleted;
  effect.data = std::move(event.data);
  return Spread(event.handle, "WORK_COMPLETE", true, effects);
}

absl::Status ClientSession::Handle(wire::WorkData& event, Effects* effects) {
  Effect& effect = effects->emplace_back();
  effect.kind = Effect::Kind::kData;
  effect.data = std::move(event.data);
  return Spread(event.handle, "WORK_DATA", false, effects);
}

absl::Status ClientSession::Handle(wire::WorkWarning& event, Effects* effects) {
  Effect& effect = effects->emplace_back();
  effect.kind = absl::StartsWith(event.data.view(), kFailureMark)
                    ? Effect::Kind::kFailureText
                    : Effect::Kind::kWarning;
  effect.data = std::move(event.data);
  return Spread(event.handle, "WORK_WARNING", false, effects);
}

absl::Status ClientSession::Handle(wire::WorkStatus& event, Effects* effects) {
  Effect& effect = effects->emplace_back();
  effect.kind = Effect::Kind::kStatus;
  effect.known = true;
  effect.running = true;
  effect.numerator = wire::ParseProgress(event.numerator);
  effect.denominator = wire::ParseProgress(event.denominator);
  return Spread(event.handle, "WORK_STATUS", false, effects);
}

absl::Status ClientSession::Handle(wire::WorkFail& event, Effects* effects) {
  Effect& effect = effects->emplace_back();
  effect.kind = Effect::Kind::kFailed;
  return Spread(event.handle, "WORK_FAIL", true, effects);
}

absl::Status ClientSession::Handle(wire::WorkException& event,
                                   Effects* effects) {
  Effect& effect = effects->emplace_back();
  effect.kind = Effect::Kind::kException;
  effect.data = std::move(event.data);
  return Spread(event.handle, "WORK_EXCEPTION", true, effects);
}

absl::Status ClientSession::AnswerQuery(ExpectedReply expected,
                                        absl::string_view packet,
                                        absl::string_view about,
                                        Effects* effects, Effect** effect) {
  *effect = nullptr;
  ReplyQueue::Entry entry;
  absl::Status status = PopReply(expected, expected, packet, about, &entry);
  if (!status.ok() || entry.operation == nullptr) return status;
  entry.operation->reply_due = false;
  entry.operation->session = nullptr;
  *effect = &effects->emplace_back();
  (*effect)->operation = entry.operation;
  return absl::OkStatus();
}

absl::Status ClientSession::Handle(wire::StatusResult& event,
                                   Effects* effects) {
  if (!replies_.empty() &&
      replies_.front().expected == ExpectedReply::kJobKnown) {
    replies_.Pop();
    ++replies_received_;
    OnJobKnown(event, effects);
    return absl::OkStatus();
  }
  Effect* effect;
  absl::Status status = AnswerQuery(ExpectedReply::kStatus, "STATUS_RES",
                                    event.handle, effects, &effect);
  if (effect == nullptr) return status;
  PutStatus(event, effect);
  return absl::OkStatus();
}

void ClientSession::OnJobKnown(const wire::StatusResult& event,
                               Effects* effects) {
  // A server tells the end of a job before it forgets the job. So the requests
  // of a job that has ended are not in the table any more.
  if (event.known != "0") return;
  JobRequestState* const requests = handles_.Forget(event.handle);
  if (requests == nullptr) return;
  // A server whose answer was wrong may still send packets for the job.
  RememberEnded(event.handle);
  effects->emplace_back().kind = Effect::Kind::kDropped;
  GiveToAll(requests, /*ends_job=*/true, effects);
}

absl::Status ClientSession::Handle(wire::StatusResultUnique& event,
                                   Effects* effects) {
  Effect* effect;
  absl::Status status =
      AnswerQuery(ExpectedReply::kStatusUnique, "STATUS_RES_UNIQUE",
                  event.unique, effects, &effect);
  if (effect == nullptr) return status;
  PutStatus(event, effect);
  effect->client_count = wire::ParseProgress(event.client_count);
  return absl::OkStatus();
}

absl::Status ClientSession::Handle(wire::EchoResponse& event,
                                   Effects* effects) {
  Effect* effect;
  absl::Status status =
      AnswerQuery(ExpectedReply::kEcho, kEchoName, "an echo", effects, &effect);
  if (effect == nullptr) return status;
  effect->kind = Effect::Kind::kEcho;
  effect->data = std::move(event.data);
  return absl::OkStatus();
}

absl::Status ClientSession::Handle(wire::OptionResponse& event, Effects*) {
  ReplyQueue::Entry entry;
  return PopReply(ExpectedReply::kOption, ExpectedReply::kOption, "OPTION_RES",
                  event.option, &entry);
}

absl::Status ClientSession::Handle(wire::Error& event, Effects* effects) {
  if (replies_.empty()) {
    return absl::DataLossError(
        absl::StrCat("the server sent ERROR ", SafeText(event.code), " (",
                     SafeMessage(event.text), ") with no command unanswered"));
  }
  const ReplyQueue::Entry entry = replies_.Pop();
  ++replies_received_;
  // If the server does not know an option, the client works without it.
  Operation* operation = entry.operation;
  if (operation != nullptr && operation->kind == Operation::Kind::kJob) {
    StopSharing(*AsRequest(operation));
  }
  while (operation != nullptr) {
    Operation* next = operation->next_shared;
    operation->next_shared = nullptr;
    operation->reply_due = false;
    operation->session = nullptr;
    Effect effect;
    effect.kind = Effect::Kind::kRefused;
    effect.operation = operation;
    effect.code = event.code;
    effect.text = event.text;
    effects->push_back(std::move(effect));
    operation = next;
  }
  return absl::OkStatus();
}

absl::Status ClientSession::Handle(wire::TooLargePacket& event,
                                   Effects* effects) {
  bool ends_job = false;
  switch (event.info->command) {
    case wire::Command::kWorkComplete:
    case wire::Command::kWorkException:
      ends_job = true;
      break;
    case wire::Command::kWorkData:
    case wire::Command::kWorkWarning:
      break;
    case wire::Command::kEchoRes: {
      Effect* effect;
      absl::Status status = AnswerQuery(ExpectedReply::kEcho, kEchoName,
                                        "an echo", effects, &effect);
      if (effect == nullptr) return status;
      effect->kind = Effect::Kind::kTooLarge;
      effect->too_large = &event;
      return absl::OkStatus();
    }
    default: {  // ERROR; no other packet to a client has a payload.
      wire::Error error{event.argument("code"),
                        "(the text is too large and was skipped)"};
      return Handle(error, effects);
    }
  }
  Effect& effect = effects->emplace_back();
  effect.kind = Effect::Kind::kTooLarge;
  effect.too_large = &event;
  return Spread(event.argument("handle"), event.info->name, ends_job, effects);
}

void ClientSession::OnConnectionLost(std::vector<Orphan>* orphans) {
  const uint64_t written = output_->total_consumed();
  while (!replies_.empty()) {
    Operation* operation = replies_.Pop().operation;
    while (operation != nullptr) {
      Operation* next = operation->next_shared;
      operation->next_shared = nullptr;
      operation->reply_due = false;
      operation->session = nullptr;
      orphans->push_back(
          {operation, false, operation->packet_offset < written});
      operation = next;
    }
  }
  handles_.Drain([orphans](JobRequestState* request) {
    request->session = nullptr;
    orphans->push_back({request, true, true});
  });
  shared_.clear();
  ended_.clear();
  ended_order_.clear();
}

}  // namespace internal
}  // namespace gearman
