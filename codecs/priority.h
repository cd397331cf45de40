// Priority of a job inside the queue of its function.
#ifndef GEARMAN_CODECS_PRIORITY_H_
#define GEARMAN_CODECS_PRIORITY_H_

#include "absl/strings/string_view.h"

namespace gearman {

// Gearman's three queues. kNone is the normal one (its packets name no
// priority), served after kHigh and before kLow, each first in, first out.
enum class Priority : unsigned char { kNone, kLow, kHigh };

// "none", "low" or "high".
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
