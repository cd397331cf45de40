// HandleTable: the accepted foreground jobs of one connection, by handle.
//
// A handle belongs to every request that was answered with it: equal uniques
// are joined by the server, which then sends each WORK_* packet once per
// submission. So a handle maps to the list of its requests and to the number
// of submissions, which tells how many copies of each packet will come.
//
// O(1) per call. Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_HANDLE_TABLE_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_HANDLE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/client/job_request_state.h"

namespace gearman {
namespace internal {

class HandleTable {
 public:
  // What a WORK_* packet finds.
  struct Arrival {
    // Nobody on this connection asked for the handle.
    bool known = false;
    // The first of the copies that the server sends of one packet.
    bool first_copy = false;
    // The requests it is for, linked by next_shared; null: nobody waits.
    JobRequestState* requests = nullptr;
  };

  // The table keeps handles that nobody waits for, so that their packets are
  // not taken for a breach of the protocol. Beyond this number it forgets the
  // oldest handle.
  static constexpr size_t kMaxAbandoned = 65536;
  // True: a handle was forgotten, so an unknown handle may be a valid one.
  bool has_forgotten() const { return has_forgotten_; }

  // Jobs that the table knows.
  size_t size() const { return single_.size() + groups_.size(); }
  // Those of them that a request waits for.
  size_t awaited() const { return size() - abandoned_groups_; }

  // One more submission was answered with `handle`; `chain` are its requests
  // (null: nobody waits), whose own handle has been set to it.
  void AddSubmission(absl::string_view handle, JobRequestState* chain);
  // `request`, whose handle is in the table, joins the submissions made.
  void Join(JobRequestState* request);
  // `request` is no longer interested.
  void Remove(JobRequestState* request);
  // A packet for `handle` has come. One that ends the job takes its requests
  // out of the table; the first copy gets them all.
  Arrival Arrive(absl::string_view handle, bool ends_job);

  // Forgets everything; calls `visit(JobRequestState*)` for each request.
  template <typename Visit>
  void Drain(Visit visit) {
    const Singles singles = std::exchange(single_, {});
    const Groups groups = std::exchange(groups_, {});
    abandoned_.clear();
    abandoned_groups_ = 0;
    for (JobRequestState* first : singles) VisitChain(first, visit);
    for (const auto& entry : groups) VisitChain(entry.second.first, visit);
  }

 private:
  // By the handle that is in the request: a million jobs are to cost little
  // more than a million pointers.
  struct HandleHash {
    using is_transparent = void;
    size_t operator()(absl::string_view handle) const {
      return absl::Hash<absl::string_view>()(handle);
    }
    size_t operator()(const JobRequestState* request) const {
      return (*this)(request->handle.view());
    }
  };
  struct HandleEqual {
    using is_transparent = void;
    static absl::string_view HandleOf(absl::string_view handle) {
      return handle;
    }
    static absl::string_view HandleOf(const JobRequestState* request) {
      return request->handle.view();
    }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return HandleOf(a) == HandleOf(b);
    }
  };
  using Singles =
      absl::flat_hash_set<JobRequestState*, HandleHash, HandleEqual>;
  // The rare handle with several submissions, or whose requests have left.
  struct Group {
    JobRequestState* first = nullptr;
    // Submissions that the server joined: it sends so many copies.
    uint32_t submissions = 1;
    // Copies of the current packet that have come.
    uint32_t copies_seen = 0;
  };
  using Groups = absl::flat_hash_map<std::string, Group>;

  template <typename Visit>
  static void VisitChain(JobRequestState* request, Visit& visit) {
    while (request != nullptr) {
      auto* next = static_cast<JobRequestState*>(request->next_shared);
      request->next_shared = nullptr;
      visit(request);
      request = next;
    }
  }
  // The requests of this group have left: remembers its handle, which may be
  // the view of a key in groups_.
  void Abandon(absl::string_view handle);
  // Adds a group without requests.
  void AddAbandoned(absl::string_view handle);
  // Puts `chain` into a group that may have no requests.
  void Join(Group* group, JobRequestState* chain);
  // Puts `chain` behind the group's first request.
  static void Append(JobRequestState** first, JobRequestState* chain);

  // A handle is in one of them. The first request of a chain stands for all.
  Singles single_;
  Groups groups_;
  // The groups without requests.
  size_t abandoned_groups_ = 0;
  // Their handles, and some that have ended or been joined since.
  std::deque<std::string> abandoned_;
  bool has_forgotten_ = false;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_HANDLE_TABLE_H_
