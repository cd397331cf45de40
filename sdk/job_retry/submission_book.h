// SubmissionBook: the failed jobs whose next submission no server has accepted
// yet. As a server selector it sends each to the server that gave the job.
//
// A request carries its task and its unique to the client's selector and
// interceptors, and nothing else of its maker. So these two find the
// submission.
#ifndef GEARMAN_SDK_JOB_RETRY_SUBMISSION_BOOK_H_
#define GEARMAN_SDK_JOB_RETRY_SUBMISSION_BOOK_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/random/bit_gen_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/sdk/job_context.h"

namespace gearman {
namespace internal {

struct RetriedTask;

struct Submission {
  enum class Kind : unsigned char { kAttempt, kDeadLetter };

  Kind kind = Kind::kAttempt;
  std::shared_ptr<RetriedTask> task;
  // The failed job, which is answered with `error`, its handler's, when the
  // submission is accepted.
  PendingJob job;
  absl::Status error;
  int attempt = 1;  // the one that has failed

  // Where and as what it is submitted.
  std::string server;
  std::string to_task;
  std::string unique;
};
using SubmissionPtr = std::shared_ptr<Submission>;

// Thread-safe. It calls nothing with its lock held, so the client may call it
// with its own.
class SubmissionBook final : public ServerSelector {
 public:
  // Adds a submission. Returns false if one of its task and unique is there.
  bool Add(const SubmissionPtr& submission) ABSL_LOCKS_EXCLUDED(mutex_);
  // Returns null if there is none.
  SubmissionPtr Find(absl::string_view task, absl::string_view unique) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Removes a submission. Returns false if it was removed before.
  bool Remove(const Submission& submission) ABSL_LOCKS_EXCLUDED(mutex_);
  size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);

  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates,
                absl::BitGenRef random) override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::string_view name() const override { return "job_retry"; }

 private:
  static std::string Key(absl::string_view task, absl::string_view unique);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, SubmissionPtr> submissions_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_RETRY_SUBMISSION_BOOK_H_
