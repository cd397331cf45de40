// The indexes of a JobQueue by which submissions find the job to join.
#include "absl/strings/string_view.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"

namespace gearman {
namespace embedded {

absl::string_view JobQueue::KeyText(const QueuedJob& job) {
  return job.key == QueuedJob::Key::kUnique
             ? absl::string_view(job.unique.data(), job.unique.size())
             : job.data.view();
}

void JobQueue::AddKey(QueuedJob& job, QueuedJob::Key key) {
  job.key = key;
  QueuedJob*& newest =
      IndexOfKey(key).emplace(KeyText(job), nullptr).first->second;
  QueuedJob* const next = newest;
  job.key_next = next;
  job.key_previous = nullptr;
  newest = &job;
  if (next == nullptr) return;
  next->key_previous = &job;
  // All jobs behind `next` have been in the crowd since they began to share the
  // key.
  JoinCrowd(*next);
  JoinCrowd(job);
}

void JobQueue::RemoveKey(QueuedJob& job) {
  if (job.key == QueuedJob::Key::kNone) return;
  LeaveCrowd(job);
  KeyIndex& index = IndexOfKey(job.key);
  const auto found = index.find(KeyText(job));
  if (job.key_next != nullptr) job.key_next->key_previous = job.key_previous;
  if (job.key_previous != nullptr) job.key_previous->key_next = job.key_next;
  QueuedJob* const newest =
      found->second == &job ? job.key_next : found->second;
  if (newest == nullptr) {
    index.erase(found);
  } else if (found->first.data() == KeyText(job).data()) {
    // The key is stored in the job that is removed.
    index.erase(found);
    index.emplace(KeyText(*newest), newest);
  } else {
    found->second = newest;
  }
  job.key = QueuedJob::Key::kNone;
  job.key_next = nullptr;
  job.key_previous = nullptr;
}

void JobQueue::JoinCrowd(QueuedJob& job) {
  if (job.crowded || job.cancelled) return;
  job.crowded = true;
  crowded_.emplace(JoinKey(job.function, job.key, KeyText(job)), &job);
}

void JobQueue::LeaveCrowd(QueuedJob& job) {
  if (!job.crowded) return;
  job.crowded = false;
  crowded_.erase(JoinKey(job.function, job.key, KeyText(job)));
}

}  // namespace embedded
}  // namespace gearman
