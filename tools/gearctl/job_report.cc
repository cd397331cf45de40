#include "gearman/tools/gearctl/job_report.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "gearman/text/safe_text.h"
#include "gearman/tools/gearctl/write_all.h"

namespace gearman {
namespace gearctl {
namespace {

// True if a server may have the job of a finished request without a handle.
bool MayBeAccepted(const JobRequest& request) {
  // A timeout or cancellation does not tell what had been sent.
  if (absl::IsDeadlineExceeded(request.status()) ||
      absl::IsCancelled(request.status())) {
    return true;
  }
  const std::vector<AttemptRecord> attempts = request.attempts();
  return request.state() == JobState::kUnknown &&
         std::any_of(
             attempts.begin(), attempts.end(),
             [](const AttemptRecord& attempt) { return attempt.bytes_sent; });
}

bool GoesOn(const JobRequest& request) {
  if (request.status().ok() || request.state() == JobState::kFailed) {
    return false;
  }
  if (!request.handle().empty()) return true;
  return !request.unique().empty() && MayBeAccepted(request);
}

}  // namespace

void Describe(const JobRequest& request, JsonObject& object) {
  object.Set("task", request.task());
  object.Set("state", JobStateName(request.state()));
  object.SetBool("background", request.background());
  if (!request.handle().empty()) object.Set("handle", request.handle());
  if (!request.handle().empty() || GoesOn(request)) {
    object.Set("server", request.connection());
    object.Set("unique", request.unique());
    object.Set("id", request.id().ToString());
  }
  if (const auto data = request.data_updates(); !data.empty()) {
    object.SetList("data", data);
  }
  if (const auto warnings = request.warning_updates(); !warnings.empty()) {
    object.SetList("warnings", warnings);
  }
  if (request.result()) object.Set("result", *request.result());
  if (request.exception()) object.Set("exception", *request.exception());
  if (!request.status().ok()) {
    object.Set("code", absl::StatusCodeToString(request.status().code()));
    object.Set("error", request.status().message());
  }
}

std::string HowToAsk(const JobRequest& request) {
  if (!GoesOn(request)) return "";
  // If a connection ended after the acceptance, it is unknown whether the job
  // still runs.
  const bool certain = !request.handle().empty() &&
                       (absl::IsDeadlineExceeded(request.status()) ||
                        absl::IsCancelled(request.status()));
  // The shell's quote is escaped in the way in which an id escapes bytes.
  return absl::StrCat(
      "the job ", certain ? "goes on" : "may go on",
      // A server drops a queued job when nobody waits for it.
      request.background() ? "" : " if a worker has it",
      "; to ask: gearctl job '",
      absl::StrReplaceAll(request.id().ToString(), {{"'", "%27"}}), "'");
}

void PrintWarning(absl::string_view data) {
  PrintError(absl::StrCat("warning: ", SafeMessage(data), "\n"));
}

}  // namespace gearctl
}  // namespace gearman
