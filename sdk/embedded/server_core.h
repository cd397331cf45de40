// ServerCore: the engine of a JobServer, its listeners and streams, and who
// runs them.
//
// Whoever finds something to do runs the server, one thread at a time: Pump
// tries the lock, and when somebody has it leaves a mark that he will see
// before he goes. So nobody who pumps ever waits for another, and nothing is
// left undone. The lock is held while streams are written to; their readers are
// woken after it has been dropped, as they will want to pump (see WakeBatch). A
// waker takes no lock that is held while anything else runs, and pumping takes
// none that anybody holds who could be woken.
//
// The server runs in turns of about a millisecond at most (WorkMeter), whatever
// its peers send. Connections with something to do stand in line: the first is
// served until it has nothing more or the turn is over, and then goes to the
// end of the line. Between two turns the lock is free for whoever wants it.
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
#include "gearman/process/process_mark.h"
#include "gearman/sdk/embedded/handshake_queue.h"
#include "gearman/sdk/embedded/intrusive_list.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/embedded/passive_poller.h"
#include "gearman/sdk/embedded/quiet_log.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/embedded/server_link.h"
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
  // `options` have been checked and filled in.
  static std::shared_ptr<ServerCore> Create(JobServerOptions options);
  ~ServerCore();

  // As JobServer's.
  absl::StatusOr<std::string> Listen(absl::string_view address);
  std::vector<std::string> addresses() const;
  void Stop() ABSL_LOCKS_EXCLUDED(stop_mutex_, mutex_);
  absl::Status RunOnce(absl::Time deadline);
  size_t connections() const;
  size_t jobs() const;

  // Does what there is to do, or leaves it to the thread that is at it.
  void Pump();

  // This is a child made by fork, and the server is the parent's: its functions
  // do nothing, or return FAILED_PRECONDITION.
  bool inherited() const { return process_.inherited(); }

 private:
  class PumpTask;
  struct Port {
    std::unique_ptr<Listener> listener;
    Poller* poller = nullptr;
    std::string address;
    std::unique_ptr<InLine> in_line;
  };
  // Holds the lock, which it gets before the server's next turn.
  class ABSL_SCOPED_LOCKABLE Visit;

  explicit ServerCore(JobServerOptions options);

  absl::StatusOr<std::unique_ptr<Listener>> MakeListener(const Address& address,
                                                         Poller* poller,
                                                         Poller::Key key);
  // Of the I/O thread, or given; made if need be.
  absl::StatusOr<Poller*> ActivePoller() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same, or null as long as there is none.
  Poller* active_poller() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return options_.poller != nullptr ? options_.poller : thread_poller_.get();
  }

  // The I/O thread.
  void RunThread(EpollPoller* poller);
  // Handles `ready` and whatever else there is, waiting for the lock.
  void HandleReady(const std::vector<Poller::Key>& ready)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // False: it was a full one, and more is left.
  bool Turn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Another thread, if any polls, is to take the next turn.
  void HandOver() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `key` stands in line, once.
  void StandInLine(Poller::Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // It does, and there is to be a next turn.
  void LookAgain(Poller::Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The first in line has its turn.
  void ServeFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void FlushOutput() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- server_links.cc ---
  void Accept(Poller::Key key, Port& port)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddLink(std::unique_ptr<Transport> transport, Poller* poller,
               Poller::Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Read(ServerLink& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush(Poller::Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The link goes, if it is still there. `why` is logged unless it is empty.
  void Close(Poller::Key key, absl::string_view why = "")
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Goes on connecting a link, or lets it wait for its turn. False: it is not
  // connected, and perhaps gone.
  bool Connect(ServerLink& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Those that wait for their turn.
  void ContinueHandshakes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Notes whether the link waits for its peer.
  void WatchStalls(ServerLink& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Links whose peer has let their time pass.
  void CloseStalled() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls `work` -> bool. False, too, when there was no memory for it.
  template <typename Work>
  bool HasMemoryFor(Work&& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnNoMemory() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A turn, which memory that runs out outside of any link only interrupts.
  // As Turn.
  bool GuardedTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Somebody is to run the server when its next timer is due.
  void PublishDeadline() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ProcessMark process_;
  const JobServerOptions options_;
  const LinkLimits limits_;

  // There is something to do that the thread in Turn may not have seen.
  std::atomic<bool> dirty_{false};
  // Those who want the lock for something else than turns.
  mutable std::atomic<int> visitors_{0};

  // Held while stopping: when any Stop returns, all is gone.
  absl::Mutex stop_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);

  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  ServerEngine engine_ ABSL_GUARDED_BY(mutex_);
  PassivePoller passive_poller_;
  // Listens for others than passive streams: the I/O thread's.
  std::unique_ptr<EpollPoller> thread_poller_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> thread_stop_{false};

  Poller::Key last_key_ ABSL_GUARDED_BY(mutex_) = 0;
  // In order, so that a simulation is the same each time.
  absl::btree_map<Poller::Key, Port> ports_ ABSL_GUARDED_BY(mutex_);
  // Not of Abseil: an insertion that finds no memory leaves it as it was.
  std::map<Poller::Key, std::unique_ptr<ServerLink>> links_
      ABSL_GUARDED_BY(mutex_);
  // Who has something to do, each once: links, ports, and kEngineKey.
  IntrusiveList<InLine, LineTag> line_ ABSL_GUARDED_BY(mutex_);
  InLine engine_in_line_ ABSL_GUARDED_BY(mutex_);
  // Scratch of Turn, kept for their memory.
  std::vector<Poller::Key> served_ ABSL_GUARDED_BY(mutex_);
  std::vector<Poller::Key> marked_ ABSL_GUARDED_BY(mutex_);

  // When the turn began.
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  HandshakeQueue handshakes_ ABSL_GUARDED_BY(mutex_);
  StallList stalled_inputs_ ABSL_GUARDED_BY(mutex_);
  StallList stalled_outputs_ ABSL_GUARDED_BY(mutex_);
  // Memory for what remains to be done when there is no other.
  std::unique_ptr<char[]> reserve_ ABSL_GUARDED_BY(mutex_);
  QuietLog closing_log_ ABSL_GUARDED_BY(mutex_);
  QuietLog refusing_log_ ABSL_GUARDED_BY(mutex_);
  QuietLog memory_log_ ABSL_GUARDED_BY(mutex_);

  // Of passive streams: runs the server, and tells when to.
  std::shared_ptr<DeferredTask> pump_;
  const std::shared_ptr<PassiveTimer> timer_;
  absl::Time published_deadline_ ABSL_GUARDED_BY(mutex_) =
      absl::InfiniteFuture();
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_SERVER_CORE_H_
