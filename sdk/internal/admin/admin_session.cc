#include "gearman/sdk/internal/admin/admin_session.h"

#include <array>
#include <new>
#include <utility>
#include <variant>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// A server makes a RefusedCommand of a bad line. No client sends one.
struct Encoder {
  wire::OutputBuffer& out;
  absl::Status operator()(const admin::RefusedCommand& /*command*/) const {
    return absl::InvalidArgumentError("no command");
  }
  template <typename C>
  absl::Status operator()(const C& command) const {
    return admin::Encode(command, out);
  }
};

}  // namespace

AdminSession::AdminSession(Options options)
    : options_(std::move(options)), name_(options_.server.ToString()) {}

// --- turns -------------------------------------------------------------------

bool AdminSession::Turn::TryTake(absl::Duration timeout) {
  const auto is_free = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !taken_;
  };
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(&is_free), timeout)) {
    return false;
  }
  taken_ = true;
  return true;
}

void AdminSession::Turn::End() {
  absl::MutexLock lock(&mutex_);
  taken_ = false;
}

// --- calls -------------------------------------------------------------------

AdminSession::~AdminSession() {
  if (turn_.TryTake(absl::InfiniteDuration())) {
    Close();
    turn_.End();
  }
  options_.poller->RunDeferred();
}

absl::StatusOr<admin::Reply> AdminSession::Call(const admin::Command& command,
                                                bool is_question) {
  if (inherited()) return InheritedError("admin client");
  const absl::Time deadline =
      options_.poller->clock()->Now() + options_.timeout;
  if (!turn_.TryTake(options_.timeout)) {
    return TooLate("another call had not ended");
  }
  // The turn ends even if the user's logger throws. A logger may fork and
  // return in the child, which must not touch the parent's turn.
  const auto end_turn =
      absl::MakeCleanup([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        if (!inherited()) turn_.End();
      });
  absl::StatusOr<admin::Reply> reply = admin::Reply();
  try {
    reply = CallInTurn(command, is_question, deadline);
  } catch (const std::bad_alloc&) {
    Close();
    return absl::ResourceExhaustedError(
        absl::StrCat(name_, ": there is no memory for its answer"));
  }
  if (reply.ok() && reply->too_large) {
    return absl::ResourceExhaustedError(absl::StrCat(
        name_, ": the answer has more than ", options_.limits.max_reply_bytes,
        " bytes (max_reply_bytes) or ", options_.limits.max_reply_lines,
        " lines (max_reply_lines) and was skipped"));
  }
  return reply;
}

void AdminSession::Cancel() {
  cancelled_.store(true);
  // A call that waits for its turn gets it when the call before has ended.
  options_.poller->Wake();
}

void AdminSession::EndLater(std::shared_ptr<AdminSession> session) {
  options_.logger.Log(
      LogLevel::kError,
      "an admin client was destroyed by the logger that it had called: it ends "
      "when that has returned; destroy it elsewhere");
  Cancel();
  CallScope::AtEnd(this, [session = std::move(session)] {});
}

absl::StatusOr<admin::Reply> AdminSession::CallInTurn(
    const admin::Command& command, bool is_question, absl::Time deadline) {
  const bool kept = connection_ != nullptr;
  absl::StatusOr<admin::Reply> reply = Exchange(command, deadline);
  if (!reply.ok()) Close();
  if (kept && is_question && absl::IsUnavailable(reply.status())) {
    reply = Exchange(command, deadline);
    if (!reply.ok()) Close();
  }
  return reply;
}

absl::Status AdminSession::Open(absl::Time deadline) {
  if (connection_ != nullptr) {
    // The server may have closed the connection since the last call. That is no
    // failure of this call.
    admin::Reply none;
    absl::StatusOr<bool> state = Read(&none);
    if (state.ok()) return absl::OkStatus();
    Close();
  }
  absl::StatusOr<std::unique_ptr<Transport>> transport =
      options_.transports->Create(options_.server, options_.poller.get(),
                                  ++key_);
  if (!transport.ok()) return transport.status();
  connection_ = std::make_unique<Connection<admin::ReplyDecoder>>(
      *std::move(transport), options_.poller.get(), key_, options_.limits,
      ConnectionOptions());
  for (;;) {
    absl::Status status = connection_->Connect();
    if (!status.ok() || connection_->connected()) return status;
    status = Await(deadline, "no connection");
    if (!status.ok()) return status;
  }
}

void AdminSession::LogCommand(const wire::OutputBuffer& encoded) const {
  if (!options_.logger.enabled(LogLevel::kDebug)) return;
  std::array<absl::string_view, 8> pieces;
  const size_t count = encoded.Gather(absl::MakeSpan(pieces));
  std::string text;
  for (size_t i = 0; i < count; ++i) absl::StrAppend(&text, pieces[i]);
  options_.logger.Log(LogLevel::kDebug, "sent \"", SafeMessage(text), "\" to ",
                      name_, ": ", text.size(), " bytes");
}

void AdminSession::LogReply(const admin::Reply& reply) const {
  if (!options_.logger.enabled(LogLevel::kDebug)) return;
  options_.logger.Log(LogLevel::kDebug, "received ", reply.lines.size(),
                      " lines from ", name_, ": ", reply.lines.bytes(),
                      " bytes");
}

absl::StatusOr<admin::Reply> AdminSession::Exchange(
    const admin::Command& command, absl::Time deadline) {
  wire::OutputBuffer trial;
  absl::Status status = std::visit(Encoder{trial}, command);
  if (!status.ok()) return status;
  status = Open(deadline);
  if (!status.ok()) return status;
  LogCommand(trial);
  std::visit(Encoder{connection_->output()}, command).IgnoreError();
  connection_->decoder().Expect(admin::ShapeOf(command));
  admin::Reply reply;
  for (;;) {
    status = connection_->Flush();
    if (!status.ok()) return status;
    // A server in this process answers now.
    options_.poller->RunDeferred();
    absl::StatusOr<bool> whole = Read(&reply);
    if (!whole.ok()) return whole.status();
    if (*whole) {
      LogReply(reply);
      return reply;
    }
    status = Await(deadline, "no whole answer");
    if (!status.ok()) return status;
  }
}

absl::StatusOr<bool> AdminSession::Read(admin::Reply* reply) {
  bool whole = false;
  absl::Status status = connection_->ReadEvents([&](admin::Reply& event) {
    *reply = std::move(event);
    whole = true;
    return absl::OkStatus();
  });
  // A mistake behind a whole reply is the next call's, which finds the
  // connection closed.
  if (whole && !status.ok()) Close();
  if (whole) return true;
  if (!status.ok()) return status;
  return false;
}

absl::Status AdminSession::Await(absl::Time deadline, const char* what) {
  // This check comes before the wait. A later wake-up ends the wait.
  if (cancelled_.load()) {
    return absl::CancelledError(absl::StrCat(name_, ": ", what, ", cancelled"));
  }
  absl::Status status = connection_->UpdateInterest();
  if (!status.ok()) return status;
  if (options_.poller->clock()->Now() >= deadline) {
    return TooLate(what);
  }
  options_.poller->Wait(deadline, &ready_);
  return absl::OkStatus();
}

absl::Status AdminSession::TooLate(absl::string_view what) const {
  return absl::DeadlineExceededError(absl::StrCat(
      name_, ": ", what, " within ", absl::FormatDuration(options_.timeout)));
}

void AdminSession::Close() { connection_ = nullptr; }

}  // namespace internal
}  // namespace gearman
