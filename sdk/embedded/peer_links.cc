// ServerCore's functions for its links, from accepting to closing them.
#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/embedded/server_core.h"
#include "gearman/sdk/embedded/work_meter.h"

namespace gearman {
namespace embedded {
namespace {

// How long the server accepts no connection when there are no descriptors left.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);
// The reserve is so small that malloc takes it from the memory for small
// blocks.
constexpr size_t kReserveBytes = 64 << 10;

}  // namespace

// --- memory ------------------------------------------------------------------

template <typename Work>
bool ServerCore::HasMemoryFor(Work&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    OnNoMemory();
    return false;
  }
}

void ServerCore::OnNoMemory() {
  reserve_ = nullptr;
  memory_log_.Warn(
      now_,
      "there is no memory left: what needs more is refused, or its "
      "connection closed (RESOURCE_EXHAUSTED); connections hold ",
      engine_.connection_memory(), " of ", engine_.memory(), " bytes");
}

bool ServerCore::GuardedTurn() {
  bool full = false;
  const bool whole =
      HasMemoryFor([this, &full]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
        full = !Turn();
        return true;
      });
  if (reserve_ == nullptr) {
    reserve_.reset(new (std::nothrow) char[kReserveBytes]);
  }
  if (whole) return !full;
  // The next turn looks again at the links that this turn has begun to serve.
  for (const Poller::Key key : served_) StandInLine(key);
  dirty_.store(true);
  return true;
}

// --- accepting ---------------------------------------------------------------

void ServerCore::Accept(Poller::Key key, Port& port) {
  Interest interest = port.listener->interest();
  for (;;) {
    if (engine_.meter().UsedUp()) {
      LookAgain(key);
      break;
    }
    engine_.meter().Spend(cost::kAccept);
    const Poller::Key link_key = ++last_key_;
    absl::StatusOr<std::unique_ptr<Transport>> transport =
        port.listener->Accept(port.poller, link_key);
    if (!transport.ok()) {
      if (absl::IsFailedPrecondition(transport.status())) {
        port.poller->Forget(key);
        ports_.erase(key);
        return;
      }
      refusing_log_.Warn(now_, transport.status().message());
      // Pause: the poller would report the port again at once, a thousand times
      // over.
      interest = Interest();
      interest.deadline = options_.clock->Now() + kAcceptPause;
      break;
    }
    if (*transport == nullptr) break;
    if (options_.max_connections > 0 &&
        links_.size() >= options_.max_connections) {
      refusing_log_.Warn(now_, port.address,
                         ": a client is refused: there are ", links_.size(),
                         " connections (max_connections)");
      port.poller->Forget(link_key);
      continue;
    }
    AddLink(*std::move(transport), port.poller, link_key);
  }
  if (!port.poller->Watch(key, interest).ok()) {
    // A watch without a descriptor can't fail. At the deadline the server looks
    // at the port again, and watches it again.
    interest = Interest();
    interest.deadline = options_.clock->Now() + kAcceptPause;
    port.poller->Watch(key, interest).IgnoreError();
  }
}

void ServerCore::AddLink(std::unique_ptr<Transport> transport, Poller* poller,
                         Poller::Key key) {
  const bool added = HasMemoryFor([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    // Each link may be in the lists of a turn twice.
    const size_t keys = 2 * links_.size() + 1024;
    for (std::vector<Poller::Key>* list : {&served_, &marked_}) {
      if (list->capacity() < keys) list->reserve(2 * keys);
    }
    links_.emplace(key, std::make_unique<PeerLink>(std::move(transport), poller,
                                                   key, limits_, &engine_));
    return true;
  });
  if (added) {
    LookAgain(key);
  } else {
    poller->Forget(key);
  }
}

// --- connecting --------------------------------------------------------------

bool ServerCore::Connect(PeerLink& link) {
  if (link.awaits_connect()) return false;
  if (handshakes_.has_time()) {
    handshakes_.Remove(link);
    const bool sound = HasMemoryFor([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return handshakes_.Step(link);
    });
    if (!sound) {
      Close(link.key());
      return false;
    }
    if (link.connected()) return true;
    handshakes_.AwaitPeer(link);
  } else {
    handshakes_.Postpone(link);
  }
  if (options_.max_handshakes > 0 &&
      handshakes_.size() > options_.max_handshakes) {
    PeerLink* const silent = handshakes_.silent();
    PeerLink& goes = silent != nullptr ? *silent : link;
    Close(goes.key(), "too many handshakes are not finished (max_handshakes)");
  }
  return false;
}

void ServerCore::ContinueHandshakes() {
  handshakes_.BeginTurn();
  while (handshakes_.has_time()) {
    PeerLink* const link = handshakes_.due();
    if (link == nullptr) return;
    const Poller::Key key = link->key();
    handshakes_.Remove(*link);
    Read(*link);
    Flush(key);
  }
}

// --- reading and writing -----------------------------------------------------

void ServerCore::Read(PeerLink& link) {
  if (!link.connected() && !Connect(link)) return;
  PeerLink::Progress progress = PeerLink::Progress::kEnded;
  HasMemoryFor([&] {
    progress = link.Read();
    return true;
  });
  switch (progress) {
    case PeerLink::Progress::kWaits:
      return;
    case PeerLink::Progress::kMore:
      return LookAgain(link.key());
    case PeerLink::Progress::kEnded:
      break;
  }
  // A peer that has ended only its half of the stream gets its replies, as far
  // as the stream takes them at once.
  HasMemoryFor([&] {
    link.FlushAll();
    return true;
  });
  Close(link.key(), link.failure().message());
}

void ServerCore::Flush(Poller::Key key) {
  const auto found = links_.find(key);
  if (found == links_.end()) return;
  PeerLink& link = *found->second;
  const bool sound =
      HasMemoryFor([&] { return link.Flush() && link.UpdateInterest().ok(); });
  if (!sound) {
    Close(key, link.failure().message());
    return;
  }
  WatchStalls(link);
  if (link.ShouldResume()) LookAgain(key);
}

void ServerCore::Close(Poller::Key key, absl::string_view why) {
  const auto found = links_.find(key);
  if (found == links_.end()) return;
  if (!why.empty()) {
    HasMemoryFor([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      closing_log_.Warn(now_, found->second->Describe(), " is closed: ", why);
      return true;
    });
  }
  handshakes_.Remove(*found->second);
  links_.erase(found);
}

// --- peers that let their time pass ------------------------------------------

void ServerCore::WatchStalls(PeerLink& link) {
  stalled_inputs_.Update(link.input_stall(), link.in_packet(),
                         link.bytes_read(), now_);
  stalled_outputs_.Update(link.output_stall(), link.has_output(),
                          link.bytes_written(), now_);
}

void ServerCore::CloseStalled() {
  while (const StallEntry* entry = stalled_inputs_.TakeExpired(now_)) {
    Close(entry->key,
          "it has begun a packet and sent no more of it (packet_timeout)");
  }
  while (const StallEntry* entry = stalled_outputs_.TakeExpired(now_)) {
    Close(entry->key, "it takes nothing of what waits for it (output_timeout)");
  }
}

}  // namespace embedded
}  // namespace gearman
