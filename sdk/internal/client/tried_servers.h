// TriedServers: which servers have failed a request, and which it is to try
// next when these are many.
//
// ServerPool::Choose shows the selector every server for the first attempts of
// a request. From then on a plan keeps what a request costs linear in the
// number of servers: it lists once which servers are left, and shows the
// selector a few of them at a time.
//
// O(1) per failed attempt. Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_TRIED_SERVERS_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_TRIED_SERVERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"

namespace gearman {
namespace internal {

class TriedServers {
 public:
  // Smaller is better.
  enum class Past : unsigned char { kUntried, kTried, kRefused };

  // The servers of one round: each that had the best past when it began. They
  // are numbers of the pool, which it may have given up since.
  struct Plan {
    // The pool's list that it was made of.
    uint64_t version = 0;
    Past past = Past::kUntried;
    std::vector<int> servers;
    size_t next = 0;  // the first one that has not been looked at
    // Could not be reached when they were looked at: they come last.
    std::vector<int> deferred;
    size_t next_deferred = 0;
    // The candidates that the selector is shown.
    std::vector<int> window;
  };

  // An attempt at `server` (its address) has failed.
  void Add(const std::string& server, FailureReason reason) {
    ++failures_;
    last_ = server;
    Past& past = pasts_.try_emplace(server, Past::kTried).first->second;
    if (IsRefusal(reason)) past = Past::kRefused;
  }

  Past PastOf(absl::string_view server) const {
    const auto found = pasts_.find(server);
    return found == pasts_.end() ? Past::kUntried : found->second;
  }
  // How many attempts have failed, and where the last one was made.
  size_t failures() const { return failures_; }
  const std::string& last() const { return last_; }

  // Null until there is one.
  std::unique_ptr<Plan>& plan() { return plan_; }

 private:
  size_t failures_ = 0;
  std::string last_;
  absl::flat_hash_map<std::string, Past> pasts_;
  std::unique_ptr<Plan> plan_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_TRIED_SERVERS_H_
