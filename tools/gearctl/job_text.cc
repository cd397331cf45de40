#include "gearman/tools/gearctl/job_text.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {
namespace gearctl {

absl::StatusOr<Priority> ParsePriority(absl::string_view name) {
  if (name == "normal") return Priority::kNone;
  for (const Priority priority : {Priority::kLow, Priority::kHigh}) {
    if (name == PriorityName(priority)) return priority;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--priority: \"", name, "\" is not high, normal or low"));
}

absl::StatusOr<absl::Time> ParseEpoch(absl::string_view text, absl::Time now) {
  absl::Duration delay;
  absl::Time time;
  int64_t seconds;
  std::string error;
  if (!text.empty() && text[0] == '+') {
    if (absl::ParseDuration(text.substr(1), &delay)) return now + delay;
  } else if (absl::SimpleAtoi(text, &seconds)) {
    return absl::FromUnixSeconds(seconds);
  } else if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return time;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--epoch: \"", text,
                   "\" is not a time such as 1798135200, "
                   "2026-12-24T18:00:00Z or +5m"));
}

absl::string_view StateName(const JobStatus& status) {
  if (!status.known) return "ended";
  return status.running ? "running" : "queued";
}

bool HasProgress(const JobStatus& status) {
  return status.numerator != 0 || status.denominator != 0;
}

}  // namespace gearctl
}  // namespace gearman
