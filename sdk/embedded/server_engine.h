// ServerEngine: the embedded job server without I/O, clock or threads. Events
// go in, replies come out as bytes in each connection's OutputBuffer.
//
//   EngineConnection* c = engine.OnConnect(id, "127.0.0.1");
//   engine.meter().StartTurn();
//   engine.OnTime(now, wall);             // before the events of a turn
//   engine.OnEvent(c, event);             // what the decoder yields
//   engine.OnTextLine(c, line);           // a line of the text protocol
//   while (EngineConnection* out = engine.NextWithOutput()) Write(*out);
//   engine.OnDisconnect(c);
//   // Wait until engine.next_deadline() at most.
//
// No call does more than a turn's work, which the meter measures. The rest
// becomes a chore. A chore may belong to the connection whose event caused it.
// That connection is then busy: its further events wait, and Continue goes on
// with the chore. Other chores belong to the engine itself (DoBackgroundWork).
//
// The engine behaves like gearmand 1.1.20, odd or not, wherever a client or
// worker could notice. It differs where gearmand crashes, loses or hangs a job,
// takes a job from its worker, mixes names up or gives no answer at all:
// docs/protocol.md, "Where the embedded server differs from gearmand, and why".
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_SERVER_ENGINE_H_
#define GEARMAN_SDK_EMBEDDED_SERVER_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/embedded/connection_memory.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gearman/sdk/embedded/work_meter.h"
#include "gearman/sdk/embedded/worker_table.h"

namespace gearman {
namespace embedded {

struct EngineOptions {
  JobQueueOptions queue;
  WorkerTableOptions workers;
  // WORK_EXCEPTION reaches connections that have not asked for it.
  bool exceptions_for_all = false;
  // The answer to the text command `version`.
  std::string version;
  // Bytes. A connection for which more output waits gets no more packets of
  // others, and must be closed.
  size_t max_output_bytes = size_t{256} << 20;
  // Bytes of all connections together: input of unfinished packets, output that
  // waits, submissions that wait, functions registered. Beyond this the largest
  // connection is closed. 0: no limit.
  size_t max_connection_memory = 0;
};

struct ConnectionsTag;
struct OutputTag;

struct BackgroundTag;

// Work that does not fit into one turn.
class EngineChore : public ListLink<BackgroundTag> {
 public:
  virtual ~EngineChore() = default;
  // Does as much as the turn allows, but at least one step. True: the chore is
  // done.
  virtual bool Run() = 0;
  // True: the chore writes a reply of several parts. Nothing else may come
  // between the parts.
  virtual bool replies() const { return false; }
  // The chore's connection has gone. False: the chore need not be done any
  // more.
  virtual bool OutlivesConnection() { return false; }
};

// A connected client or worker, or both. Owned by the engine.
class EngineConnection : public WalkedLink<ConnectionsTag>,
                         public ListLink<OutputTag> {
 public:
  uint64_t id() const { return id_; }
  // The bytes to write to the connection next. The caller must consume the
  // bytes that it has written and then call NextOutput.
  wire::OutputBuffer& output() { return *output_; }
  // Goes on to the next buffer if output() is empty. True: output() has bytes.
  bool NextOutput();
  // Bytes that wait to be written.
  size_t output_bytes() const {
    size_t bytes = output_->size();
    for (const auto& later : later_) bytes += later->size();
    return bytes;
  }
  // Bytes of memory held for them, payloads included that other connections
  // hold, too. An append never makes it less.
  size_t held_for_output() const {
    size_t bytes = output_->owned_bytes() + output_->shared_bytes();
    for (const auto& later : later_) {
      bytes += later->owned_bytes() + later->shared_bytes();
    }
    return bytes;
  }
  // True: a chore must be done before the connection's next event.
  bool busy() const { return chore_ != nullptr; }
  // Not OK: the caller must close the connection. A packet for it could not be
  // encoded, too much output waited for it, or memory ran short.
  const absl::Status& failure() const { return failure_; }
  // The peer's address, for the text command `workers`.
  absl::string_view peer() const { return peer_; }
  // The caller holds `bytes` of memory for the connection's input. The caller
  // must call this whenever the number has changed, and then
  // ServerEngine::Weigh.
  void SetInputBytes(size_t bytes) { memory_.SetInput(bytes); }
  absl::string_view client_id() const { return client_id_; }
  // The connection was the engine's n-th.
  uint64_t number() const { return number_; }
  // The functions that the connection has registered, as abilities.
  IntrusiveList<Ability, OfWorkerTag>& abilities() { return seat_.abilities; }
  size_t ability_count() const { return seat_.by_function.size(); }
  // The names of these functions. For tests.
  std::vector<absl::string_view> functions();

 private:
  friend class ServerEngine;

  struct Seat : EngineWorker {
    EngineConnection* connection = nullptr;
  };

  // Leads from an entry of the ranking to its connection.
  struct Memory : ConnectionMemory {
    using ConnectionMemory::ConnectionMemory;
    EngineConnection* connection = nullptr;
  };

  EngineConnection(uint64_t id, uint64_t number, absl::string_view peer,
                   ByteAccount* account)
      : id_(id),
        number_(number),
        peer_(peer.data(), peer.size()),
        memory_(account) {
    seat_.connection = this;
    memory_.connection = this;
  }
  // The buffer to which new output is appended.
  wire::OutputBuffer& end_of_output() {
    return later_.empty() ? *output_ : *later_.back();
  }

  const uint64_t id_;
  const uint64_t number_;
  const std::string peer_;
  std::string client_id_ = "-";
  bool exceptions_ = false;
  // The connection has disconnected, and the engine is still taking it apart.
  bool gone_ = false;
  Seat seat_;
  std::unique_ptr<wire::OutputBuffer> output_ =
      std::make_unique<wire::OutputBuffer>();
  // The buffers after output_. A reply of several parts has a buffer of its own
  // until it is complete. Output that comes meanwhile waits in the next one.
  std::deque<std::unique_ptr<wire::OutputBuffer>> later_;
  std::unique_ptr<EngineChore> chore_;
  // The buffer of the chore that replies; null: there is none such.
  const wire::OutputBuffer* reply_ = nullptr;
  absl::Status failure_;
  Memory memory_;
};

class ServerEngine {
 public:
  explicit ServerEngine(EngineOptions options);
  ~ServerEngine();
  ServerEngine(const ServerEngine&) = delete;
  ServerEngine& operator=(const ServerEngine&) = delete;

  // --- inputs ---
  // `peer` must have no spaces.
  EngineConnection* OnConnect(uint64_t id, absl::string_view peer);
  // The connection must not be busy. False: the event could not be handled in
  // this turn, and the caller must pass the same event again. True: the event's
  // payload may have been moved from.
  bool OnEvent(EngineConnection* connection, wire::ToServer& event);
  // Handles a line of the text protocol. Otherwise like OnEvent.
  bool OnTextLine(EngineConnection* connection, const admin::CommandLine& line);
  // Goes on with the chore of a busy connection.
  void Continue(EngineConnection* connection);
  // The connection's jobs go back to their queues. Its submissions are
  // forgotten. The caller must not use `connection` any more.
  void OnDisconnect(EngineConnection* connection);
  // Sets the time until the next call: `now` never goes backwards, and `wall`,
  // by the wall clock, may. Handles the timers that are due as far as the turn
  // allows. The rest is background work.
  void OnTime(absl::Time now, absl::Time wall);
  void OnTime(absl::Time now) { OnTime(now, now); }
  // There is work that no connection waits for. DoBackgroundWork does as much
  // of it as the turn allows.
  bool has_background_work() {
    return timers_due_ || !background_.empty() || !leaving_.empty() ||
           queue_.has_removed() || workers_.has_more_to_wake();
  }
  void DoBackgroundWork();
  // Forgets all jobs without telling any client.
  void Clear();

  // --- memory ---
  // The caller must call this when the connection's bytes may have changed. If
  // all connections together are beyond the limit, the largest one fails,
  // perhaps this one. Its output is dropped, and NextWithOutput returns it to
  // be closed.
  void Weigh(EngineConnection& connection);
  // A connection has failed since NextWithOutput last returned null.
  bool has_failed() const { return has_failed_; }
  // Bytes of all connections. memory() adds those of jobs and functions.
  size_t connection_memory() { return ranking_.account()->bytes(); }
  size_t memory() const { return account_.bytes(); }

  // --- outputs ---
  // Returns a connection that has got output, or has failed, since it was last
  // returned here; null: there are no more.
  EngineConnection* NextWithOutput();
  // Bytes of packets that were forwarded to other connections since
  // NextWithOutput last returned null.
  size_t bytes_forwarded() const { return bytes_forwarded_; }
  // When OnTime has something to do; InfiniteFuture: never.
  absl::Time next_deadline() const { return queue_.next_deadline(); }

  // --- getters, for the text protocol and tests ---
  WorkMeter& meter() { return queue_.meter(); }
  JobQueue& queue() { return queue_; }
  const JobQueue& queue() const { return queue_; }
  const EngineOptions& options() const { return options_; }
  // The number of connections that there have been.
  uint64_t connections_made() const { return connections_made_; }
  IntrusiveList<EngineConnection, ConnectionsTag>& connections() {
    return connections_;
  }

  // --- for the text commands ---
  // Cancels a job: it will not run, and its waiters get WORK_FAIL. Like
  // gearmand, the engine tells no worker, and still forwards what the job's
  // worker sends. False: an update of the job is still being sent, and the
  // caller must call again.
  bool Cancel(QueuedJob& job, EngineConnection* connection);
  // Drops every function whose name equals `name` in any case, unless it is in
  // use. The jobs of a dropped function end with WORK_FAIL. Replies to
  // `connection`.
  void Drop(absl::string_view name, EngineConnection* connection);
  // The buffer for a reply to `connection`, also for that of a chore.
  static wire::OutputBuffer& ReplyTo(EngineConnection* connection) {
    return connection->end_of_output();
  }
  // Begins a chore of `connection`.
  void Begin(EngineConnection* connection, std::unique_ptr<EngineChore> chore);

 private:
  class Dispatcher;
  class DropChore;
  class EndChore;
  class UpdateChore;

  // An update of a job, as it is sent to the job's waiters.
  struct Update {
    wire::Command kind = wire::Command::kWorkFail;
    Payload data;
    // For WORK_STATUS only.
    absl::string_view numerator;
    absl::string_view denominator;
  };

  static EngineConnection& ConnectionOf(Party& party);

  // Calls `append(OutputBuffer&)` -> absl::Status for the connection's output.
  // If that fails, or there is no memory for it, the connection fails: a peer
  // that missed a packet would wait forever. Throws nothing, so that another
  // connection can't interrupt a command halfway.
  template <typename Append>
  void AppendTo(EngineConnection& connection, Append&& append);
  void SetFailed(EngineConnection& connection, absl::Status failure);
  template <typename Message>
  void Send(EngineConnection& connection, Message&& message);
  // Forwards a packet from a worker to a client.
  template <typename Message>
  void Forward(EngineConnection& connection, Message&& message);
  void SendError(EngineConnection& connection, absl::string_view code,
                 absl::string_view text);
  void SendNoop(EngineWorker& worker);
  void NoteOutput(EngineConnection& connection);

  // --- updates of jobs (engine_updates.cc) ---
  // Sends the update to one waiter. `data` is update.data, or shares it.
  void Tell(Party& party, const QueuedJob& job, const Update& update,
            Payload data);
  static Payload ShareOf(const Update& update);
  // Makes `data` a string of its own, which many packets may share. Throws
  // std::bad_alloc.
  Payload Shared(Payload data);
  // Sends an update to all waiters of a job that does not end. The connection
  // `from`, which caused the update, is busy until this is done.
  void UpdateJob(EngineConnection* from, QueuedJob& job, Update& update);
  // Ends a job and sends its last update to all its waiters. `from` as above;
  // null: the rest is background work.
  void EndJob(EngineConnection* from, QueuedJob& job, Update& update);
  // Send an update to as many waiters as the turn allows. True: all have it.
  bool TellWaiters(QueuedJob& job, const Update& update);
  bool TellAndFreeWaiters(QueuedJob& job, const Update& update);
  // True: the job's last update has reached all waiters. If it has not, sends
  // it to some more first.
  bool FinishUpdate(QueuedJob& job);
  // Takes the limit from this turn, for work that must be finished now: there
  // is no memory for a chore, or the engine is being cleared.
  void IgnoreTurn();

  // The running job of `handle` if this connection holds it.
  QueuedJob* HeldJob(EngineConnection& connection, absl::string_view handle);
  // Checks the name of a function that a peer wants to use. False: it has been
  // refused.
  bool CheckFunctionName(EngineConnection& connection, absl::string_view name);
  void Submit(EngineConnection& connection, Submission submission,
              bool background);
  // A job may run: wakes workers that can do it.
  void WakeFor(Function& function);
  // A running job has lost its worker.
  void Requeue(QueuedJob& job);
  // Takes apart the rest of a connection that has gone. False: the turn is over
  // before that is done.
  bool TakeApart(EngineConnection& connection);
  void AddToBackground(std::unique_ptr<EngineChore> chore) {
    background_.PushBack(*chore.release());
  }
  void DoTimers();

  const EngineOptions options_;
  // Counts all memory. It must outlive the members that it counts.
  ByteAccount account_;
  MemoryRanking ranking_;
  bool has_failed_ = false;
  absl::Time now_ = absl::InfinitePast();
  absl::Time wall_ = absl::InfinitePast();
  bool timers_due_ = false;
  uint64_t connections_made_ = 0;
  JobQueue queue_;
  WorkerTable workers_;
  // In the order in which they connected.
  IntrusiveList<EngineConnection, ConnectionsTag> connections_;
  IntrusiveList<EngineConnection, OutputTag> with_output_;
  size_t bytes_forwarded_ = 0;
  // Both lists own their elements, so that adding one allocates nothing.
  IntrusiveList<EngineChore, BackgroundTag> background_;  // in turn
  IntrusiveList<EngineConnection, OutputTag> leaving_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_SERVER_ENGINE_H_
