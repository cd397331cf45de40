#include "gearman/sdk/internal/admin/admin_session.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/call_scope.h"

namespace gearman {
namespace internal {

AdminSession::AdminSession(AdminLink::Options options,
                           std::shared_ptr<Poller> poller,
                           absl::Duration timeout)
    : timeout_(timeout),
      poller_(std::move(poller)),
      link_(std::move(options), poller_.get()) {}

AdminSession::~AdminSession() {
  if (turn_.TryTake(absl::InfiniteDuration())) {
    link_.GiveUp();
    turn_.End();
  }
  poller_->RunDeferred();
}

absl::StatusOr<admin::Reply> AdminSession::Call(const admin::Command& command,
                                                bool is_question) {
  if (inherited()) return InheritedError("admin client");
  const absl::Time deadline = poller_->clock()->Now() + timeout_;
  if (!turn_.TryTake(timeout_)) {
    return link_.TooLate("another call had not ended", timeout_);
  }
  // The turn ends even if the user's logger throws. A logger may fork and
  // return in the child, which must not touch the parent's turn.
  const auto end_turn =
      absl::MakeCleanup([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        if (!inherited()) turn_.End();
      });
  return CallInTurn(command, is_question, deadline);
}

void AdminSession::Cancel() {
  cancelled_.store(true);
  // A call that waits for its turn gets it when the call before has ended.
  poller_->Wake();
}

void AdminSession::EndLater(std::shared_ptr<AdminSession> session) {
  logger().Log(
      LogLevel::kError,
      "an admin client was destroyed by the logger that it had called: it ends "
      "when that has returned; destroy it elsewhere");
  Cancel();
  CallScope::AtEnd(this, [session = std::move(session)] {});
}

absl::StatusOr<admin::Reply> AdminSession::CallInTurn(
    const admin::Command& command, bool is_question, absl::Time deadline) {
  link_.Begin(command, is_question);
  for (;;) {
    AdminLink::Answer answer = link_.GoOn();
    if (answer.has_value()) return *std::move(answer);
    absl::Status end;
    // This check comes before the wait. A later wake-up ends the wait.
    if (cancelled_.load()) {
      end = absl::CancelledError(
          absl::StrCat(server(), ": ", link_.missing(), ", cancelled"));
    } else if (poller_->clock()->Now() >= deadline) {
      end = link_.TooLate(link_.missing(), timeout_);
    }
    if (!end.ok()) {
      link_.GiveUp();
      return end;
    }
    poller_->Wait(deadline, &ready_);
  }
}

}  // namespace internal
}  // namespace gearman
