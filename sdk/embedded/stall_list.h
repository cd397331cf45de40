// StallList: the links of the embedded job server that wait for their peer in
// the middle of a packet or of output. The link that has made no progress for
// longest is first.
//
// Every call is O(1): all links have the same time limit, so they expire in the
// order in which they began to wait.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_STALL_LIST_H_
#define GEARMAN_SDK_EMBEDDED_STALL_LIST_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace embedded {

struct StallTag;

// A link's entry in the list. It leaves the list when it is destroyed.
struct StallEntry : ListLink<StallTag> {
  explicit StallEntry(Poller::Key link_key) : key(link_key) {}

  const Poller::Key key;
  absl::Time since;
  uint64_t progress = 0;
};

class StallList {
 public:
  // A link expires after `limit` without progress.
  explicit StallList(absl::Duration limit)
      : limit_(limit), step_(std::max(limit / 16, absl::Milliseconds(1))) {}

  // Notes whether the link waits for its peer. `progress` is the number of
  // bytes that the peer has moved so far.
  void Update(StallEntry& entry, bool waits, uint64_t progress,
              absl::Time now) {
    if (!waits) {
      entry.Unlink();
      return;
    }
    if (entry.linked() && entry.progress == progress) return;
    entry.Unlink();
    entry.progress = progress;
    entry.since = now;
    entries_.PushBack(entry);
  }

  // Takes an expired link out of the list and returns it; null: there is none.
  StallEntry* TakeExpired(absl::Time now) {
    if (entries_.empty() || entries_.front().since + limit_ > now) {
      return nullptr;
    }
    StallEntry& first = entries_.front();
    first.Unlink();
    return &first;
  }
  // When to call TakeExpired again. Rounded up, so that it seldom changes.
  absl::Time next_deadline() {
    if (entries_.empty()) return absl::InfiniteFuture();
    const absl::Duration exact =
        entries_.front().since + limit_ - absl::UnixEpoch();
    return absl::UnixEpoch() + absl::Ceil(exact, step_);
  }

 private:
  const absl::Duration limit_;
  const absl::Duration step_;
  IntrusiveList<StallEntry, StallTag> entries_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_STALL_LIST_H_
