// Failures of several subjects (tasks, jobs, lines). Equal failures are
// reported once, with their subjects.
//
// Not thread-safe.
#ifndef GEARMAN_TOOLS_GEARCTL_FAILURES_H_
#define GEARMAN_TOOLS_GEARCTL_FAILURES_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {

// Gathers the failures of a command that does one thing to several subjects.
class Failures {
 public:
  // Adds a failure. OK statuses are ignored. `subject`: "task \"resize\"".
  void Add(absl::string_view subject, const absl::Status& status);
  // OK: nothing has failed. Otherwise it has the code of the first failure, and
  // each message once. In front of each message are its subjects: at most five,
  // and the number of the others.
  absl::Status ToStatus() const;

 private:
  struct Kind {
    std::string message;
    std::vector<std::string> subjects;  // the first ones
    int64_t count = 0;
  };
  absl::StatusCode code_ = absl::StatusCode::kOk;
  std::vector<Kind> kinds_;
  std::map<std::string, size_t> places_;  // of messages in kinds_
};

// Reports failures of lines as they come: the first of each kind at once, and
// the number of the others at the end. Its memory does not grow with the lines.
class LineFailures {
 public:
  // True if this is the first failure of its kind, so it must be reported now.
  // After 100 kinds, each further kind is reported each time. A kind is a
  // message without `names`, the names of the line's own job, which the message
  // may contain.
  bool IsNew(int64_t line, const absl::Status& status,
             std::initializer_list<absl::string_view> names = {});
  // Describes the lines that were not reported, with a sentence for each kind.
  std::vector<std::string> Others() const;

 private:
  struct Kind {
    int64_t first = 0;
    int64_t others = 0;
    std::string lines;  // "4, 6-9"; cut
    int64_t range_begin = 0;
    int64_t range_end = 0;  // end of the last range, not in `lines` yet
  };
  static std::string LinesOf(const Kind& kind);

  std::map<std::string, Kind> kinds_;  // by message
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_FAILURES_H_
