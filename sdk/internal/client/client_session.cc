#include "gearman/sdk/internal/client/client_session.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/outgoing_body.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

constexpr char kHeartbeat[] = "gearman_sdk heartbeat";

// The wire has whole seconds. Rounded up, so that no job runs before its time.
std::string EpochOf(absl::Time time) {
  return absl::StrCat(absl::ToUnixSeconds(
      absl::UnixEpoch() +
      absl::Ceil(time - absl::UnixEpoch(), absl::Seconds(1))));
}

}  // namespace

ClientSession::ClientSession(EffectSink* sink, wire::OutputBuffer* output,
                             std::string task_prefix,
                             std::function<void()> on_unused)
    : sink_(sink),
      output_(output),
      task_prefix_(std::move(task_prefix)),
      on_unused_(std::move(on_unused)) {}

void ClientSession::AskForExceptions() {
  // The encoder accepts this constant, so no error is possible.
  if (wire::Encode(wire::OptionRequest{"exceptions"}, *output_).ok()) {
    replies_.Push(nullptr, ExpectedReply::kOption);
  }
}

absl::string_view ClientSession::hint() const {
  const bool unanswered = replies_received_ == 0 && !replies_.empty() &&
                          replies_.front().expected == ExpectedReply::kOption;
  return unanswered ? "; if the server answers others, it may not know "
                      "OPTION_REQ, which exceptions = false leaves out (in a "
                      "config: connections { exceptions: false })"
                    : "";
}

void ClientSession::SendHeartbeat() {
  if (wire::Encode(wire::EchoRequest{Payload::View(kHeartbeat)}, *output_)
          .ok()) {
    replies_.Push(nullptr, ExpectedReply::kEcho);
  }
}

void ClientSession::AskAfterJob(absl::string_view handle) {
  if (wire::Encode(wire::GetStatus{handle}, *output_).ok()) {
    replies_.Push(nullptr, ExpectedReply::kJobKnown);
  }
}

bool ClientSession::MayShare(const JobRequestState& request) {
  // A request that wants pieces is alone: the others would want them whole.
  return request.explicit_unique && !request.background &&
         request.unique.view() != "-" && !WantsPieces(&request);
}

std::string ClientSession::ShareKey(const JobRequestState& request) {
  // The encoder refuses a task with a NUL, so the key is unambiguous. A reducer
  // is no part of it: a server joins equal uniques whatever their reducers.
  return absl::StrCat(request.task, absl::string_view("\0", 1),
                      request.unique.view());
}

template <typename Message>
absl::Status ClientSession::EncodeWithData(Message message,
                                           JobRequestState* request) {
  JobRequestExtras* const extras = request->extras.get();
  if (extras == nullptr || extras->body == nullptr) {
    message.data = request->data_is_large ? Payload(extras->large_data)
                                          : Payload::View(request->data);
    return wire::Encode(std::move(message), *output_);
  }
  auto body = std::make_shared<wire::OutgoingBody>(
      extras->body,
      absl::StrCat("the data of task \"", SafeText(request->task), "\""));
  absl::Status status =
      wire::EncodeWithBody(std::move(message), body, *output_);
  if (!status.ok()) return status;
  extras->outgoing = std::move(body);
  extras->packet_end = output_->total_appended();
  return status;
}

absl::Status ClientSession::EncodeSubmit(JobRequestState* request) {
  absl::string_view function = request->task;
  if (!task_prefix_.empty()) {
    task_scratch_.assign(task_prefix_);
    task_scratch_.append(request->task);
    function = task_scratch_;
  }
  const CallOptions& options = request->call_options();
  if (options.run_at.has_value()) {
    const std::string epoch = EpochOf(*options.run_at);
    return EncodeWithData(
        wire::SubmitJobEpoch{function, request->unique.view(), epoch, {}},
        request);
  }
  if (!options.reducer.empty()) {
    const std::string reducer = absl::StrCat(task_prefix_, options.reducer);
    return EncodeWithData(wire::SubmitReduceJob{request->background,
                                                function,
                                                request->unique.view(),
                                                reducer,
                                                absl::string_view(),
                                                {}},
                          request);
  }
  return EncodeWithData(wire::SubmitJob{request->priority,
                                        request->background,
                                        function,
                                        request->unique.view(),
                                        {}},
                        request);
}

absl::Status ClientSession::Submit(JobRequestState* request) {
  request->next_shared = nullptr;
  request->behind = false;
  if (MayShare(*request)) {
    const auto inserted = shared_.emplace(ShareKey(*request), request);
    if (!inserted.second) {
      JobRequestState* other = inserted.first->second;
      // This attempt sends nothing of its own.
      if (request->extras != nullptr) request->extras->outgoing = nullptr;
      request->session = this;
      request->packet_offset = other->packet_offset;
      request->reply_due = other->reply_due;
      if (other->reply_due) {
        other->InsertBehind(request);
      } else {
        request->handle = other->handle;
        handles_.Join(request);
        sink_->OnAccepted(request);
      }
      return absl::OkStatus();
    }
  }
  const uint64_t offset = output_->total_appended();
  absl::Status status = EncodeSubmit(request);
  if (!status.ok()) {
    StopSharing(*request);
    return status;
  }
  request->session = this;
  request->packet_offset = offset;
  request->reply_due = true;
  request->reply_number = replies_.Push(
      request, request->background ? ExpectedReply::kJobCreatedBackground
                                   : ExpectedReply::kJobCreatedForeground);
  return absl::OkStatus();
}

absl::Status ClientSession::Ask(Query* query) {
  query->next_shared = nullptr;
  const uint64_t offset = output_->total_appended();
  ExpectedReply expected = ExpectedReply::kEcho;
  absl::Status status;
  if (query->kind == Operation::Kind::kEcho) {
    status =
        wire::Encode(wire::EchoRequest{Payload::View(query->data)}, *output_);
  } else if (!query->handle.empty()) {
    expected = ExpectedReply::kStatus;
    status = wire::Encode(wire::GetStatus{query->handle}, *output_);
  } else {
    expected = ExpectedReply::kStatusUnique;
    status = wire::Encode(wire::GetStatusUnique{query->unique}, *output_);
  }
  if (!status.ok()) return status;
  query->session = this;
  query->packet_offset = offset;
  query->reply_due = true;
  query->reply_number = replies_.Push(query, expected);
  return absl::OkStatus();
}

void ClientSession::StopSharing(const JobRequestState& request) {
  if (!MayShare(request)) return;
  const auto it = shared_.find(ShareKey(request));
  if (it != shared_.end() && it->second == &request) shared_.erase(it);
}

void ClientSession::Detach(Operation* operation) {
  if (operation->session != this) return;
  operation->session = nullptr;
  Forget(operation);
  if (unused() && on_unused_) on_unused_();
}

void ClientSession::Forget(Operation* operation) {
  Operation* const sharing =
      operation->behind ? operation->previous_shared : operation->next_shared;
  if (operation->reply_due) {
    operation->reply_due = false;
    if (operation->behind) {
      operation->LeaveShared();
    } else {
      ReplyQueue::Entry& entry = replies_.at(operation->reply_number);
      entry.operation = operation->LeaveShared();
    }
  } else if (operation->kind == Operation::Kind::kJob) {
    handles_.Remove(AsRequest(operation));
  }
  if (operation->kind != Operation::Kind::kJob) return;
  JobRequestState* request = AsRequest(operation);
  if (!MayShare(*request)) return;
  const auto it = shared_.find(ShareKey(*request));
  if (it == shared_.end() || it->second != request) return;
  // Another request that shares the submission now stands for it. One that the
  // server has joined to it may share nothing, or have another unique.
  if (sharing != nullptr && MayShare(*AsRequest(sharing)) &&
      ShareKey(*AsRequest(sharing)) == it->first) {
    it->second = AsRequest(sharing);
  } else {
    shared_.erase(it);
  }
}

}  // namespace internal
}  // namespace gearman
