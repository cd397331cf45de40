// TriedServers records which servers have failed a request. With many servers
// it also plans which to try next.
//
// For the first attempts of a request, ServerChoice shows the selector
// every server. After that a plan keeps the cost of a request linear in the
// number of servers: it lists the remaining servers once, and shows the
// selector a few of them at a time.
//
// O(1) per failed attempt. Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_TRIED_SERVERS_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_TRIED_SERVERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/sdk/internal/request/operation.h"

namespace gearman {
namespace internal {

class TriedServers {
 public:
  // A smaller value is better.
  enum class Past : unsigned char { kUntried, kTried, kRefused };

  // The servers of one round: all that had the best past when it began. Some
  // of them may have been removed since.
  struct Plan {
    // The version of the list of servers that the plan was made from.
    uint64_t version = 0;
    Past past = Past::kUntried;
    std::vector<ClientServerPtr> servers;
    size_t next = 0;  // the first one that has not been looked at
    // Servers whose breaker was open when the plan looked at them. They come
    // last.
    std::vector<ClientServerPtr> deferred;
    size_t next_deferred = 0;
    // The candidates that the selector is shown.
    std::vector<ClientServerPtr> window;
  };

  // Records that an attempt at `server` (an address) has failed.
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
  // The number of failed attempts, and the address of the last one.
  size_t failures() const { return failures_; }
  const std::string& last() const { return last_; }

  // Null until there is a plan.
  std::unique_ptr<Plan>& plan() { return plan_; }

 private:
  size_t failures_ = 0;
  std::string last_;
  absl::flat_hash_map<std::string, Past> pasts_;
  std::unique_ptr<Plan> plan_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_TRIED_SERVERS_H_
