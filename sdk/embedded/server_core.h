// ServerCore: the engine of a JobServer, its listeners and streams, and the way
// in which threads run them.
//
// Any thread that finds something to do runs the server, one thread at a time.
// Pump tries the lock. If another thread holds it, Pump leaves a mark, which
// that thread sees before it returns. So no thread that pumps ever waits for
// another, and no work is left undone. The thread holds the lock while it
// writes to streams. It wakes their readers after it has dropped the lock, as
// they will want to pump (see WakeBatch). A waker takes no lock that is held
// while anything else runs. Pumping takes no lock that a thread which may be
// woken holds.
//
// The server runs in turns of about a millisecond at most (WorkMeter), whatever
// its peers send. Connections with something to do stand in line. The first is
// served until it has nothing more or the turn is over. If it has more, it then
// goes to the end of the line. Between two turns the lock is free for other
// threads.
//
// Thread-safe.
#ifndef GEARMAN_SDK_EMBEDDED_SERVER_CORE_H_
#define GEARMAN_SDK_EMBEDDED_SERVER_CORE_H_

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/embedded/handshake_queue.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/embedded/passive_poller.h"
#include "gearman/sdk/embedded/peer_link.h"
#include "gearman/sdk/embedded/quiet_log.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/embedded/stall_list.h"
#include "gearman/transports/address.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/listener.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace embedded {

class ServerCore {
 public:
  // `options` must have been checked and filled in.
  static std::shared_ptr<ServerCore> Create(JobServerOptions options);
  ~ServerCore();

  // Like JobServer's functions.
  absl::StatusOr<std::string> Listen(absl::string_view address);
  std::vector<std::string> addresses() const;
  void Stop() ABSL_LOCKS_EXCLUDED(stop_mutex_, mutex_);
  absl::Status RunOnce(absl::Time deadline);
  size_t connections() const;
  size_t jobs() const;

  // Does the work that there is, or leaves it to the thread that runs the
  // server.
  void Pump();

  // True: this process is a child made by fork, and the server is the parent's.
  // Its functions then do nothing, or return FAILED_PRECONDITION.
  bool inherited() const { return process_.inherited(); }

 private:
  class PumpTask;
  struct Port {
    std::unique_ptr<Listener> listener;
    Poller* poller = nullptr;
    std::string address;
    std::unique_ptr<InLine> in_line;
  };
  // Holds the lock. The caller gets the lock before the server's next turn.
  class ABSL_SCOPED_LOCKABLE Visit;

  explicit ServerCore(JobServerOptions options);

  absl::StatusOr<std::unique_ptr<Listener>> MakeListener(const Address& address,
                                                         Poller* poller,
                                                         Poller::Key key);
  // The poller of the options or else of the I/O thread, which is made if need
  // be.
  absl::StatusOr<Poller*> PollerForSockets()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The poller of the options or else of the I/O thread, or null while nobody
  // polls: until the thread runs.
  Poller* active_poller() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (options_.poller != nullptr) return options_.poller;
    return thread_.joinable() ? thread_poller_.get() : nullptr;
  }

  // The I/O thread.
  void RunThread(EpollPoller* poller);
  // Handles `ready` and all other work. Waits for the lock.
  void HandleReady(const std::vector<Poller::Key>& ready)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs a turn. False: the turn was full, and work is left.
  bool Turn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Leaves the next turn to another thread, if one polls.
  void HandOver() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts `key` into the line, unless it is there already.
  void StandInLine(Poller::Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts `key` into the line and requests another turn.
  void LookAgain(Poller::Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Serves the first in line.
  void ServeFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void FlushOutput() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- peer_links.cc ---
  void Accept(Poller::Key key, Port& port)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddLink(std::unique_ptr<Transport> transport, Poller* poller,
               Poller::Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Read(PeerLink& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush(Poller::Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Closes the link, if it is still there. Logs `why` unless it is empty.
  void Close(Poller::Key key, absl::string_view why = "")
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Continues to connect the link, or postpones that. False: the link is not
  // connected, and may be gone.
  bool Connect(PeerLink& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Continues postponed handshakes, as far as the turn's time for them allows.
  void ContinueHandshakes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Notes whether the link waits for its peer.
  void WatchStalls(PeerLink& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Closes the links whose peer has exceeded a timeout.
  void CloseStalled() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls `work` -> bool and returns its result. False, too: there was no
  // memory for it.
  template <typename Work>
  bool HasMemoryFor(Work&& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnNoMemory() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Runs a turn and returns like Turn. If memory runs out outside of any link,
  // that only interrupts the turn.
  bool GuardedTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes sure that a thread runs the server when its next timer is due.
  void PublishDeadline() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ProcessMark process_;
  const JobServerOptions options_;
  const LinkLimits limits_;

  // There is work that the thread in Turn may not have seen.
  std::atomic<bool> dirty_{false};
  // The number of threads that want the lock for something other than turns.
  mutable std::atomic<int> visitors_{0};

  // Held while stopping, so that everything is gone when any call of Stop
  // returns.
  absl::Mutex stop_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);

  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  ServerEngine engine_ ABSL_GUARDED_BY(mutex_);
  PassivePoller passive_poller_;
  // The I/O thread's poller, for all streams but passive ones.
  std::unique_ptr<EpollPoller> thread_poller_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> thread_stop_{false};

  Poller::Key last_key_ ABSL_GUARDED_BY(mutex_) = 0;
  // Ordered, so that a simulation is the same each time.
  absl::btree_map<Poller::Key, Port> ports_ ABSL_GUARDED_BY(mutex_);
  // Not an Abseil map: an insertion that finds no memory leaves a std::map as
  // it was.
  std::map<Poller::Key, std::unique_ptr<PeerLink>> links_
      ABSL_GUARDED_BY(mutex_);
  // The links, ports and engine (kEngineKey) that have something to do, each
  // once.
  IntrusiveList<InLine, LineTag> line_ ABSL_GUARDED_BY(mutex_);
  InLine engine_in_line_ ABSL_GUARDED_BY(mutex_);
  // Scratch vectors of Turn. They are kept to reuse their memory.
  std::vector<Poller::Key> served_ ABSL_GUARDED_BY(mutex_);
  std::vector<Poller::Key> marked_ ABSL_GUARDED_BY(mutex_);

  // When the turn began.
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  HandshakeQueue handshakes_ ABSL_GUARDED_BY(mutex_);
  StallList stalled_inputs_ ABSL_GUARDED_BY(mutex_);
  StallList stalled_outputs_ ABSL_GUARDED_BY(mutex_);
  // Freed when memory runs out, so that the remaining work can be done.
  std::unique_ptr<char[]> reserve_ ABSL_GUARDED_BY(mutex_);
  QuietLog closing_log_ ABSL_GUARDED_BY(mutex_);
  QuietLog refusing_log_ ABSL_GUARDED_BY(mutex_);
  QuietLog memory_log_ ABSL_GUARDED_BY(mutex_);

  // For passive streams: `pump_` runs the server, and `timer_` tells when to
  // run it.
  std::shared_ptr<DeferredTask> pump_;
  const std::shared_ptr<PassiveTimer> timer_;
  absl::Time published_deadline_ ABSL_GUARDED_BY(mutex_) =
      absl::InfiniteFuture();
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_SERVER_CORE_H_
