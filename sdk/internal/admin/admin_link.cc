#include "gearman/sdk/internal/admin/admin_link.h"

#include <array>
#include <new>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
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

AdminLink::AdminLink(Options options, Poller* poller)
    : options_(std::move(options)),
      name_(options_.server.ToString()),
      poller_(poller),
      next_key_(options_.first_key) {}

void AdminLink::Begin(const admin::Command& command, bool is_question) {
  command_ = command;
  is_question_ = is_question;
  try {
    wire::OutputBuffer trial;
    encodable_ = std::visit(Encoder{trial}, command_);
  } catch (const std::bad_alloc&) {
    encodable_ = NoMemory();
  }
  kept_ = connection_ != nullptr;
  sent_ = false;
  // The server may have closed the connection since the last call. That is no
  // failure of this call.
  CheckIdle();
}

AdminLink::Answer AdminLink::GoOn() {
  Answer answer;
  try {
    answer = Step();
    if (answer.has_value() && !answer->ok()) GiveUp();
    if (answer.has_value() && kept_ && is_question_ &&
        absl::IsUnavailable(answer->status())) {
      kept_ = false;
      answer = Step();
    }
  } catch (const std::bad_alloc&) {
    answer = NoMemory();
  }
  if (!answer.has_value()) return answer;
  if (!answer->ok()) {
    GiveUp();
  } else if ((*answer)->too_large) {
    answer = absl::ResourceExhaustedError(absl::StrCat(
        name_, ": the answer has more than ", options_.limits.max_reply_bytes,
        " bytes (max_reply_bytes) or ", options_.limits.max_reply_lines,
        " lines (max_reply_lines) and was skipped"));
  }
  return answer;
}

void AdminLink::GiveUp() {
  connection_ = nullptr;
  sent_ = false;
}

void AdminLink::CheckIdle() {
  if (connection_ == nullptr) return;
  admin::Reply none;
  if (!Read(&none).ok()) GiveUp();
}

const char* AdminLink::missing() const {
  return sent_ ? "no whole answer" : "no connection";
}

absl::Status AdminLink::TooLate(absl::string_view what,
                                absl::Duration timeout) const {
  return absl::DeadlineExceededError(absl::StrCat(
      name_, ": ", what, " within ", absl::FormatDuration(timeout)));
}

absl::Status AdminLink::NoMemory() const {
  return absl::ResourceExhaustedError(
      absl::StrCat(name_, ": there is no memory for its command or answer"));
}

AdminLink::Answer AdminLink::Step() {
  absl::Status status = encodable_;
  if (status.ok() && !sent_) status = Connect();
  if (!status.ok()) return status;
  if (connection_->connected()) {
    if (!sent_) Send();
    status = connection_->Flush();
    if (!status.ok()) return status;
    // A server in this process answers now.
    poller_->RunDeferred();
    admin::Reply reply;
    const absl::StatusOr<bool> whole = Read(&reply);
    if (!whole.ok()) return whole.status();
    if (*whole) {
      LogReply(reply);
      return reply;
    }
  }
  status = connection_->UpdateInterest();
  if (!status.ok()) return status;
  return std::nullopt;
}

absl::Status AdminLink::Connect() {
  if (connection_ == nullptr) {
    const Poller::Key key = next_key_;
    next_key_ += options_.key_step;
    absl::StatusOr<std::unique_ptr<Transport>> transport =
        options_.transports->Create(options_.server, poller_, key);
    if (!transport.ok()) return transport.status();
    connection_ = std::make_unique<Connection<admin::ReplyDecoder>>(
        *std::move(transport), poller_, key, options_.limits,
        ConnectionOptions());
  }
  return connection_->Connect();
}

void AdminLink::Send() {
  std::visit(Encoder{connection_->output()}, command_).IgnoreError();
  LogCommand(connection_->output());
  connection_->decoder().Expect(admin::ShapeOf(command_));
  sent_ = true;
}

absl::StatusOr<bool> AdminLink::Read(admin::Reply* reply) {
  bool whole = false;
  absl::Status status = connection_->ReadEvents([&](admin::Reply& event) {
    *reply = std::move(event);
    whole = true;
    return absl::OkStatus();
  });
  // A mistake behind a whole reply is the next call's, which finds the
  // connection closed.
  if (whole && !status.ok()) GiveUp();
  if (whole) return true;
  if (!status.ok()) return status;
  return false;
}

void AdminLink::LogCommand(const wire::OutputBuffer& encoded) const {
  if (!options_.logger.enabled(LogLevel::kDebug)) return;
  std::array<absl::string_view, 8> pieces;
  const size_t count = encoded.Gather(absl::MakeSpan(pieces));
  std::string text;
  for (size_t i = 0; i < count; ++i) absl::StrAppend(&text, pieces[i]);
  options_.logger.Log(LogLevel::kDebug, "sent \"", SafeMessage(text), "\" to ",
                      name_, ": ", text.size(), " bytes");
}

void AdminLink::LogReply(const admin::Reply& reply) const {
  if (!options_.logger.enabled(LogLevel::kDebug)) return;
  options_.logger.Log(LogLevel::kDebug, "received ", reply.lines.size(),
                      " lines from ", name_, ": ", reply.lines.bytes(),
                      " bytes");
}

}  // namespace internal
}  // namespace gearman
