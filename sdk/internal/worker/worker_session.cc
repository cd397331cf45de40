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

// A NOOP that comes this soon after PRE_SLEEP says that work was waiting. If
// the grab then finds nothing, the server errs (in gearmand 1.1.20 a delayed
// job hides others) or other workers were faster. In the first case the worker
// would loop 6,000 times a second, so it rests, from 1 ms up to 100 ms.
constexpr absl::Duration kSoon = absl::Milliseconds(10);
constexpr absl::Duration kFirstRest = absl::Milliseconds(1);
constexpr absl::Duration kLongestRest = absl::Milliseconds(100);

// A worker skips the grabs of so many wake-ups in a row that are expected to
// bring no further job. If more work waits than expected, each skipped grab
// costs a round trip.
constexpr int kSkippedGrabs = 7;

// Far more than Prefetch asks for.
constexpr int kMaxWindow = 1 << 20;

}  // namespace

WorkerSession::WorkerSession(Shared* shared, wire::OutputBuffer* output,
                             Grabs grabs)
    : shared_(shared), output_(output), grabs_(grabs) {
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
  state_ = State::kAwake;
  state_since_ = now;
  last_received_ = now;
  for (RepliesDue& due : replies_due_) due.since = now;
  if (!replies_due_.empty()) waiting_since_ = now;
}

int WorkerSession::wanted_grabs() const {
  if (!grabbing_ || state_ != State::kAwake || dry_ || taking_back() ||
      stop_timer_ || offered_.empty()) {
    return 0;
  }
  if (server_times()) return outstanding_ + held_ > 0 ? 0 : 1;
  if (pre_sleep_sent() || probing_) return 0;
  // Jobs in progress end first, because the connection may end with the probe.
  if (grabs_.unsure && grab_answered_) return wants_probe() ? 1 : 0;
  if (ExpectsNoJob()) return SkipsGrab() ? 0 : 1;
  return std::max(0, window_ - outstanding_);
}

bool WorkerSession::ExpectsNoJob() const {
  return shared_->quick && ahead_ == Ahead::kNot && !grabs_.unsure &&
         woken_by_noop_ && jobs_since_wake_ > 0 &&
         jobs_since_wake_ >= jobs_of_last_wake_ && held_ == 0 &&
         outstanding_ == 0 && !server_times();
}

void WorkerSession::Grab(int count, absl::Time now) {
  count = std::min(count, wanted_grabs());
  if (count <= 0) return;
  probing_ = wants_probe();
  const wire::GrabKind kind = probing_ ? wire::GrabKind::kAll : grabs_.kind;
  wire::EncodeGrabs(wire::GrabJob{kind}, count, *output_);
  if (ExpectsNoJob()) {
    MustEncode(wire::Encode(wire::PreSleep{}, *output_));
    ahead_ = Ahead::kSent;
  }
  Due(ReplyKind::kGrab, count, now, kind);
  outstanding_ += count;
  shared_->outstanding += count;
  shared_->counters->Add(&WorkerStats::grabs_sent,
                         static_cast<uint64_t>(count));
}

void WorkerSession::CountWakeUp(WakeupCause cause) {
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

void WorkerSession::WakeUp(WakeupCause cause) {
  if (state_ != State::kAwake) {
    CountWakeUp(cause);
    woken_by_noop_ = cause == WakeupCause::kNoop;
    jobs_since_wake_ = 0;
  }
  state_ = State::kAwake;
  resting_until_ = absl::InfiniteFuture();
  dry_ = false;
  if (ahead_ == Ahead::kFailed) ahead_ = Ahead::kNot;
}

void WorkerSession::OnDry() {
  if (woken_by_noop_ && jobs_since_wake_ == 0) {
    ++vain_wakeups_;
  } else {
    vain_wakeups_ = 0;
  }
  window_ = std::max(1, std::min(jobs_since_wake_, kMaxWindow));
  jobs_of_last_wake_ = jobs_since_wake_;
}

void WorkerSession::SleptAhead(absl::Time now) {
  const bool grab_again = ahead_ == Ahead::kSentOld;
  if (!dry_) {
    // The server may take this worker for asleep until the grab that follows
    // the job. That grab also answers any NOOP that comes before.
    ahead_ = Ahead::kFailed;
    skips_left_ = 0;
    return;
  }
  ahead_ = Ahead::kNot;
  skips_left_ = kSkippedGrabs;
  OnDry();
  FellAsleep(now);
  if (grab_again) WakeUp(WakeupCause::kRegistered);
}

void WorkerSession::Sleep(absl::Time now) {
  MustEncode(wire::Encode(wire::PreSleep{}, *output_));
  FellAsleep(now);
}

void WorkerSession::FellAsleep(absl::Time now) {
  state_ = State::kAsleep;
  state_since_ = now;
  resting_until_ = absl::InfiniteFuture();
  dry_ = false;
  stop_timer_ = false;
}

void WorkerSession::Settle(absl::Time now) {
  if (state_ == State::kConnecting || !grabbing_) return;
  if (outstanding_ > 0 || offered_.empty()) return;
  if (state_ == State::kResting) {
    if (now >= resting_until_) Sleep(now);
    return;
  }
  if (state_ != State::kAwake) return;
  if (stop_timer_ && held_ == 0) {
    Sleep(now);
    return;
  }
  if (SkipsGrab()) {
    --skips_left_;
    OnDry();
    Sleep(now);
    return;
  }
  if (!dry_) return;
  OnDry();
  if (vain_wakeups_ < 2) {
    Sleep(now);
    return;
  }
  shared_->counters->Add(&WorkerStats::vain_pauses);
  state_ = State::kResting;
  resting_until_ =
      now + std::min(kLongestRest,
                     kFirstRest * (1 << std::min(vain_wakeups_ - 2, 10)));
}

void WorkerSession::OnNoop(absl::Time now) {
  // A NOOP that comes while a grab is outstanding, or before sleep, says
  // nothing new.
  if (state_ != State::kAsleep) return;
  if (now - state_since_ >= kSoon) vain_wakeups_ = 0;
  WakeUp(WakeupCause::kNoop);
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
  window_ = std::min(window_ + 1, kMaxWindow);
  if (jobs_since_wake_ < kMaxWindow) ++jobs_since_wake_;
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
  ++replies_;
  if (--replies_due_.front().count == 0) replies_due_.pop_front();
  waiting_since_ = replies_due_.empty() ? absl::InfiniteFuture() : now;
  served_ = true;
  if (kind != ReplyKind::kGrab) return absl::OkStatus();
  grab_answered_ = true;
  --outstanding_;
  --shared_->outstanding;
  if (outstanding_ == 0 && pre_sleep_sent()) SleptAhead(now);
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
      // The session does not sleep yet if a better grab is to be tried.
      session->dry_ = !session->grabs_.unsure;
      return session->TakeReply(ReplyKind::kGrab, "NO_JOB", now);
    }
    absl::Status operator()(wire::Noop&) {
      session->OnNoop(now);
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
    receipt_ = Receipt::kGiven;
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

bool WorkerSession::MayEnd(absl::Time now) {
  if (state_ == State::kConnecting || receipt_ == Receipt::kGiven) return true;
  if (outstanding_ > 0 || held_ > 0 || receipt_ == Receipt::kAsked) {
    return false;
  }
  // Closing with unread bytes may destroy answers on their way.
  receipt_ = Receipt::kAsked;
  MustEncode(
      wire::Encode(wire::EchoRequest{Payload::View(kReceipt)}, *output_));
  Due(ReplyKind::kReceipt, 1, now);
  return false;
}

void WorkerSession::OnProgress(absl::Time now) {
  last_received_ = now;
  if (!replies_due_.empty()) waiting_since_ = now;
}

absl::Status WorkerSession::OnTime(absl::Time now) {
  if (state_ == State::kConnecting) return absl::OkStatus();
  if (now >= reply_deadline()) {
    return absl::UnavailableError(absl::StrCat(
        "no answer within ", absl::FormatDuration(options().reply_timeout),
        " (reply_timeout): taken for dead",
        !served_ && replies_due_.front().kind == ReplyKind::kOption
            ? "; if the server answers others, it may not know OPTION_REQ, "
              "which a worker without server_options does not send"
            : ""));
  }
  if (replies_due_.empty() &&
      now >= last_received_ + options().heartbeat_interval) {
    shared_->counters->Add(&WorkerStats::heartbeats);
    MustEncode(
        wire::Encode(wire::EchoRequest{Payload::View(kHeartbeat)}, *output_));
    Due(ReplyKind::kHeartbeat, 1, now);
  }
  if (now >= offer_again_at_ && grabbing_) RepeatOffers(now);
  if (state_ == State::kAsleep && grabbing_ && !offered_.empty() &&
      now >= state_since_ + options().regrab_interval) {
    WakeUp(WakeupCause::kRegrab);
  }
  return absl::OkStatus();
}

absl::Time WorkerSession::next_deadline() const {
  if (state_ == State::kConnecting) return absl::InfiniteFuture();
  absl::Time next = reply_deadline();
  if (replies_due_.empty()) {
    next = std::min(next, last_received_ + options().heartbeat_interval);
  }
  if (state_ == State::kAsleep && grabbing_ && !offered_.empty()) {
    next = std::min(next, state_since_ + options().regrab_interval);
  }
  if (grabbing_) next = std::min(next, offer_again_at_);
  return std::min(next, resting_until_);
}

}  // namespace internal
}  // namespace gearman
