#include "gearman/sdk/testing/scripted_transport.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace testing {

TransportScript& TransportScript::Refuse(absl::Status status) {
  steps_.push_back({Step::Kind::kRefuse, "", std::move(status)});
  return *this;
}

TransportScript& TransportScript::Expect(absl::string_view bytes) {
  steps_.push_back({Step::Kind::kExpect, std::string(bytes), {}});
  return *this;
}

TransportScript& TransportScript::Give(absl::string_view bytes) {
  steps_.push_back({Step::Kind::kGive, std::string(bytes), {}});
  return *this;
}

TransportScript& TransportScript::End() {
  steps_.push_back({Step::Kind::kEnd, "", {}});
  return *this;
}

TransportScript& TransportScript::Fail(absl::Status status) {
  steps_.push_back({Step::Kind::kFail, "", std::move(status)});
  return *this;
}

std::string TransportScript::Trouble() const {
  if (!trouble_.empty()) return trouble_;
  if (steps_.empty()) return "";
  return absl::StrCat(steps_.size(), " steps are left, the first with \"",
                      SafeText(steps_.front().bytes), "\"");
}

IoResult ScriptedTransport::Connect() {
  if (!script_->steps_.empty() &&
      script_->steps_.front().kind == TransportScript::Step::Kind::kRefuse) {
    absl::Status status = script_->steps_.front().status;
    script_->steps_.pop_front();
    return IoResult::Failed(std::move(status));
  }
  return IoResult::Done(0);
}

IoResult ScriptedTransport::Read(absl::Span<char> into) {
  if (closed_) return IoResult::Closed();
  auto& steps = script_->steps_;
  if (steps.empty()) return IoResult::WouldBlock();
  TransportScript::Step& step = steps.front();
  if (step.kind == TransportScript::Step::Kind::kEnd) {
    steps.pop_front();
    return IoResult::Closed();
  }
  if (step.kind == TransportScript::Step::Kind::kFail) {
    absl::Status status = step.status;
    steps.pop_front();
    return IoResult::Failed(std::move(status));
  }
  if (step.kind != TransportScript::Step::Kind::kGive)
    return IoResult::WouldBlock();
  const size_t size = std::min(into.size(), step.bytes.size());
  std::memcpy(into.data(), step.bytes.data(), size);
  step.bytes.erase(0, size);
  if (step.bytes.empty()) steps.pop_front();
  return IoResult::Done(size);
}

IoResult ScriptedTransport::Write(absl::Span<const absl::string_view> pieces) {
  size_t written = 0;
  for (absl::string_view piece : pieces) {
    while (!piece.empty()) {
      auto& steps = script_->steps_;
      if (steps.empty() ||
          steps.front().kind != TransportScript::Step::Kind::kExpect) {
        // The peer sends first: the rest waits, or was not expected.
        if (written > 0) return IoResult::Done(written);
        if (!steps.empty() &&
            steps.front().kind == TransportScript::Step::Kind::kGive) {
          return IoResult::WouldBlock();
        }
        script_->trouble_ =
            absl::StrCat("unexpected bytes \"", SafeText(piece), "\"");
        return IoResult::Failed(absl::AbortedError(script_->trouble_));
      }
      TransportScript::Step& step = steps.front();
      const size_t size = std::min(piece.size(), step.bytes.size());
      if (piece.substr(0, size) !=
          absl::string_view(step.bytes).substr(0, size)) {
        script_->trouble_ = absl::StrCat("expected \"", SafeText(step.bytes),
                                         "\", got \"", SafeText(piece), "\"");
        return IoResult::Failed(absl::AbortedError(script_->trouble_));
      }
      piece.remove_prefix(size);
      step.bytes.erase(0, size);
      written += size;
      if (step.bytes.empty()) steps.pop_front();
    }
  }
  return IoResult::Done(written);
}

Interest ScriptedTransport::interest(bool want_write) const {
  Interest interest;
  const auto& steps = script_->steps_;
  if (steps.empty() || closed_) return interest;
  interest.ready_now =
      steps.front().kind == TransportScript::Step::Kind::kExpect ? want_write
                                                                 : true;
  return interest;
}

absl::StatusOr<std::unique_ptr<Transport>> ScriptedTransportFactory::Create(
    const Address& /*address*/, Poller* /*poller*/, Poller::Key /*key*/) {
  return std::make_unique<ScriptedTransport>(script_);
}

}  // namespace testing
}  // namespace gearman
