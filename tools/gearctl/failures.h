// Failures: of several subjects (tasks, jobs, lines), so that equal ones are
// said once, with their subjects.
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

// Gathers the failures of a command that does the same to several subjects.
class Failures {
 public:
  // OK statuses count for nothing. `subject`: "task \"resize\"".
  void Add(absl::string_view subject, const absl::Status& status);
  // OK: nothing has failed. Otherwise the code of the first failure, and each
  // message once, with the subjects in front of it: five at most, and the
  // number of the others.
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

// Says failures of lines as they come, the first one of a kind at once and the
// number of the others at the end. What it keeps does not grow with the lines.
class LineFailures {
 public:
  // Whether this is the first failure of its kind: then it is to be said.
  // Of more than 100 kinds each is to be said. A kind is a message without
  // `names`: those of the line's own job, which the message may hold.
  bool IsNew(int64_t line, const absl::Status& status,
             std::initializer_list<absl::string_view> names = {});
  // The lines that were not said, a sentence for each kind: empty: none.
  std::vector<std::string> Others() const;

 private:
  struct Kind {
    int64_t first = 0;
    int64_t others = 0;
    std::string lines;  // "4, 6-9"; cut
    int64_t range_begin = 0;
    int64_t range_end = 0;  // of the last range, which is not in `lines` yet
  };
  static std::string LinesOf(const Kind& kind);

  std::map<std::string, Kind> kinds_;  // by message
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_FAILURES_H_
