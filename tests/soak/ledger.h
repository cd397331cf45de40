// Ledger: background jobs that a server has accepted and still has to have
// done.
#ifndef GEARMAN_TESTS_SOAK_LEDGER_H_
#define GEARMAN_TESTS_SOAK_LEDGER_H_

#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace gearman {
namespace soak {

// Jobs are told apart by their uniques. Thread-safe.
class Ledger {
 public:
  // Before a job is submitted.
  void Expect(std::string unique);
  // A handler has run for this job. A second call changes nothing.
  void Ran(absl::string_view unique);
  // The submission of this job has ended. No server owes a job that was not
  // accepted, or that may not have been accepted.
  void Settle(absl::string_view unique, bool accepted);

  // Waits until every accepted job has run, and returns how many have not.
  size_t WaitForAll(absl::Duration bound);

 private:
  struct Entry {
    bool accepted = false;
    bool ran = false;
  };

  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace soak
}  // namespace gearman

#endif  // GEARMAN_TESTS_SOAK_LEDGER_H_
