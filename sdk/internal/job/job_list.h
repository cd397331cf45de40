// JobList is a list of jobs whose nodes are fields of the jobs. Everything costs
// O(1) and allocates nothing. The list does not own its jobs.
//
// Not thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_JOB_JOB_LIST_H_
#define GEARMAN_SDK_INTERNAL_JOB_JOB_LIST_H_

#include "gearman/base/cpp17.h"

namespace gearman {
namespace internal {

struct HeldJob;

// The place of a job in one list.
struct JobNode {
  HeldJob* before = nullptr;
  HeldJob* after = nullptr;
};

// `Node::Of(job)` is the node for this list. A job is in it once at most.
template <typename Node>
class JobList {
 public:
  bool empty() const { return first_ == nullptr; }
  // The job that was added first. Null: the list is empty.
  HeldJob* front() const { return first_; }
  void PushBack(HeldJob* job) {
    Node::Of(job) = {last_, nullptr};
    (last_ == nullptr ? first_ : Node::Of(last_).after) = job;
    last_ = job;
  }
  // `job` must be in this list.
  void Remove(HeldJob* job) {
    const JobNode node = Node::Of(job);
    (node.before == nullptr ? first_ : Node::Of(node.before).after) =
        node.after;
    (node.after == nullptr ? last_ : Node::Of(node.after).before) = node.before;
  }

 private:
  HeldJob* first_ = nullptr;
  HeldJob* last_ = nullptr;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_JOB_JOB_LIST_H_
