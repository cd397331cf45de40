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
// No call does more than a turn's work, which the meter measures. What is left
// then is a chore: of the connection whose event caused it (it is busy: its
// further events wait, and Continue goes on with the chore), or of the engine
// itself (DoBackgroundWork).
//
// It behaves as gearmand 1.1.20 does, odd or not, wherever a client or worker
// could notice, except where gearmand crashes, loses or hangs a job, takes it
// from its worker, mixes names up or gives no answer at all:
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
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/embedded/connection_memory.h"
#include "gearman/sdk/embedded/intrusive_list.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gearman/sdk/embedded/work_meter.h"
#include "gearman/sdk/embedded/worker_table.h"

namespace gearman {
namespace embedded {

struct EngineOptions {
  JobQueueOptions queue;
  WorkerOptions workers;
  // WORK_EXCEPTION reaches connections that have not asked for it.
  bool exceptions_for_all = false;
  // What the text command `version` answers.
  std::string version;
  // A connection for which more waits gets no more packets of others; it is to
  // be closed. Bytes.
  size_t max_output_bytes = size_t{256} << 20;
  // All connections together: what has been read of unfinished packets, output
  // that waits, submissions that wait, functions registered. Beyond it the
  // largest connection is closed. Bytes; 0: no limit.
  size_t max_connection_memory = 0;
};

struct ConnectionsTag;
struct OutputTag;

struct BackgroundTag;

// Work that does not fit into one turn.
class EngineChore : public ListLink<BackgroundTag> {
 public:
  virtual ~EngineChore() = default;
  // Does as much as the turn allows, and something in any case. True: it is
  // done.
  virtual bool Run() = 0;
  // It writes a reply of several parts, between which nothing else may come.
  virtual bool replies() const { return false; }
  // The connection whose chore it is has gone. False: it need not be done any
  // more.
  virtual bool OutlivesConnection() { return false; }
};

// A connected client or worker, or both. Owned by the engine.
class EngineConnection : public WalkedLink<ConnectionsTag>,
                         public ListLink<OutputTag> {
 public:
  uint64_t id() const { return id_; }
  // What is to be written to it next. Consume what has been written, then call
  // NextOutput.
  wire::OutputBuffer& output() { return *output_; }
  // All of output() has been written. True: there is more in it now.
  bool NextOutput();
  // Bytes that wait to be written.
  size_t output_bytes() const {
    size_t bytes = output_->size();
    for (const auto& later : later_) bytes += later->size();
    return bytes;
  }
  // A chore has to be done before its next event.
  bool busy() const { return chore_ != nullptr; }
  // Not OK: it got a packet that can't be expressed, or too many that it did
  // not read; close it.
  const absl::Status& failure() const { return failure_; }
  // Where it is from, for the text command `workers`.
  absl::string_view peer() const { return peer_; }
  // `bytes` of memory are held for what is read from it. The owner says so
  // whenever they have changed, and then calls ServerEngine::Weigh.
  void SetInputBytes(size_t bytes) { memory_.SetInput(bytes); }
  absl::string_view client_id() const { return client_id_; }
  // It came as the n-th of all.
  uint64_t number() const { return number_; }
  // What it has registered, the newest first.
  IntrusiveList<Ability, OfWorkerTag>& abilities() { return seat_.abilities; }
  size_t ability_count() const { return seat_.by_function.size(); }
  // The names of these functions. For tests.
  std::vector<absl::string_view> functions();

 private:
  friend class ServerEngine;

  struct Seat : Worker {
    EngineConnection* connection = nullptr;
  };

  // How the ranking's connection is found.
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
  // Where what is to be written last goes.
  wire::OutputBuffer& end_of_output() {
    return later_.empty() ? *output_ : *later_.back();
  }

  const uint64_t id_;
  const uint64_t number_;
  const std::string peer_;
  std::string client_id_ = "-";
  bool exceptions_ = false;
  // It has disconnected, and what it leaves behind is being seen to.
  bool gone_ = false;
  Seat seat_;
  std::unique_ptr<wire::OutputBuffer> output_ =
      std::make_unique<wire::OutputBuffer>();
  // What follows: a reply of several parts has a buffer of its own until it is
  // complete, and what comes meanwhile waits in the next one.
  std::deque<std::unique_ptr<wire::OutputBuffer>> later_;
  std::unique_ptr<EngineChore> chore_;
  // What a chore that replies writes into; null: there is none such.
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
  // `peer` has no spaces.
  EngineConnection* OnConnect(uint64_t id, absl::string_view peer);
  // The connection must not be busy. False: the event could not be handled in
  // this turn; call again with the same one. Else the event's payload may have
  // been moved from.
  bool OnEvent(EngineConnection* connection, wire::ToServer& event);
  // A line of the text protocol. As OnEvent.
  bool OnTextLine(EngineConnection* connection, const admin::CommandLine& line);
  // Goes on with the chore of a busy connection.
  void Continue(EngineConnection* connection);
  // Its jobs go back to their queues, its submissions are forgotten;
  // `connection` is gone.
  void OnDisconnect(EngineConnection* connection);
  // It is `now`, until the next call, which never goes backwards, and `wall` by
  // the wall clock, which may. Timers that are due are background work.
  void OnTime(absl::Time now, absl::Time wall);
  void OnTime(absl::Time now) { OnTime(now, now); }
  // There is work that no connection waits for; DoBackgroundWork does as much
  // of it as the turn allows.
  bool has_background_work() {
    return timers_due_ || !background_.empty() || !leaving_.empty() ||
           queue_.has_removed() || workers_.has_more_to_wake();
  }
  void DoBackgroundWork();
  // Forgets all jobs, told to nobody.
  void Clear();

  // --- memory ---
  // The connection's bytes may have changed. When all together are beyond the
  // limit, the largest connection fails, perhaps this one: its output is
  // dropped, and NextWithOutput returns it to be closed.
  void Weigh(EngineConnection& connection);
  // Some connection has failed since NextWithOutput had nothing left.
  bool has_failed() const { return has_failed_; }
  // Bytes of all connections; of these and of jobs and functions.
  size_t connection_memory() { return ranking_.account()->bytes(); }
  size_t memory() const { return account_.bytes(); }

  // --- outputs ---
  // A connection that has had output (or a failure) since it was last returned
  // here; null: there is no more.
  EngineConnection* NextWithOutput();
  // Bytes of packets that travelled on to others since NextWithOutput had
  // nothing left.
  size_t bytes_forwarded() const { return bytes_forwarded_; }
  // When OnTime has something to do; InfiniteFuture: never.
  absl::Time next_deadline() const { return queue_.next_deadline(); }

  // --- getters, for the text protocol and tests ---
  WorkMeter& meter() { return queue_.meter(); }
  JobQueue& queue() { return queue_; }
  const JobQueue& queue() const { return queue_; }
  const EngineOptions& options() const { return options_; }
  // Connections that there have been.
  uint64_t connections_made() const { return connections_made_; }
  IntrusiveList<EngineConnection, ConnectionsTag>& connections() {
    return connections_;
  }

  // --- for the text commands ---
  // WORK_FAIL to who waits; it shall not run. gearmand tells no worker, and
  // goes on passing on what the worker sends. False: an update of the job is on
  // its way; to be called again.
  bool Cancel(Job& job, EngineConnection* connection);
  // Every function that `name` is a spelling of is dropped, unless it is in
  // use: its jobs end with WORK_FAIL. Replies to `connection`.
  void Drop(absl::string_view name, EngineConnection* connection);
  // Where a reply to `connection` goes, that of a chore included.
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

  // What those who wait for a job are told of it.
  struct Update {
    wire::Command kind = wire::Command::kWorkFail;
    Payload data;
    // Of WORK_STATUS.
    absl::string_view numerator;
    absl::string_view denominator;
  };

  static EngineConnection& ConnectionOf(Party& party);

  // Calls `append(OutputBuffer&)` -> absl::Status for the connection's output.
  // Where that fails, or there is no memory for it, the connection has failed:
  // a peer that misses a packet would wait for ever. Throws nothing, so that a
  // command done halfway is not undone by another connection.
  template <typename Append>
  void AppendTo(EngineConnection& connection, Append&& append);
  void SetFailed(EngineConnection& connection, absl::Status failure);
  template <typename Message>
  void Send(EngineConnection& connection, Message&& message);
  // A packet that travels on from worker to client.
  template <typename Message>
  void Forward(EngineConnection& connection, Message&& message);
  void SendError(EngineConnection& connection, absl::string_view code,
                 absl::string_view text);
  void SendNoop(Worker& worker);
  void NoteOutput(EngineConnection& connection);

  // --- updates of jobs (engine_updates.cc) ---
  // Tells one who waits. `data` is update.data, or shares it.
  void Tell(Party& party, const Job& job, const Update& update, Payload data);
  static Payload ShareOf(const Update& update);
  // The same bytes as a string of its own, which many may share. Throws
  // std::bad_alloc.
  Payload Shared(Payload data);
  // Tells all who wait for a running job. `from`, the connection that says so,
  // is busy until it is done.
  void UpdateJob(EngineConnection* from, Job& job, Update& update);
  // The job has ended: tells all who wait for it. `from` as above; null: what
  // is left is background work.
  void EndJob(EngineConnection* from, Job& job, Update& update);
  // As much as the turn allows. True: all have been told.
  bool TellWaiters(Job& job, const Update& update);
  bool TellAndFreeWaiters(Job& job, const Update& update);
  // The job's last update has reached all. Else some more are told.
  bool FinishUpdate(Job& job);
  // Goes on with it without an end to the turn: there is no memory for a chore.
  void IgnoreTurn();

  // The running job of `handle` if this connection holds it.
  Job* HeldJob(EngineConnection& connection, absl::string_view handle);
  // The name of a function that a peer wants to use. False: it is refused.
  bool CheckFunctionName(EngineConnection& connection, absl::string_view name);
  void Submit(EngineConnection& connection, Submission submission,
              bool background);
  // A job may run: wakes who can do it.
  void WakeFor(Function& function);
  // A running job has lost its worker.
  void Requeue(Job& job);
  // Takes apart what is left of a connection that has gone. False: the turn is
  // over before that is done.
  bool TakeApart(EngineConnection& connection);
  void AddToBackground(std::unique_ptr<EngineChore> chore) {
    background_.PushBack(*chore.release());
  }
  void DoTimers();

  const EngineOptions options_;
  // Of all memory; it outlives what is in it.
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
  // Both own what is in them, so that adding to them allocates nothing.
  IntrusiveList<EngineChore, BackgroundTag> background_;  // in turn
  IntrusiveList<EngineConnection, OutputTag> leaving_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_SERVER_ENGINE_H_
