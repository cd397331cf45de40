// The answers and updates of jobs that a WorkerSession sends.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/body_source.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/outgoing_body.h"
#include "gearman/sdk/internal/failure_text.h"
#include "gearman/sdk/internal/worker/worker_session.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

void WorkerSession::JobEnded(Task* task, absl::string_view handle) {
  last_answered_.assign(handle.data(), handle.size());
  answered_behind_ = requests_;
  LetGo(task);
}

void WorkerSession::LetGo(Task* task) {
  Offer* offer = last_offer_;
  if (offer == nullptr ||
      (offer->task.get() != task && offer->task->function != task->function)) {
    offer = offered_.find(task->function)->second.get();
  }
  --offer->held;
  --held_;
  if (offer->announced_ms != 0) sleep_.OnTimedJobEnded();
}

void WorkerSession::Complete(Task* task, absl::string_view handle,
                             std::string result,
                             std::shared_ptr<BodySource> body) {
  wire::WorkComplete message{handle, Payload(std::move(result))};
  const absl::Status status =
      body == nullptr
          ? wire::Encode(std::move(message), *output_)
          : wire::EncodeWithBody(
                std::move(message),
                std::make_shared<wire::OutgoingBody>(
                    std::move(body),
                    absl::StrCat("the result of job ", SafeText(handle))),
                *output_);
  if (!status.ok()) {
    Exception(task, handle, std::string(status.message()));
    return;
  }
  JobEnded(task, handle);
}

void WorkerSession::Fail(Task* task, absl::string_view handle) {
  MustEncode(wire::Encode(wire::WorkFail{handle}, *output_));
  JobEnded(task, handle);
}

void WorkerSession::Exception(Task* task, absl::string_view handle,
                              std::string text) {
  if (!options().exceptions) {
    Fail(task, handle);
    return;
  }
  // A text that is too large for a packet is dropped. The failure is still
  // sent.
  if (plain_server() || options().native_exceptions) {
    const absl::Status status = wire::Encode(
        wire::WorkException{handle, Payload(std::move(text))}, *output_);
    if (status.ok() && !plain_server()) {
      JobEnded(task, handle);
      return;
    }
  } else {
    text.insert(0, kFailureMark.data(), kFailureMark.size());
    SendWarning(handle, std::move(text)).IgnoreError();
  }
  Fail(task, handle);
}

absl::Status WorkerSession::SendData(absl::string_view handle,
                                     std::string data) {
  return wire::Encode(wire::WorkData{handle, Payload(std::move(data))},
                      *output_);
}

absl::Status WorkerSession::SendWarning(absl::string_view handle,
                                        std::string data) {
  return wire::Encode(wire::WorkWarning{handle, Payload(std::move(data))},
                      *output_);
}

void WorkerSession::SendStatus(absl::string_view handle, int64_t numerator,
                               int64_t denominator) {
  MustEncode(wire::Encode(wire::WorkStatus{handle, absl::StrCat(numerator),
                                           absl::StrCat(denominator)},
                          *output_));
}

}  // namespace internal
}  // namespace gearman
