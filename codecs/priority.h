// The priority of a job in the queue of its function.
#ifndef GEARMAN_CODECS_PRIORITY_H_
#define GEARMAN_CODECS_PRIORITY_H_

#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// Gearman's three queues. kNone is the normal queue, whose packets name no
// priority. It is served after kHigh and before kLow. Each queue is first in,
// first out. SUBMIT_JOB_HIGH, SUBMIT_JOB_LOW and their variants name the others
// (docs/protocol.md, sections "Packets" and "Worker semantics").
enum class Priority : unsigned char { kNone, kLow, kHigh };

// Returns "none", "low" or "high".
inline absl::string_view PriorityName(Priority priority) {
  switch (priority) {
    case Priority::kNone:
      break;
    case Priority::kLow:
      return "low";
    case Priority::kHigh:
      return "high";
  }
  return "none";
}

}  // namespace gearman

#endif  // GEARMAN_CODECS_PRIORITY_H_
