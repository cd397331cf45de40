#include "gearman/sdk/futures.h"

#include <memory>
#include <utility>

#include "gearman/sdk/client/told_call.h"

namespace gearman {
namespace {

using Outcome = absl::StatusOr<std::string>;

class Promise final : public internal::CallListener {
 public:
  std::future<Outcome> future() { return promise_.get_future(); }
  void OnEnd(Outcome end) override { promise_.set_value(std::move(end)); }

 private:
  std::promise<Outcome> promise_;
};

}  // namespace

std::future<Outcome> Async(Client& client, JobSpec spec) {
  auto promise = std::make_shared<Promise>();
  std::future<Outcome> future = promise->future();
  internal::ToldCall::Submit(client, std::move(spec), std::move(promise));
  return future;
}

std::vector<std::future<Outcome>> AsyncAll(Client& client,
                                           std::vector<JobSpec> specs) {
  std::vector<std::shared_ptr<internal::CallListener>> promises;
  std::vector<std::future<Outcome>> futures;
  promises.reserve(specs.size());
  futures.reserve(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    auto promise = std::make_shared<Promise>();
    futures.push_back(promise->future());
    promises.push_back(std::move(promise));
  }
  internal::ToldCall::SubmitAll(client, std::move(specs), promises);
  return futures;
}

}  // namespace gearman
