#include "gearman/sdk/admin/list_reply.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace gearman {
namespace internal {
namespace {

// Returns the status code for a refusal. Servers disagree on the words of their
// refusals and on upper and lower case.
absl::StatusCode CodeOf(const admin::LineReply& refusal) {
  const std::string all =
      absl::AsciiStrToUpper(absl::StrCat(refusal.code, " ", refusal.text));
  if (absl::StrContains(all, "UNKNOWN_COMMAND")) {
    return absl::StatusCode::kUnimplemented;
  }
  if (absl::StrContains(all, "UNKNOWN_JOB") ||
      absl::StrContains(all, "NOT_FOUND") ||
      absl::StrContains(all, "NOT FOUND")) {
    return absl::StatusCode::kNotFound;
  }
  if (absl::StrContains(all, "QUEUE_ERROR")) {
    return absl::StatusCode::kResourceExhausted;
  }
  if (absl::StrContains(all, "STILL CONNECTED")) {
    return absl::StatusCode::kFailedPrecondition;
  }
  if (absl::StrContains(all, "ARGUMENT") || absl::StrContains(all, "INVALID")) {
    return absl::StatusCode::kInvalidArgument;
  }
  return absl::StatusCode::kUnknown;
}

}  // namespace

absl::Status RefusedError(absl::string_view server, absl::string_view command,
                          const admin::LineReply& refusal) {
  std::string text = SafeText(refusal.code);
  if (!refusal.text.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : ": ", SafeMessage(refusal.text));
  }
  return absl::Status(CodeOf(refusal), absl::StrCat(server, " refuses \"",
                                                    command, "\": ", text));
}

}  // namespace internal
}  // namespace gearman
