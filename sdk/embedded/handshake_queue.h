// HandshakeQueue: the links of the embedded job server that are not connected
// yet, and the time that their handshakes may take in a turn.
//
// A few bytes from a peer can make one step of a TLS handshake cost the server
// milliseconds of arithmetic. A turn therefore starts no further step once its
// steps have taken kTimeOfTurn. The remaining links wait, in order, for later
// turns.
//
// Every call is O(1). Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_HANDSHAKE_QUEUE_H_
#define GEARMAN_SDK_EMBEDDED_HANDSHAKE_QUEUE_H_

#include <cstddef>

#include "absl/time/time.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/sdk/embedded/peer_link.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace embedded {

class HandshakeQueue {
 public:
  static constexpr absl::Duration kTimeOfTurn = absl::Milliseconds(1);

  explicit HandshakeQueue(Clock* clock) : clock_(clock) {}

  // --- the time of a turn ---
  void BeginTurn() { used_ = absl::ZeroDuration(); }
  bool has_time() const { return used_ < kTimeOfTurn; }
  // Makes one step of the link's handshake and counts its time. False: the
  // handshake has failed.
  bool Step(PeerLink& link) {
    const absl::Time begin = clock_->Now();
    const bool sound = link.Connect();
    used_ += clock_->Now() - begin;
    return sound;
  }

  // --- the links, each in at most one place ---
  // The link makes its next step in a later turn.
  void Postpone(PeerLink& link) { Put(link, &due_, true); }
  // The link waits for its peer.
  void AwaitPeer(PeerLink& link) { Put(link, &silent_, false); }
  // The link makes a step now, is connected, or is about to be closed.
  void Remove(PeerLink& link) {
    if (!link.ListLink<HandshakeTag>::linked()) return;
    link.ListLink<HandshakeTag>::Unlink();
    link.SetAwaitsConnect(false);
    --size_;
  }
  size_t size() const { return size_; }
  // The next link that has a step to make; null: there is none.
  PeerLink* due() { return due_.empty() ? nullptr : &due_.front(); }
  // The link that has waited longest for its peer; null: there is none.
  PeerLink* silent() { return silent_.empty() ? nullptr : &silent_.front(); }
  // When the next step is due: at once, or never.
  absl::Time next_step() const {
    return due_.empty() ? absl::InfiniteFuture() : absl::InfinitePast();
  }

 private:
  using List = IntrusiveList<PeerLink, HandshakeTag>;

  void Put(PeerLink& link, List* list, bool awaits_connect) {
    Remove(link);
    list->PushBack(link);
    link.SetAwaitsConnect(awaits_connect);
    ++size_;
  }

  Clock* const clock_;
  absl::Duration used_;
  List due_;
  List silent_;
  size_t size_ = 0;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_HANDSHAKE_QUEUE_H_
