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

// Returns an effect like `effect` for another operation, with its own
// data.
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

Effect EffectOf(Effect::Kind kind, Payload data = {}) {
  Effect effect;
  effect.kind = kind;
  effect.data = std::move(data);
  return effect;
}

constexpr absl::string_view kEchoName = "ECHO_RES";

// The answer of STATUS_RES or STATUS_RES_UNIQUE.
template <typename Result>
Effect StatusOf(const Result& event) {
  Effect effect = EffectOf(Effect::Kind::kStatus);
  effect.known = event.known == "1";
  effect.running = event.running == "1";
  effect.numerator = wire::ParseProgress(event.numerator);
  effect.denominator = wire::ParseProgress(event.denominator);
  return effect;
}

}  // namespace

absl::Status ClientSession::OnEvent(wire::ToClient& event) {
  return std::visit([this](auto& message) { return Handle(message); }, event);
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

absl::Status ClientSession::Handle(wire::JobCreated& event) {
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
    JobRequestState* const request = AsRequest(operation);
    request->reply_due = false;
    request->handle.Assign(event.handle);
    if (!foreground) request->session = nullptr;
  }
  // No WORK_* packet will come for a background job.
  if (foreground) {
    handles_.AddSubmission(event.handle, chain);
    if (!ended_.empty()) ended_.erase(event.handle);
  }
  for (Operation* operation = chain; operation != nullptr;) {
    // The sink may free a background job's request. It detaches no request.
    Operation* const next = operation->next_shared;
    sink_->OnAccepted(AsRequest(operation));
    operation = next;
  }
  return absl::OkStatus();
}

absl::Status ClientSession::Spread(absl::string_view handle,
                                   absl::string_view packet, bool ends_job,
                                   Effect&& effect) {
  const HandleTable::Arrival arrival = handles_.Arrive(handle, ends_job);
  if (!arrival.known) {
    if (ended_.contains(handle) || handles_.has_forgotten()) {
      return absl::OkStatus();
    }
    return absl::DataLossError(
        absl::StrCat("the server sent ", packet, " for the handle \"",
                     SafeText(handle), "\", which nobody here asked for"));
  }
  if (ends_job && effect.kind != Effect::Kind::kCompleted) {
    RememberEnded(handle);
  }
  if (arrival.first_copy && arrival.requests != nullptr) {
    GiveToAll(arrival.requests, ends_job, std::move(effect));
  }
  return absl::OkStatus();
}

void ClientSession::GiveToAll(JobRequestState* first, bool ends_job,
                              Effect&& effect) {
  Operation* operation = first;
  for (;;) {
    // The sink may detach or free this request, but no other one.
    Operation* const next = operation->next_shared;
    if (ends_job) {
      // Each request of the chain may be the one that stands for it.
      StopSharing(*AsRequest(operation));
      operation->next_shared = nullptr;
      operation->behind = false;
      operation->session = nullptr;
    }
    if (next == nullptr) break;
    Effect copy = CopyOf(effect);
    copy.operation = operation;
    sink_->OnEffect(copy);
    operation = next;
  }
  effect.operation = operation;
  sink_->OnEffect(effect);
}

void ClientSession::RememberEnded(absl::string_view handle) {
  if (!ended_.insert(std::string(handle)).second) return;
  ended_order_.emplace_back(handle);
  if (ended_order_.size() <= kMaxEndedHandles) return;
  ended_.erase(ended_order_.front());
  ended_order_.pop_front();
}

absl::Status ClientSession::Handle(wire::WorkComplete& event) {
  return Spread(event.handle, "WORK_COMPLETE", true,
                EffectOf(Effect::Kind::kCompleted, std::move(event.data)));
}

absl::Status ClientSession::Handle(wire::WorkData& event) {
  return Spread(event.handle, "WORK_DATA", false,
                EffectOf(Effect::Kind::kData, std::move(event.data)));
}

absl::Status ClientSession::Handle(wire::WorkWarning& event) {
  const Effect::Kind kind = absl::StartsWith(event.data.view(), kFailureMark)
                                ? Effect::Kind::kFailureText
                                : Effect::Kind::kWarning;
  return Spread(event.handle, "WORK_WARNING", false,
                EffectOf(kind, std::move(event.data)));
}

absl::Status ClientSession::Handle(wire::WorkStatus& event) {
  Effect effect = EffectOf(Effect::Kind::kStatus);
  effect.known = true;
  effect.running = true;
  effect.numerator = wire::ParseProgress(event.numerator);
  effect.denominator = wire::ParseProgress(event.denominator);
  return Spread(event.handle, "WORK_STATUS", false, std::move(effect));
}

absl::Status ClientSession::Handle(wire::WorkFail& event) {
  return Spread(event.handle, "WORK_FAIL", true,
                EffectOf(Effect::Kind::kFailed));
}

absl::Status ClientSession::Handle(wire::WorkException& event) {
  return Spread(event.handle, "WORK_EXCEPTION", true,
                EffectOf(Effect::Kind::kException, std::move(event.data)));
}

absl::Status ClientSession::AnswerQuery(ExpectedReply expected,
                                        absl::string_view packet,
                                        absl::string_view about,
                                        Effect&& effect) {
  ReplyQueue::Entry entry;
  absl::Status status = PopReply(expected, expected, packet, about, &entry);
  if (!status.ok() || entry.operation == nullptr) return status;
  entry.operation->reply_due = false;
  entry.operation->session = nullptr;
  effect.operation = entry.operation;
  sink_->OnEffect(effect);
  return absl::OkStatus();
}

absl::Status ClientSession::Handle(wire::StatusResult& event) {
  if (!replies_.empty() &&
      replies_.front().expected == ExpectedReply::kJobKnown) {
    replies_.Pop();
    ++replies_received_;
    OnJobKnown(event);
    return absl::OkStatus();
  }
  return AnswerQuery(ExpectedReply::kStatus, "STATUS_RES", event.handle,
                     StatusOf(event));
}

void ClientSession::OnJobKnown(const wire::StatusResult& event) {
  // A server tells the end of a job before it forgets the job. So the requests
  // of a job that has ended are not in the table any more.
  if (event.known != "0") return;
  JobRequestState* const requests = handles_.Forget(event.handle);
  if (requests == nullptr) return;
  // A server whose answer was wrong may still send packets for the job.
  RememberEnded(event.handle);
  GiveToAll(requests, /*ends_job=*/true, EffectOf(Effect::Kind::kDropped));
}

absl::Status ClientSession::Handle(wire::StatusResultUnique& event) {
  Effect effect = StatusOf(event);
  effect.client_count = wire::ParseProgress(event.client_count);
  return AnswerQuery(ExpectedReply::kStatusUnique, "STATUS_RES_UNIQUE",
                     event.unique, std::move(effect));
}

absl::Status ClientSession::Handle(wire::EchoResponse& event) {
  return AnswerQuery(ExpectedReply::kEcho, kEchoName, "an echo",
                     EffectOf(Effect::Kind::kEcho, std::move(event.data)));
}

absl::Status ClientSession::Handle(wire::OptionResponse& event) {
  ReplyQueue::Entry entry;
  return PopReply(ExpectedReply::kOption, ExpectedReply::kOption, "OPTION_RES",
                  event.option, &entry);
}

absl::Status ClientSession::Handle(wire::Error& event) {
  if (replies_.empty()) {
    return absl::DataLossError(
        absl::StrCat("the server sent ERROR ", SafeText(event.code), " (",
                     SafeMessage(event.text), ") with no command unanswered"));
  }
  const ReplyQueue::Entry entry = replies_.Pop();
  ++replies_received_;
  // If the server does not know an option, the client works without it.
  Operation* operation = entry.operation;
  while (operation != nullptr) {
    Operation* const next = operation->next_shared;
    if (operation->kind == Operation::Kind::kJob) {
      StopSharing(*AsRequest(operation));
    }
    operation->next_shared = nullptr;
    operation->behind = false;
    operation->reply_due = false;
    operation->session = nullptr;
    Effect effect = EffectOf(Effect::Kind::kRefused);
    effect.operation = operation;
    effect.code = event.code;
    effect.text = event.text;
    sink_->OnEffect(effect);
    operation = next;
  }
  return absl::OkStatus();
}

absl::Status ClientSession::Handle(wire::PayloadBegins& event) {
  passing_for_.assign(event.argument.data(), event.argument.size());
  passing_.kind = event.info->command == wire::Command::kWorkComplete
                      ? DataPiece::Kind::kResult
                      : DataPiece::Kind::kData;
  passing_.size = event.size;
  passing_.offset = 0;
  return absl::OkStatus();
}

absl::Status ClientSession::Handle(wire::PayloadPiece& event) {
  passing_.bytes = event.bytes;
  // The request may have been cancelled since the payload began.
  JobRequestState* const request = handles_.FindAlone(passing_for_);
  if (WantsPieces(request)) sink_->OnPiece(request, passing_);
  passing_.offset += event.bytes.size();
  passing_.bytes = StringView();
  if (event.left > 0) return absl::OkStatus();
  if (passing_.kind == DataPiece::Kind::kData) {
    handles_.Arrive(passing_for_, /*ends_job=*/false);
    return absl::OkStatus();
  }
  Effect effect = EffectOf(Effect::Kind::kCompleted);
  effect.in_pieces = true;
  return Spread(passing_for_, "WORK_COMPLETE", true, std::move(effect));
}

absl::Status ClientSession::Handle(wire::TooLargePacket& event) {
  Effect effect = EffectOf(Effect::Kind::kTooLarge);
  effect.too_large = &event;
  switch (event.info->command) {
    case wire::Command::kWorkComplete:
    case wire::Command::kWorkException:
      return Spread(event.argument("handle"), event.info->name,
                    /*ends_job=*/true, std::move(effect));
    case wire::Command::kWorkData:
    case wire::Command::kWorkWarning:
      return Spread(event.argument("handle"), event.info->name,
                    /*ends_job=*/false, std::move(effect));
    case wire::Command::kEchoRes:
      return AnswerQuery(ExpectedReply::kEcho, kEchoName, "an echo",
                         std::move(effect));
    default: {  // ERROR; no other packet to a client has a payload.
      wire::Error error{event.argument("code"),
                        "(the text is too large and was skipped)"};
      return Handle(error);
    }
  }
}

namespace {

// True if the packet of this submission has a body of which a part was not
// written. `written` counts the bytes of the connection's stream.
bool IsCutOff(const Operation* operation, uint64_t written) {
  if (operation == nullptr || operation->kind != Operation::Kind::kJob) {
    return false;
  }
  const JobRequestExtras* const extras =
      static_cast<const JobRequestState*>(operation)->extras.get();
  return extras != nullptr && extras->outgoing != nullptr &&
         written < extras->packet_end;
}

}  // namespace

void ClientSession::OnConnectionLost(std::vector<Orphan>* orphans) {
  const uint64_t written = output_->total_consumed();
  while (!replies_.empty()) {
    Operation* operation = replies_.Pop().operation;
    // The first one's packet is that of all that share the submission.
    const bool cut_off = IsCutOff(operation, written);
    while (operation != nullptr) {
      Operation* next = operation->next_shared;
      operation->next_shared = nullptr;
      operation->reply_due = false;
      operation->session = nullptr;
      orphans->push_back(
          {operation, false, operation->packet_offset < written, cut_off});
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
