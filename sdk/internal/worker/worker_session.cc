#include "gearman/sdk/internal/worker/worker_session.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

constexpr char kHeartbeat[] = "gearman_sdk heartbeat";
constexpr char kReceipt[] = "gearman_sdk receipt";

// The embedded server refuses a CAN_DO with these codes. No server refuses a
// grab with them.
bool RefusesTask(absl::string_view code) {
  return absl::EqualsIgnoreCase(code, "QUEUE_ERROR") ||
         absl::EqualsIgnoreCase(code, "ARGUMENT_TOO_LARGE") ||
         absl::EqualsIgnoreCase(code, "INVALID_ARGS");
}

}  // namespace

WorkerSession::WorkerSession(Shared* shared, wire::OutputBuffer* output,
                             Grabs grabs, int* lane_outstanding)
    : shared_(shared),
      output_(output),
      lane_outstanding_(lane_outstanding),
      grabs_(grabs) {
  if (!options().client_id.empty()) {
    MustEncode(wire::Encode(wire::SetClientId{options().client_id}, *output_));
  }
  for (const std::string& option : options().server_options) {
    MustEncode(wire::Encode(wire::OptionRequest{option}, *output_));
    Due(ReplyKind::kOption, 1, absl::InfiniteFuture());
  }
}

// --- grabbing and sleeping ---------------------------------------------------

void WorkerSession::OnConnected(absl::Time now) {
  shared_->counters->Add(&WorkerStats::connects);
  sleep_.OnConnected(now);
  last_received_ = now;
  for (RepliesDue& due : replies_due_) due.since = now;
  if (!replies_due_.empty()) waiting_since_ = now;
  if (asks_echo_) SendHeartbeat(now);
}

int WorkerSession::wanted_grabs() const {
  if (!grabbing_ || !sleep_.may_grab() || taking_back() || probing_ ||
      overdue_ || offered_.empty()) {
    return 0;
  }
  if (server_times()) return outstanding_ + held_ > 0 ? 0 : 1;
  // Jobs in progress end first, because the connection may end with the probe.
  if (grabs_.unsure && grab_answered_) return wants_probe() ? 1 : 0;
  return sleep_.wanted_grabs(work());
}

void WorkerSession::Grab(int count, absl::Time now) {
  count = std::min(count, wanted_grabs());
  if (count <= 0) return;
  probing_ = wants_probe();
  const wire::GrabKind kind = probing_ ? wire::GrabKind::kAll : grabs_.kind;
  wire::EncodeGrabs(wire::GrabJob{kind}, count, *output_);
  if (sleep_.ExpectsNoJob(work())) {
    MustEncode(wire::Encode(wire::PreSleep{}, *output_));
    sleep_.OnSleepSent();
  }
  Due(ReplyKind::kGrab, count, now, kind);
  CountOutstanding(count);
  shared_->counters->Add(&WorkerStats::grabs_sent,
                         static_cast<uint64_t>(count));
}

void WorkerSession::CountWakeUp(bool woke, WakeupCause cause) {
  if (!woke) return;
  switch (cause) {
    case WakeupCause::kNoop:
      shared_->counters->Add(&WorkerStats::wakeups_noop);
      break;
    case WakeupCause::kRegrab:
      shared_->counters->Add(&WorkerStats::wakeups_regrab);
      break;
    case WakeupCause::kRegistered:
      shared_->counters->Add(&WorkerStats::wakeups_registered);
      break;
  }
  if (shared_->metrics != nullptr) {
    shared_->metrics->wakeups[static_cast<size_t>(cause)].Add();
  }
}

void WorkerSession::Settle(absl::Time now) {
  if (!grabbing_ || outstanding_ > 0 || offered_.empty()) return;
  switch (sleep_.Settle(work(), now)) {
    case SleepPlan::Step::kNone:
      break;
    case SleepPlan::Step::kSleep:
      MustEncode(wire::Encode(wire::PreSleep{}, *output_));
      break;
    case SleepPlan::Step::kRest:
      shared_->counters->Add(&WorkerStats::vain_pauses);
      break;
  }
}

// --- jobs --------------------------------------------------------------------

absl::Status WorkerSession::OnJob(wire::JobAssign& assigned,
                                  SessionEvent* result) {
  if (assigned.handle.size() > wire::kMaxHandleBytes ||
      assigned.handle.empty()) {
    return absl::DataLossError(absl::StrCat("JOB_ASSIGN: a handle of ",
                                            assigned.handle.size(), " bytes"));
  }
  if (last_offer_ == nullptr ||
      last_offer_->task->function != assigned.function) {
    const auto it = offered_.find(assigned.function);
    if (it == offered_.end()) {
      return absl::DataLossError(absl::StrCat("JOB_ASSIGN: a job of \"",
                                              SafeText(assigned.function),
                                              "\", which was not offered"));
    }
    last_offer_ = it->second.get();
  }
  OnGrabTaken();
  ++held_;
  ++last_offer_->held;
  sleep_.OnJob();
  result->kind = SessionEvent::Kind::kJob;
  result->task = &last_offer_->task;
  result->assigned = &assigned;
  return absl::OkStatus();
}

absl::Status WorkerSession::OnTooLarge(const wire::TooLargePacket& packet,
                                       absl::Time now, SessionEvent* result) {
  wire::GrabKind kind = wire::GrabKind::kPlain;
  switch (packet.info->command) {
    case wire::Command::kJobAssign:
      break;
    case wire::Command::kJobAssignUniq:
      kind = wire::GrabKind::kUnique;
      break;
    case wire::Command::kJobAssignAll:
      kind = wire::GrabKind::kAll;
      break;
    case wire::Command::kError:
      return OnError(wire::Error{packet.argument("code"),
                                 "(the text is too large and was skipped)"},
                     now, result);
    default:
      return absl::DataLossError(absl::StrCat(packet.info->name, " of ",
                                              packet.packet_bytes,
                                              " bytes: not what was sent"));
  }
  absl::Status status = TakeReply(ReplyKind::kGrab, packet.info->name, now);
  if (!status.ok()) return status;
  too_large_job_ = wire::JobAssign{
      kind,
      packet.argument("handle"),
      packet.argument("function"),
      packet.argument("unique"),
      packet.argument("reducer"),
      Payload(),
  };
  result->too_large = &packet;
  return OnJob(too_large_job_, result);
}

// --- replies -----------------------------------------------------------------

void WorkerSession::Due(ReplyKind kind, int count, absl::Time now,
                        wire::GrabKind grab_kind) {
  requests_ += static_cast<uint64_t>(count);
  if (replies_due_.empty()) waiting_since_ = now;
  if (!replies_due_.empty() && replies_due_.back().kind == kind &&
      kind == ReplyKind::kGrab && replies_due_.back().grab_kind == grab_kind) {
    replies_due_.back().count += count;
    return;
  }
  replies_due_.push_back({kind, grab_kind, count, now});
}

absl::Status WorkerSession::TakeReply(ReplyKind kind, absl::string_view packet,
                                      absl::Time now) {
  if (replies_due_.empty() || replies_due_.front().kind != kind) {
    return absl::DataLossError(
        absl::StrCat(packet, " came though nobody asked for it"));
  }
  SetOverdue(false);
  ++replies_;
  if (--replies_due_.front().count == 0) replies_due_.pop_front();
  waiting_since_ = replies_due_.empty() ? absl::InfiniteFuture() : now;
  served_ = true;
  if (kind != ReplyKind::kGrab) return absl::OkStatus();
  grab_answered_ = true;
  CountOutstanding(-1);
  if (outstanding_ == 0) {
    CountWakeUp(sleep_.OnAllAnswered(now), WakeupCause::kRegistered);
  }
  return absl::OkStatus();
}

absl::Status WorkerSession::OnEvent(wire::ToWorker& event, absl::Time now,
                                    SessionEvent* result) {
  *result = SessionEvent();
  last_received_ = now;
  struct Visitor {
    WorkerSession* session;
    absl::Time now;
    SessionEvent* result;

    absl::Status operator()(wire::JobAssign& assigned) {
      absl::Status status =
          session->TakeReply(ReplyKind::kGrab, "JOB_ASSIGN", now);
      if (!status.ok()) return status;
      return session->OnJob(assigned, result);
    }
    absl::Status operator()(wire::NoJob&) {
      result->kind = SessionEvent::Kind::kNoJob;
      session->OnGrabTaken();
      session->sleep_.OnNoJob(/*may_sleep=*/!session->grabs_.unsure);
      return session->TakeReply(ReplyKind::kGrab, "NO_JOB", now);
    }
    absl::Status operator()(wire::Noop&) {
      if (!session->grabbing_) {
        result->kind = SessionEvent::Kind::kWokenTooLate;
        return absl::OkStatus();
      }
      session->CountWakeUp(session->sleep_.OnNoop(now), WakeupCause::kNoop);
      return absl::OkStatus();
    }
    absl::Status operator()(wire::EchoResponse& echo) {
      return session->OnEcho(echo, now, result);
    }
    absl::Status operator()(wire::OptionResponse&) {
      return session->TakeReply(ReplyKind::kOption, "OPTION_RES", now);
    }
    absl::Status operator()(wire::Error& error) {
      return session->OnError(error, now, result);
    }
    absl::Status operator()(wire::TooLargePacket& packet) {
      return session->OnTooLarge(packet, now, result);
    }
  };
  return std::visit(Visitor{this, now, result}, event);
}

absl::Status WorkerSession::OnEcho(const wire::EchoResponse& echo,
                                   absl::Time now, SessionEvent* result) {
  if (echo.data.view() == kOffersEcho) {
    absl::Status status = TakeReply(ReplyKind::kOffers, "ECHO_RES", now);
    if (status.ok() && EndRepeat()) {
      result->kind = SessionEvent::Kind::kTasksTaken;
    }
    return status;
  }
  const bool heartbeat = echo.data.view() == kHeartbeat;
  if (!heartbeat && echo.data.view() != kReceipt) {
    return absl::DataLossError("ECHO_RES: not what was sent");
  }
  const absl::Time since =
      replies_due_.empty() ? now : replies_due_.front().since;
  absl::Status status = TakeReply(
      heartbeat ? ReplyKind::kHeartbeat : ReplyKind::kReceipt, "ECHO_RES", now);
  if (!status.ok()) return status;
  if (heartbeat) {
    result->kind = SessionEvent::Kind::kHeartbeat;
    result->round_trip = now - since;
  } else {
    receipt_asked_ = false;
  }
  return absl::OkStatus();
}

// A packet without a reply earns an ERROR only when it is refused. The code
// tells this ERROR from one for a request. Perl's server has codes of its own.
absl::Status WorkerSession::OnError(const wire::Error& error, absl::Time now,
                                    SessionEvent* result) {
  result->code = error.code;
  result->text = error.text;
  if (absl::EqualsIgnoreCase(error.code, "JOB_NOT_FOUND") ||
      absl::EqualsIgnoreCase(error.code, "not_worker")) {
    result->kind = SessionEvent::Kind::kAnswerRefused;
    return absl::OkStatus();
  }
  result->kind = SessionEvent::Kind::kError;
  if (RefusesTask(error.code)) {
    // One report is enough: the offers are repeated until the server takes
    // them.
    result->kind = NoteRefusal(error.text, now, &result->refused_task)
                       ? SessionEvent::Kind::kNothing
                       : SessionEvent::Kind::kTaskRefused;
    return absl::OkStatus();
  }
  if (replies_due_.empty()) return absl::OkStatus();
  const RepliesDue head = replies_due_.front();
  switch (head.kind) {
    case ReplyKind::kOption:
      return TakeReply(ReplyKind::kOption, "ERROR", now);
    case ReplyKind::kHeartbeat:
    case ReplyKind::kReceipt:
    case ReplyKind::kOffers:
      return absl::OkStatus();
    case ReplyKind::kGrab:
      break;
  }
  // A server without GRAB_JOB_ALL, or even GRAB_JOB_UNIQ, is asked with an
  // older grab.
  if (head.grab_kind == wire::GrabKind::kPlain) {
    return absl::UnavailableError(
        absl::StrCat("GRAB_JOB was refused: ", SafeText(error.code), ": ",
                     SafeMessage(error.text)));
  }
  if (grabs_.kind == head.grab_kind) {
    grabs_.kind = head.grab_kind == wire::GrabKind::kAll
                      ? wire::GrabKind::kUnique
                      : wire::GrabKind::kPlain;
  }
  if (std::exchange(probing_, false)) grabs_.unsure = false;
  return TakeReply(ReplyKind::kGrab, "ERROR", now);
}

// --- time --------------------------------------------------------------------

bool WorkerSession::HasReceipt(absl::Time now) {
  if (sleep_.connecting()) return true;
  if (answer_on_its_way().empty()) {
    // A server that gives a job to a closed connection queues it again, so a
    // grab is not waited for long.
    return outstanding_ == 0 || overdue_;
  }
  if (outstanding_ > 0 || receipt_asked_) return false;
  // Closing with unread bytes may destroy answers on their way.
  receipt_asked_ = true;
  MustEncode(
      wire::Encode(wire::EchoRequest{Payload::View(kReceipt)}, *output_));
  Due(ReplyKind::kReceipt, 1, now);
  return false;
}

void WorkerSession::OnProgress(absl::Time now) {
  last_received_ = now;
  if (replies_due_.empty()) return;
  waiting_since_ = now;
  SetOverdue(false);
}

void WorkerSession::SendHeartbeat(absl::Time now) {
  shared_->counters->Add(&WorkerStats::heartbeats);
  MustEncode(
      wire::Encode(wire::EchoRequest{Payload::View(kHeartbeat)}, *output_));
  Due(ReplyKind::kHeartbeat, 1, now);
}

absl::Status WorkerSession::OnTime(absl::Time now) {
  if (sleep_.connecting()) return absl::OkStatus();
  if (now >= reply_deadline()) {
    return absl::UnavailableError(absl::StrCat(
        "no answer within ", absl::FormatDuration(options().reply_timeout),
        " (reply_timeout): taken for dead",
        !served_ && replies_due_.front().kind == ReplyKind::kOption
            ? "; if the server answers others, it may not know OPTION_REQ, "
              "which a worker without server_options does not send"
            : ""));
  }
  if (now >= overdue_at()) SetOverdue(true);
  if (replies_due_.empty() &&
      now >= last_received_ + options().heartbeat_interval) {
    SendHeartbeat(now);
  }
  if (now >= offer_again_at_ && grabbing_) RepeatOffers(now);
  if (sleep_.asleep_for(options().regrab_interval, now) && grabbing_ &&
      !offered_.empty()) {
    CountWakeUp(sleep_.OnTimeToGrab(), WakeupCause::kRegrab);
  }
  return absl::OkStatus();
}

absl::Time WorkerSession::next_deadline() const {
  if (sleep_.connecting()) return absl::InfiniteFuture();
  absl::Time next = std::min(reply_deadline(), overdue_at());
  if (replies_due_.empty()) {
    next = std::min(next, last_received_ + options().heartbeat_interval);
  }
  if (grabbing_ && !offered_.empty()) {
    next = std::min(next, sleep_.end_of_sleep(options().regrab_interval));
  }
  if (grabbing_) next = std::min(next, offer_again_at_);
  return std::min(next, sleep_.resting_until());
}

}  // namespace internal
}  // namespace gearman
