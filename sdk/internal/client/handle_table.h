// HandleTable has the accepted foreground jobs of one connection, by handle.
//
// A handle belongs to every request that was answered with it. The server joins
// equal uniques, and then sends each WORK_* packet once per submission. So the
// table maps a handle to the list of its requests and to the number of
// submissions, which is the number of copies of each packet that will come.
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
#include "gearman/sdk/internal/request/job_request_state.h"

namespace gearman {
namespace internal {

class HandleTable {
 public:
  // The result of looking up the handle of a WORK_* packet.
  struct Arrival {
    // False: nobody on this connection asked for the handle.
    bool known = false;
    // True for the first of the copies that the server sends of one packet.
    bool first_copy = false;
    // The requests for the packet, linked by next_shared. Null: nobody waits.
    JobRequestState* requests = nullptr;
  };

  // The table keeps handles that nobody waits for, so that their packets are
  // not taken for a breach of the protocol. Beyond this number it forgets the
  // oldest handle.
  static constexpr size_t kMaxAbandoned = 65536;
  // True if a handle was forgotten, so an unknown handle may be a valid one.
  bool has_forgotten() const { return has_forgotten_; }

  // The number of jobs in the table.
  size_t size() const { return single_.size() + groups_.size(); }
  // The number of them that a request waits for.
  size_t awaited() const { return size() - abandoned_groups_; }

  // Counts one more submission that was answered with `handle`. `chain` are its
  // requests (null: nobody waits); their own handle has been set already.
  void AddSubmission(absl::string_view handle, JobRequestState* chain);
  // Adds `request`, whose handle is in the table, to the submissions made.
  void Join(JobRequestState* request);
  // Removes `request`, which is no longer interested.
  void Remove(JobRequestState* request);
  // Handles the arrival of a packet for `handle`. A packet that ends the job
  // takes its requests out of the table: the first copy gets them all.
  Arrival Arrive(absl::string_view handle, bool ends_job);

  // Returns the request that has this handle, if no other request or submission
  // shares it; else null.
  JobRequestState* FindAlone(absl::string_view handle) const {
    const auto alone = single_.find(handle);
    return alone != single_.end() && (*alone)->next_shared == nullptr ? *alone
                                                                      : nullptr;
  }

  // Removes the job, of which no more packets will come, and returns its
  // requests, linked by next_shared. Null: nobody waits, or the handle is
  // unknown.
  JobRequestState* Forget(absl::string_view handle);

  // Forgets everything, and calls `visit(JobRequestState*)` for each request.
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
  // The key is the handle inside the request, so that a million jobs cost
  // little more than a million pointers.
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
  // A rare handle: it has several submissions, or its requests have left.
  struct Group {
    JobRequestState* first = nullptr;
    // The number of submissions that the server joined, and of copies that it
    // sends.
    uint32_t submissions = 1;
    // The number of copies of the current packet that have come.
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
  // Remembers the handle of a group whose requests have left. `handle` may be
  // the view of a key in groups_.
  void Abandon(absl::string_view handle);
  // Adds a group without requests.
  void AddAbandoned(absl::string_view handle);
  // Adds `chain` to a group that may have no requests.
  void Join(Group* group, JobRequestState* chain);
  // Inserts `chain` directly behind the group's first request.
  static void Append(JobRequestState** first, JobRequestState* chain);

  // A handle is in one of the two. A chain is in singles_ by its first request.
  Singles single_;
  Groups groups_;
  // The number of groups without requests.
  size_t abandoned_groups_ = 0;
  // The handles of these groups, and some that have ended or been joined since.
  std::deque<std::string> abandoned_;
  bool has_forgotten_ = false;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_HANDLE_TABLE_H_
