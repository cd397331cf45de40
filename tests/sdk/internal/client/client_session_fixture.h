// A ClientSession whose effects and output are recorded.
#ifndef GEARMAN_TESTS_SDK_INTERNAL_CLIENT_CLIENT_SESSION_FIXTURE_H_
#define GEARMAN_TESTS_SDK_INTERNAL_CLIENT_CLIENT_SESSION_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gearman/base/ref.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/client/client_session.h"
#include "gearman/tests/sdk/internal/client/recorded_effects.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {

class ClientSessionTest : public ::testing::Test {
 protected:
  // A request that the session may be given; `unique` empty: none of its own.
  std::shared_ptr<JobRequestState> Request(const std::string& task = "reverse",
                                           const std::string& unique = "") {
    auto request = std::make_shared<JobRequestState>();
    request->self = request;
    request->task = task;
    request->data = "data";
    request->unique.Assign(unique.empty() ? "generated" : unique);
    request->explicit_unique = !unique.empty();
    requests_.push_back(request);
    return request;
  }
  // Gives a request that is not submitted yet a callback for pieces.
  static void WantPieces(JobRequestState* request) {
    CallOptions options;
    options.callbacks.on_piece = [](const JobRequest&, const DataPiece&) {};
    request->options = Ref<KeptOptions>::Make(std::move(options));
  }
  void TearDown() override {
    for (auto& request : requests_) request->self = nullptr;
  }

  absl::Status Submit(const std::shared_ptr<JobRequestState>& request) {
    return session_.Submit(request.get());
  }
  template <typename Message>
  absl::Status Receive(Message message) {
    effects_.clear();
    wire::ToClient event = std::move(message);
    return session_.OnEvent(event);
  }
  std::vector<Operation*> Concerned() const {
    std::vector<Operation*> operations;
    for (const Effect& effect : effects_)
      operations.push_back(effect.operation);
    return operations;
  }

  wire::OutputBuffer output_;
  RecordedEffects effects_;
  ClientSession session_{&effects_, &output_, ""};
  std::vector<std::shared_ptr<JobRequestState>> requests_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_INTERNAL_CLIENT_CLIENT_SESSION_FIXTURE_H_
