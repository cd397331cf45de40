#include "gearman/sdk/internal/job/mailbox.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/codecs/body_source.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

namespace {

bool IsUpdate(const Message& message) {
  return message.kind == Message::Kind::kData ||
         message.kind == Message::Kind::kWarning ||
         message.kind == Message::Kind::kStatus;
}

}  // namespace

Mailbox::Mailbox(std::shared_ptr<Poller> poller, size_t max_bytes,
                 size_t max_packet_bytes)
    : poller_(std::move(poller)),
      max_bytes_(max_bytes),
      max_packet_bytes_(max_packet_bytes) {}

size_t Mailbox::MaxPayload(const HeldJob& job) const {
  // The header, and the handle with its separator.
  const size_t head = wire::kHeaderBytes + job.job.handle().size() + 1;
  return max_packet_bytes_ - std::min(max_packet_bytes_, head);
}

absl::Status Mailbox::CheckPayload(const HeldJob& job, absl::string_view what,
                                   size_t payload_bytes) const {
  if (payload_bytes <= MaxPayload(job)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " of job ", SafeText(job.job.handle()), " has ",
                   payload_bytes, " bytes: its packet is larger than ",
                   max_packet_bytes_, " bytes (max_packet_bytes)"));
}

absl::Status Mailbox::CheckResult(const HeldJob& job, size_t bytes) const {
  if (job.body == nullptr) return CheckPayload(job, "the result", bytes);
  if (job.body->used() && !job.body->repeatable()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the body of the result of job ", SafeText(job.job.handle()),
        " was read before, and its source is not repeatable"));
  }
  const uint64_t most = std::numeric_limits<size_t>::max() - bytes;
  return CheckPayload(
      job, "the result",
      bytes + static_cast<size_t>(std::min(job.body->size(), most)));
}

void Mailbox::Push(Message message) {
  // A status update has no bytes, but its record uses memory, too.
  if (IsUpdate(message)) bytes_ += sizeof(Message) + message.bytes.size();
  messages_.push_back(std::move(message));
  if (!announced_.exchange(true, std::memory_order_acq_rel)) poller_->Wake();
}

void Mailbox::Post(Message message) {
  if (inherited()) return;
  absl::MutexLock lock(&mutex_);
  if (!closed_) Push(std::move(message));
}

void Mailbox::PostAll(std::vector<Message>* messages) {
  if (!inherited()) {
    absl::MutexLock lock(&mutex_);
    if (!closed_) {
      for (Message& message : *messages) Push(std::move(message));
    }
  }
  messages->clear();
}

bool Mailbox::HasRoom(const HeldJob& job) const {
  return bytes_ < max_bytes_ && !congested_.contains(job.connection);
}

absl::Status Mailbox::PostUpdate(Message message, bool may_wait) {
  if (inherited()) return InheritedError("worker");
  const HeldJob& job = *message.job;
  const auto can_go_on = [this, &job]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closed_ || job.ended.load(std::memory_order_acquire) ||
           job.stop.fired() || HasRoom(job);
  };
  absl::MutexLock lock(&mutex_);
  if (may_wait) {
    mutex_.Await(absl::Condition(&can_go_on));
  }
  if (closed_ || job.ended.load(std::memory_order_acquire)) {
    return absl::CancelledError(absl::StrCat("nothing is sent for job ",
                                             SafeText(job.job.handle()),
                                             " any more: it has ended"));
  }
  if (job.stop.fired()) {
    return absl::CancelledError(
        absl::StrCat("nothing is sent for job ", SafeText(job.job.handle()),
                     " any more: ", StopReasonName(job.stop.reason())));
  }
  if (!HasRoom(job)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the server takes bytes too slowly: an update of job ",
                     SafeText(job.job.handle()), " was not sent"));
  }
  Push(std::move(message));
  return absl::OkStatus();
}

void Mailbox::Take(std::vector<Message>* messages) {
  if (!announced_.load(std::memory_order_acquire)) return;
  absl::MutexLock lock(&mutex_);
  announced_.store(false, std::memory_order_relaxed);
  bytes_ = 0;
  if (messages->empty()) {
    messages->swap(messages_);
    return;
  }
  for (Message& message : messages_) messages->push_back(std::move(message));
  messages_.clear();
}

void Mailbox::SetCongested(Poller::Key connection, bool congested) {
  absl::MutexLock lock(&mutex_);
  if (congested) {
    congested_.insert(connection);
  } else {
    congested_.erase(connection);
  }
}

void Mailbox::Nudge() { absl::MutexLock lock(&mutex_); }

void Mailbox::Close() {
  std::vector<Message> dropped;
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  bytes_ = 0;
  dropped.swap(messages_);
}

}  // namespace internal
}  // namespace gearman
