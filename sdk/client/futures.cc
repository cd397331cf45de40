#include "gearman/sdk/futures.h"

#include <utility>

#include "gearman/base/ref.h"
#include "gearman/sdk/client/told_call.h"

namespace gearman {
namespace {

using Outcome = absl::StatusOr<std::string>;

class Promise final : public internal::CallListener {
 public:
  std::future<Outcome> future() { return promise_.get_future(); }
  void OnEnd(Outcome end) override { promise_.set_value(std::move(end)); }
  bool runs_user_code() const override { return false; }

 private:
  std::promise<Outcome> promise_;
};

}  // namespace

std::future<Outcome> Async(Client& client, JobSpec spec) {
  auto promise = internal::Ref<Promise>::Make();
  std::future<Outcome> future = promise->future();
  const JobRequest request =
      internal::MakeTold(std::move(spec), std::move(promise));
  internal::SubmitTold(client, {&request, 1});
  return future;
}

std::vector<std::future<Outcome>> AsyncAll(Client& client,
                                           std::vector<JobSpec> specs) {
  std::vector<JobRequest> requests;
  std::vector<std::future<Outcome>> futures;
  requests.reserve(specs.size());
  futures.reserve(specs.size());
  for (JobSpec& spec : specs) {
    auto promise = internal::Ref<Promise>::Make();
    futures.push_back(promise->future());
    requests.push_back(internal::MakeTold(std::move(spec), std::move(promise)));
  }
  internal::SubmitTold(client, requests);
  return futures;
}

}  // namespace gearman
