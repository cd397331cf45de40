// AdminClient: sees and steers one job server through its text commands.
//
//   absl::StatusOr<std::unique_ptr<gearman::AdminClient>> admin =
//       gearman::AdminClient::Create(options);  // options.server = "localhost"
//   absl::StatusOr<std::vector<gearman::FunctionStatus>> functions =
//       (*admin)->GetStatus();
//
// Threads: every function may be called from any thread; calls follow one
// another, each on the calling thread and each for its own `timeout` at most.
// No thread of its own.
//
// Ownership: owns its one connection, which is made when first needed, kept,
// and made anew after a failure, and (unless given one) its poller. If its own
// logger destroys it, it ends when the current call has returned, and the log
// gets an error. In a child made by fork every function returns
// FAILED_PRECONDITION, and the destructor does nothing: create a new one there.
//
// Errors of every function beside its own: UNAVAILABLE: the server can't be
// reached or was lost; DEADLINE_EXCEEDED: no whole answer in time (a list whose
// end is missing, too); DATA_LOSS: an answer that makes no sense;
// RESOURCE_EXHAUSTED: an answer that is larger than the limits in the options;
// UNAUTHENTICATED: by TLS; UNIMPLEMENTED: a command that the server doesn't
// have. Where the server refuses, its code and text are in the message. After a
// failure the connection is closed, so that a late answer is never taken for
// another one's. A question is asked again, once, when a connection that had
// been kept turns out to be gone; a command that changes something is not.
//
// Source: docs/protocol.md, section "Admin text protocol".
#ifndef GEARMAN_SDK_ADMIN_CLIENT_H_
#define GEARMAN_SDK_ADMIN_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/admin/reply.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {

namespace internal {
class AdminSession;
}  // namespace internal

// Rows of the lists (codecs/admin/reply.h).
using FunctionStatus = admin::StatusRow;
using FunctionPriorityStatus = admin::PriorityStatusRow;
using ConnectedWorker = admin::WorkerRow;
using ServerJob = admin::JobRow;

// The rows of a list that can't be read. gearmand lists names as they are: a
// line feed in one makes two rows of its row.
struct UnreadableRows {
  size_t count = 0;
  std::string first;  // safe text (text/safe_text.h), cut
};
// For people: "tcp://a:4730: 2 rows of its list can't be read, ...".
std::string Describe(absl::string_view server,
                     const UnreadableRows& unreadable);

struct AdminClientOptions {
  // The server ("tcp://host:4730", "host", "tls://host", "inproc://name").
  // Empty: "inproc://default", the embedded job server of this process.
  std::string server;
  // To wait for calls of other threads, to connect and to be answered, for each
  // call.
  absl::Duration timeout = absl::Seconds(10);
  // A larger answer is skipped: its call ends with RESOURCE_EXHAUSTED, and the
  // connection goes on. Bytes; lines, of which a list's become rows of up to
  // some hundred bytes.
  size_t max_reply_bytes = 64 << 20;
  size_t max_reply_lines = 4'000'000;
  // Address schemes; null: TransportRegistry::Default(), which //sdk:builtins
  // fills.
  std::shared_ptr<TransportRegistry> transports;
  // Debug: each command, and the size of each answer. Warning: rows that can't
  // be read.
  Logger logger = DefaultLogger();
  // Time and readiness; null: the machine's. A client has its poller to itself.
  std::shared_ptr<Poller> poller;
};

class AdminClient {
 public:
  // A client of `options.server`; connects when first needed.
  // INVALID_ARGUMENT: an address or limit that can't be right, or, for a tls://
  // address, a file of TLS that can't be used (docs/tls.md); NOT_FOUND: an
  // address scheme that no linked transport has.
  static absl::StatusOr<std::unique_ptr<AdminClient>> Create(
      AdminClientOptions options);
  ~AdminClient();
  AdminClient(const AdminClient&) = delete;
  AdminClient& operator=(const AdminClient&) = delete;

  // The server's address in canonical form.
  const std::string& server() const;

  // Ends the calls that wait for the server, and all to come that would, with
  // CANCELLED: for who is about to end and does not want to wait for a server
  // that is silent. Any thread.
  void Cancel();

  // --- asking ----------------------------------------------------------------
  // Rows of a list that can't be read are left out and told in `unreadable`;
  // without it, the log has a warning. DATA_LOSS: no row can be read.

  // "status": functions with their queued and running jobs and their workers.
  absl::StatusOr<std::vector<FunctionStatus>> GetStatus(
      UnreadableRows* unreadable = nullptr);
  // "prioritystatus": functions with their queued jobs by priority.
  absl::StatusOr<std::vector<FunctionPriorityStatus>> GetPriorityStatus(
      UnreadableRows* unreadable = nullptr);
  // "workers": every connection, clients and this one included.
  absl::StatusOr<std::vector<ConnectedWorker>> GetWorkers(
      UnreadableRows* unreadable = nullptr);
  // "show jobs": the jobs that the server has.
  absl::StatusOr<std::vector<ServerJob>> GetJobs(
      UnreadableRows* unreadable = nullptr);
  // As above, row by row: for lists that are too long to be held as rows. The
  // answer's text is held. `visit` is called on this thread with no lock held,
  // when the whole answer has come; it may call this client.
  absl::Status VisitStatus(absl::FunctionRef<void(FunctionStatus&&)> visit,
                           UnreadableRows* unreadable = nullptr);
  absl::Status VisitWorkers(absl::FunctionRef<void(ConnectedWorker&&)> visit,
                            UnreadableRows* unreadable = nullptr);
  absl::Status VisitJobs(absl::FunctionRef<void(ServerJob&&)> visit,
                         UnreadableRows* unreadable = nullptr);
  absl::Status VisitUniqueJobs(absl::FunctionRef<void(std::string&&)> visit);
  // "show unique jobs": their uniques; empty where a job has none.
  absl::StatusOr<std::vector<std::string>> GetUniqueJobs();
  // "version": gearmand's is "1.1.20"; some servers' is empty.
  absl::StatusOr<std::string> GetVersion();
  // "getpid": the server's process.
  absl::StatusOr<int64_t> GetPid();
  // "verbose": the level of the server's log, such as "ERROR".
  absl::StatusOr<std::string> GetVerbosity();

  // --- steering --------------------------------------------------------------
  // "maxqueue": the most jobs that a function's queue takes, more are refused;
  // 0: any number. gearmand compares each number with all jobs of the function
  // and ignores a function that it doesn't know, without a word.
  // INVALID_ARGUMENT: a name that can't be sent.
  absl::Status SetMaxQueue(absl::string_view function, uint32_t jobs);
  absl::Status SetMaxQueue(absl::string_view function, uint32_t high,
                           uint32_t normal, uint32_t low);
  // "create function". INVALID_ARGUMENT: a name that can't be sent;
  // RESOURCE_EXHAUSTED: an embedded job server knows as many as it may.
  absl::Status CreateFunction(absl::string_view function);
  // "drop function", in any case of letters; returns how many functions went.
  // NOT_FOUND: there is none; FAILED_PRECONDITION: it has workers or running
  // jobs. gearmand never runs jobs that were queued then.
  absl::StatusOr<int> DropFunction(absl::string_view function);
  // "cancel job": a queued one fails; a running one fails for its clients and
  // goes on for its worker. NOT_FOUND: the server has no such job.
  absl::Status CancelJob(absl::string_view handle);
  // "shutdown", "shutdown graceful". UNIMPLEMENTED by gearmand (1.1, 2.0):
  // the message names its process and the signal that does it.
  absl::Status Shutdown(bool graceful = false);

 private:
  explicit AdminClient(std::shared_ptr<internal::AdminSession> session);

  // Only the destructor gives it away.
  std::shared_ptr<internal::AdminSession> session_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_ADMIN_CLIENT_H_
