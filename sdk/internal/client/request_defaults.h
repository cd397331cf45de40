// RequestDefaults fills in what a request leaves to its client, and checks it
// before it is submitted.
//
// Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_REQUEST_DEFAULTS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_REQUEST_DEFAULTS_H_

#include <random>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/request/job_request_state.h"

namespace gearman {
namespace internal {

class RequestDefaults {
 public:
  // `options` and `random` must outlive this object, and so must `metrics`,
  // unless it is null.
  RequestDefaults(const ClientOptions* options, Metrics* metrics,
                  std::mt19937_64* random)
      : options_(*options), metrics_(metrics), random_(*random) {}

  // Forgets the outcome of the request's last submission, and sets everything
  // that the next one needs. `servers` is their number. `wants_result` means
  // that the caller waits for a result, which a background job does not have.
  //
  // INVALID_ARGUMENT: the request can't be submitted as it is.
  // FAILED_PRECONDITION: it has callbacks, and no thread would call them; or
  // the source of its data was read and can't be read again.
  absl::Status FillIn(JobRequestState* request, int servers, bool wants_result,
                      absl::Time now);

 private:
  int MaxAttempts(const CallOptions& call, int servers) const;
  void MakeUnique(JobRequestState* request);
  absl::Status Check(const JobRequestState& request, bool wants_result) const;
  // Says whether a job whose data comes from a source can be submitted.
  absl::Status CheckBody(const JobRequestState& request) const;
  // INVALID_ARGUMENT: a packet of this job would exceed max_packet_bytes of
  // this client and of workers with the same limit.
  absl::Status CheckSize(const JobRequestState& request) const;

  const ClientOptions& options_;
  Metrics* const metrics_;
  std::mt19937_64& random_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_REQUEST_DEFAULTS_H_
