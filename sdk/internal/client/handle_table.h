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
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
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

  // Jobs that the table knows.
  size_t size() const { return groups_.size(); }

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
    Groups groups = std::move(groups_);
    groups_.clear();
    for (auto& entry : groups) {
      JobRequestState* request = entry.second.first;
      while (request != nullptr) {
        auto* next = static_cast<JobRequestState*>(request->next_shared);
        request->next_shared = nullptr;
        visit(request);
        request = next;
      }
    }
  }

 private:
  struct Group {
    JobRequestState* first = nullptr;
    // Submissions that the server joined: it sends so many copies.
    uint32_t submissions = 0;
    // Copies of the current packet that have come.
    uint32_t copies_seen = 0;
    // The key, when there is no request whose handle can be it.
    std::unique_ptr<std::string> own_key;
  };
  // Keys point into the first request's handle, or into own_key.
  using Groups = absl::flat_hash_map<absl::string_view, Group>;

  // Lets the entry of `handle` be without requests.
  void MakeOwnerless(Groups::iterator it);

  Groups groups_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_HANDLE_TABLE_H_
