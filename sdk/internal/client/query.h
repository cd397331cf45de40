// Query: a status question or an echo, waited for by the thread that asks it
// (on whose stack it lives). Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_QUERY_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_QUERY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/sdk/internal/client/operation.h"
#include "gearman/sdk/job_status.h"

namespace gearman {
namespace internal {

struct Query final : Operation {
  explicit Query(Kind kind) : Operation(kind) {}

  // Asked by handle, else by unique; the echo's data.
  std::string handle;
  std::string unique;
  std::string data;

  bool finished = false;
  // It was lost with its connection once, and asked again.
  bool asked_again = false;
  absl::Time asked;
  absl::Status status;   // why there is no answer
  JobStatus job_status;  // the answer, for kStatusQuery
  std::string echo;      // the answer, for kEcho
  absl::Time answered;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_QUERY_H_
