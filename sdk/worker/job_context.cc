#include "gearman/sdk/job_context.h"

#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/job/error_answer.h"
#include "gearman/sdk/internal/job/held_job.h"
#include "gearman/sdk/internal/job/job_hooks.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/internal/job/stop_state.h"

namespace gearman {
namespace {

using internal::Access;
using internal::HeldJobPtr;
using internal::Message;

StopToken TokenOf(const HeldJobPtr& job) {
  return Access::Make<StopToken>(
      std::shared_ptr<internal::StopState>(job, &job->stop));
}

absl::Status Send(const HeldJobPtr& job, Message message, bool may_wait) {
  message.job = job;
  internal::HandlerHost* const host = job->stop.host();
  if (host != nullptr) {
    return host->SendUpdate(std::move(message), may_wait);
  }
  job->posted.store(true, std::memory_order_release);
  return job->mailbox->PostUpdate(std::move(message), may_wait);
}

absl::Status SendBytes(const HeldJobPtr& job, Message::Kind kind,
                       std::string bytes, bool may_wait) {
  absl::Status size =
      job->mailbox->CheckPayload(*job, "the update", bytes.size());
  if (!size.ok()) return size;
  Message message;
  message.kind = kind;
  message.bytes = std::move(bytes);
  absl::Status status = Send(job, std::move(message), may_wait);
  if (status.ok() && kind == Message::Kind::kWarning && !job->carries_updates) {
    // The message has been posted: the worker's thread logs the warning.
    return internal::NoWarnings(*job);
  }
  return status;
}

absl::Status SendProgress(const HeldJobPtr& job, int64_t numerator,
                          int64_t denominator, bool may_wait) {
  Message message;
  message.kind = Message::Kind::kStatus;
  message.numerator = numerator;
  message.denominator = denominator;
  return Send(job, std::move(message), may_wait);
}

absl::Status Finished() {
  return absl::CancelledError(
      "nothing is sent for a pending job that has been finished");
}

}  // namespace

absl::Status JobFailed(StringView why) { return internal::FailedError(why); }

absl::Status JobException(StringView bytes) {
  return internal::ExceptionError(bytes);
}

// --- JobContext --------------------------------------------------------------

const Job& JobContext::job() const { return internal::JobOf(*held_); }
const std::string& JobContext::reducer() const { return held_->reducer; }
absl::Time JobContext::started() const { return held_->started; }
absl::Time JobContext::deadline() const { return held_->deadline; }
StopToken JobContext::stop_token() const { return TokenOf(held_); }
TraceSpan* JobContext::span() const {
  return held_->hooks == nullptr ? nullptr : held_->hooks->span.get();
}

absl::Status JobContext::SendData(std::string data) {
  return SendBytes(held_, Message::Kind::kData, std::move(data), true);
}

absl::Status JobContext::SendWarning(std::string data) {
  return SendBytes(held_, Message::Kind::kWarning, std::move(data), true);
}

absl::Status JobContext::SendStatus(int64_t numerator, int64_t denominator) {
  return SendProgress(held_, numerator, denominator, true);
}

void JobContext::SetBody(std::shared_ptr<BodySource> body) {
  held_->body = std::move(body);
}

// --- PendingJob --------------------------------------------------------------

PendingJob& PendingJob::operator=(PendingJob&& other) noexcept {
  if (this != &other) {
    PendingJob replaced(std::move(held_));
    held_ = std::move(other.held_);
  }
  return *this;
}

PendingJob::~PendingJob() {
  if (held_ == nullptr || internal::DroppedInHandler(held_.get())) return;
  absl::StatusOr<std::string> result =
      JobFailed("the pending job was dropped without an answer");
  if (held_->hooks != nullptr) internal::RunEndHooks(held_.get(), &result);
  Message message;
  message.kind = Message::Kind::kFinished;
  message.forgotten = !result.ok();
  message.result = std::move(result);
  message.job = held_;
  held_->mailbox->Post(std::move(message));
}

const Job& PendingJob::job() const { return internal::JobOf(*held_); }
const std::string& PendingJob::reducer() const { return held_->reducer; }
absl::Time PendingJob::started() const { return held_->started; }
absl::Time PendingJob::deadline() const { return held_->deadline; }

StopToken PendingJob::stop_token() const {
  return held_ == nullptr ? StopToken() : TokenOf(held_);
}

absl::Status PendingJob::SendData(std::string data) {
  if (held_ == nullptr) return Finished();
  return SendBytes(held_, Message::Kind::kData, std::move(data), false);
}

absl::Status PendingJob::SendWarning(std::string data) {
  if (held_ == nullptr) return Finished();
  return SendBytes(held_, Message::Kind::kWarning, std::move(data), false);
}

absl::Status PendingJob::SendStatus(int64_t numerator, int64_t denominator) {
  if (held_ == nullptr) return Finished();
  return SendProgress(held_, numerator, denominator, false);
}

void PendingJob::FinishWithBody(std::shared_ptr<BodySource> body) {
  if (held_ == nullptr) return;
  held_->body = std::move(body);
  Finish(std::string());
}

void PendingJob::Finish(absl::StatusOr<std::string> result) {
  if (held_ == nullptr) return;
  if (held_->hooks != nullptr) internal::RunEndHooks(held_.get(), &result);
  Message message;
  message.kind = Message::Kind::kFinished;
  message.result = std::move(result);
  message.job = held_;
  held_->posted.store(true, std::memory_order_release);
  held_->mailbox->Post(std::move(message));
  held_ = nullptr;
}

void PendingJob::GiveBack() {
  if (held_ == nullptr) return;
  if (held_->hooks != nullptr) {
    absl::StatusOr<std::string> result =
        absl::UnavailableError("the job is given back to its server");
    internal::RunEndHooks(held_.get(), &result);
  }
  Message message;
  message.kind = Message::Kind::kLetGo;
  message.job = held_;
  held_->posted.store(true, std::memory_order_release);
  held_->mailbox->Post(std::move(message));
  held_ = nullptr;
}

}  // namespace gearman
