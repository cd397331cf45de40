// Query is a status question or an echo. It lives on the stack of the thread
// that asks it and waits. The client's lock guards it.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_QUERY_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_QUERY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/sdk/internal/request/operation.h"
#include "gearman/sdk/job_status.h"

namespace gearman {
namespace internal {

struct Query final : Operation {
  explicit Query(Kind kind) : Operation(kind) {}

  // A status question goes by handle, or by unique if the handle is empty.
  // `data` is the payload of an echo.
  std::string handle;
  std::string unique;
  std::string data;

  bool finished = false;
  // The query was lost with its connection once, and was asked again.
  bool asked_again = false;
  absl::Time asked;
  absl::Status status;   // why there is no answer
  JobStatus job_status;  // the answer, for kStatusQuery
  std::string echo;      // the answer, for kEcho
  absl::Time answered;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_QUERY_H_
