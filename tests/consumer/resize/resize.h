// A handler as a program of another workspace has it: it halves its payload.
#ifndef CONSUMER_RESIZE_RESIZE_H_
#define CONSUMER_RESIZE_RESIZE_H_

#include <string>

#include "absl/status/statusor.h"
#include "gearman/sdk/job_context.h"

namespace consumer {

inline absl::StatusOr<std::string> Resize(gearman::JobContext& context) {
  const gearman::StringView data = context.job().data();
  if (data.empty()) return gearman::JobFailed("no image");
  return std::string(data.substr(0, data.size() / 2));
}

}  // namespace consumer

#endif  // CONSUMER_RESIZE_RESIZE_H_
