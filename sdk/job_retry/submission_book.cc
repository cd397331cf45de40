#include "gearman/sdk/job_retry/submission_book.h"

#include "absl/strings/str_cat.h"

namespace gearman {
namespace internal {

// A task has no NUL.
std::string SubmissionBook::Key(absl::string_view task,
                                absl::string_view unique) {
  return absl::StrCat(task, absl::string_view("\0", 1), unique);
}

bool SubmissionBook::Add(const SubmissionPtr& submission) {
  absl::MutexLock lock(&mutex_);
  return submissions_
      .emplace(Key(submission->to_task, submission->unique), submission)
      .second;
}

SubmissionPtr SubmissionBook::Find(absl::string_view task,
                                   absl::string_view unique) const {
  absl::MutexLock lock(&mutex_);
  const auto found = submissions_.find(Key(task, unique));
  return found == submissions_.end() ? nullptr : found->second;
}

bool SubmissionBook::Remove(const Submission& submission) {
  absl::MutexLock lock(&mutex_);
  const auto found =
      submissions_.find(Key(submission.to_task, submission.unique));
  if (found == submissions_.end() || found->second.get() != &submission) {
    return false;
  }
  submissions_.erase(found);
  return true;
}

size_t SubmissionBook::size() const {
  absl::MutexLock lock(&mutex_);
  return submissions_.size();
}

size_t SubmissionBook::Select(const SelectionQuery& query,
                              absl::Span<const ServerCandidate> candidates,
                              absl::BitGenRef /*random*/) {
  const SubmissionPtr submission = Find(query.task, query.unique);
  // A submission that has just been cancelled goes nowhere.
  if (submission == nullptr) return 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].address == submission->server) return i;
  }
  return 0;
}

}  // namespace internal
}  // namespace gearman
