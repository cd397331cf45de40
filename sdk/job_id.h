// JobId: names a job so that another process can ask for it.
//
// The text form has three fields, joined by '|' and percent-encoded where
// needed:
//   tcp://jobs.example:4730|H:jobs:17|report-2026
// A handle has a meaning only on its own server, and only until that server
// restarts: then it may name another job (docs/protocol.md, section "Framing").
// Client::GetJobStatus asks by handle (GET_STATUS) or by unique
// (GET_STATUS_UNIQUE).
#ifndef GEARMAN_SDK_JOB_ID_H_
#define GEARMAN_SDK_JOB_ID_H_

#include <string>

#include "absl/status/statusor.h"
#include "gearman/base/cpp17.h"
#include "gearman/base/string_view.h"

namespace gearman {

struct JobId {
  std::string server;  // its address; empty: any server of the client
  std::string handle;  // may be empty when `unique` is not
  std::string unique;  // may be empty when `handle` is not

  // Returns the text form. Any thread may call it.
  std::string ToString() const;
  // Parses the text form. INVALID_ARGUMENT has the text and the mistake: not
  // three fields, a broken escape, neither handle nor unique, or a handle
  // without a server.
  static absl::StatusOr<JobId> Parse(StringView text);

  friend bool operator==(const JobId& a, const JobId& b) {
    return a.server == b.server && a.handle == b.handle && a.unique == b.unique;
  }
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_ID_H_
