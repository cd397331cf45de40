// ServerEngine: the embedded job server without I/O, clock or threads. Events
// go in, replies come out as bytes in each connection's OutputBuffer.
//
//   EngineConnection* c = engine.OnConnect(id, "127.0.0.1");
//   engine.OnTime(now);                   // before the events of a turn
//   engine.OnEvent(c, event);             // what the decoder yields
//   engine.OnTextLine(c, line);           // a line of the text protocol
//   while (EngineConnection* out = engine.NextWithOutput())
//   Write(out->output()) engine.OnDisconnect(c); wait until
//   engine.next_deadline() at most
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
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/byte_account.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/embedded/connection_memory.h"
#include "gearman/sdk/embedded/intrusive_list.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"
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

// A connected client or worker, or both. Owned by the engine.
class EngineConnection : public ListLink<ConnectionsTag>,
                         public ListLink<OutputTag> {
 public:
  uint64_t id() const { return id_; }
  // What is to be written to it. Consume what has been written.
  wire::OutputBuffer& output() { return output_; }
  const wire::OutputBuffer& output() const { return output_; }
  // Not OK: it got a packet that can't be expressed, or too many that it did
  // not read; close it.
  const absl::Status& failure() const { return failure_; }
  // Where it is from, for the text command `workers`.
  absl::string_view peer() const { return peer_; }
  // `bytes` of memory are held for what is read from it. The owner says so
  // whenever they have changed, and then calls ServerEngine::Weigh.
  void SetInputBytes(size_t bytes) { memory_.SetInput(bytes); }
  absl::string_view client_id() const { return client_id_; }
  // The functions that it has registered, the newest first.
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

  EngineConnection(uint64_t id, absl::string_view peer, ByteAccount* account)
      : id_(id), peer_(peer.data(), peer.size()), memory_(account) {
    seat_.connection = this;
    memory_.connection = this;
  }

  const uint64_t id_;
  const std::string peer_;
  std::string client_id_ = "-";
  bool exceptions_ = false;
  Seat seat_;
  wire::OutputBuffer output_;
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
  // The event's payload may be moved from.
  void OnEvent(EngineConnection* connection, wire::ToServer& event);
  // A line of the text protocol.
  void OnTextLine(EngineConnection* connection, const admin::CommandLine& line);
  // Its jobs go back to their queues, its submissions are forgotten;
  // `connection` is gone.
  void OnDisconnect(EngineConnection* connection);
  // It is `now`, until the next call. Never goes backwards.
  void OnTime(absl::Time now);

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
  JobQueue& queue() { return queue_; }
  const JobQueue& queue() const { return queue_; }
  const EngineOptions& options() const { return options_; }
  IntrusiveList<EngineConnection, ConnectionsTag>& connections() {
    return connections_;
  }

  // --- commands of an administrator ---
  // WORK_FAIL to who waits; it shall not run. gearmand tells no worker, and
  // goes on passing on what the worker sends.
  void Cancel(Job& job);
  // Its jobs end with WORK_FAIL. False: it has workers or running jobs.
  bool Drop(Function& function);

 private:
  class Dispatcher;

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
  // `make(Payload)` -> the packet for each who waits for `job`.
  template <typename Make>
  void ForwardToWaiters(Job& job, Payload data, Make make);
  void SendError(EngineConnection& connection, absl::string_view code,
                 absl::string_view text);
  void SendFailToWaiters(Job& job);
  // WORK_FAIL in place of an exception, with gearmand's NUL behind the handle.
  void SendFailForException(EngineConnection& connection, const Job& job);
  void SendNoop(Worker& worker);
  // Ends a running job with WORK_EXCEPTION, or with WORK_FAIL for those who
  // have not asked for exceptions.
  void EndWithException(Job& job, Payload data);
  void NoteOutput(EngineConnection& connection);

  // The running job of `handle` if this connection holds it.
  Job* HeldJob(EngineConnection& connection, absl::string_view handle);
  void Submit(EngineConnection& connection, Submission submission,
              bool background);
  // A job may run: wakes who can do it.
  void WakeFor(Function& function);
  // A running job has lost its worker.
  void Requeue(Job& job);

  const EngineOptions options_;
  // Of all memory; it outlives what is in it.
  ByteAccount account_;
  MemoryRanking ranking_;
  bool has_failed_ = false;
  absl::Time now_ = absl::InfinitePast();
  JobQueue queue_;
  WorkerTable workers_;
  // In the order in which they connected.
  IntrusiveList<EngineConnection, ConnectionsTag> connections_;
  IntrusiveList<EngineConnection, OutputTag> with_output_;
  size_t bytes_forwarded_ = 0;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_SERVER_ENGINE_H_
