// docs/life_of_a_job.md draws a request's states, and docs/guide/requests.md
// lists the ways between them. Both are made of kRequestTransitions. If one
// of them differs, the test fails and shows the text to paste.
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/job_state.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

// Names the input for a request in the state `from`.
absl::string_view Event(JobState from, RequestInput input) {
  const bool accepted = from == JobState::kCreated;
  switch (input) {
    case RequestInput::kSubmit:
      return "submitted";
    case RequestInput::kAccepted:
      return "accepted (JOB_CREATED)";
    case RequestInput::kRefused:
      return "refused (ERROR)";
    case RequestInput::kComplete:
      return accepted ? "WORK_COMPLETE" : "completed by an interceptor";
    case RequestInput::kFail:
      return accepted ? "WORK_FAIL or WORK_EXCEPTION"
                      : "failed by an interceptor";
    case RequestInput::kRetry:
      return "the attempt failed, another one follows";
    case RequestInput::kGiveUp:
      return "given up (lost, timed out, cancelled)";
  }
  return "";
}

// "kPending"
std::string Enumerator(JobState state) {
  std::string name(JobStateName(state));
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return absl::StrCat("k", name);
}

std::string AsDiagram() {
  std::string text = "```mermaid\nstateDiagram-v2\n  [*] --> unknown\n";
  for (const RequestTransition& way : kRequestTransitions) {
    absl::StrAppend(&text, "  ", JobStateName(way.from), " --> ",
                    JobStateName(way.to), ": ", Event(way.from, way.input),
                    "\n");
  }
  return text + "```\n";
}

std::string AsTable() {
  std::string text = "| from | when | to |\n|---|---|---|\n";
  for (const RequestTransition& way : kRequestTransitions) {
    absl::StrAppend(&text, "| `", Enumerator(way.from), "` | ",
                    Event(way.from, way.input), " | `", Enumerator(way.to),
                    "` |\n");
  }
  return text;
}

void ExpectHolds(const char* path, const std::string& expected) {
  std::ifstream file(path);
  ASSERT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(absl::StrContains(text.str(), expected))
      << path << " needs this text:\n"
      << expected;
}

TEST(RequestStatesDocument, DrawsTheTransitions) {
  ExpectHolds("docs/life_of_a_job.md", AsDiagram());
}

TEST(RequestStatesDocument, TheGuideListsTheTransitions) {
  ExpectHolds("docs/guide/requests.md", AsTable());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
