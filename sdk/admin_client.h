// AdminClient: observes and controls one job server by its text commands
// (docs/protocol.md, section "Admin text protocol").
//
//   absl::StatusOr<std::unique_ptr<gearman::AdminClient>> admin =
//       gearman::AdminClient::Create(options);  // options.server = "localhost"
//   absl::StatusOr<std::vector<gearman::FunctionStatus>> functions =
//       (*admin)->GetStatus();
//
// Any thread may call any function. Calls run one after another, each on the
// calling thread and each for `timeout` at most. The class has no thread of its
// own.
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
#include "absl/time/time.h"
#include "gearman/base/duration.h"
#include "gearman/base/string_view.h"
#include "gearman/codecs/admin/rows.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/poller.h"

namespace gearman {

class TransportRegistry;

namespace internal {
class AdminSession;
}  // namespace internal

// The rows of the lists (codecs/admin/reply.h).
using FunctionStatus = admin::StatusRow;
using FunctionPriorityStatus = admin::PriorityStatusRow;
using ConnectedWorker = admin::WorkerRow;
using ServerJob = admin::JobRow;

// Counts the rows of a list that can't be read. gearmand writes names
// unescaped, so a line feed in a name breaks its row in two.
struct UnreadableRows {
  size_t count = 0;   // the number of such rows
  std::string first;  // safe text (text/safe_text.h), shortened
};
// Returns a text for people: "tcp://a:4730: 2 rows of its list can't be read,
// ...".
std::string Describe(StringView server, const UnreadableRows& unreadable);

// The settings of an AdminClient, as a plain value.
struct AdminClientOptions {
  // The server ("tcp://host:4730", "host", "tls://host", "inproc://name").
  // Empty means "inproc://default", the embedded job server of this process.
  std::string server;
  // The time for one call: to wait for calls of other threads, to connect and
  // to get the answer.
  Duration timeout = absl::Seconds(10);
  // The limits of one answer, in bytes and in lines. (Each line of a list
  // becomes a row of up to some hundred bytes.) A larger answer is skipped: its
  // call ends with RESOURCE_EXHAUSTED, and the connection goes on.
  size_t max_reply_bytes = 64 << 20;
  size_t max_reply_lines = 4'000'000;
  // The address schemes. Null means TransportRegistry::Default(), which
  // //sdk:builtins fills.
  std::shared_ptr<TransportRegistry> transports;
  // Gets each command and the size of each answer at level debug, and rows that
  // can't be read at level warning.
  Logger logger = DefaultLogger();
  // The source of time and readiness. Null means the machine's. No other client
  // may use this poller.
  std::shared_ptr<Poller> poller;
};

// Ownership: an AdminClient owns one connection, which it makes when first
// needed, keeps, and replaces after a failure. It also owns its poller, unless
// AdminClientOptions::poller provides one. If its logger destroys the client,
// the log gets an error, and the client ends when the current call has
// returned. In a child made by fork every function returns FAILED_PRECONDITION,
// and the destructor does nothing. Create a new client there.
//
// Errors that every function may return beside its own:
//   UNAVAILABLE         the server can't be reached or was lost
//   DEADLINE_EXCEEDED   the whole answer, to the end of a list, did not come in
//                       time
//   DATA_LOSS           the answer makes no sense
//   RESOURCE_EXHAUSTED  the answer is larger than the limits in the options
//   UNAUTHENTICATED     TLS refused one side
//   UNIMPLEMENTED       the server does not have the command
// If the server refuses a command, the message has its code and text. After a
// failure the client closes the connection, so that a late answer is never
// taken for the answer to another command. If a kept connection turns out to be
// gone, the client asks a question again, once. It does not repeat a command
// that changes something.
class AdminClient {
 public:
  // Makes a client of `options.server`. The client connects when it first needs
  // a connection. Returns INVALID_ARGUMENT for an address or limit that can't
  // be right and, with a tls:// address, for a TLS file that can't be used
  // (docs/guide/tls.md). Returns NOT_FOUND for an address scheme that no linked
  // transport has.
  static absl::StatusOr<std::unique_ptr<AdminClient>> Create(
      AdminClientOptions options);
  ~AdminClient();
  AdminClient(const AdminClient&) = delete;
  AdminClient& operator=(const AdminClient&) = delete;

  // Returns the canonical address of the server.
  const std::string& server() const;

  // Ends with CANCELLED the calls that wait for the server and all later calls
  // that would. A program that is about to end calls this, so that a silent
  // server can't delay it. Any thread may call it.
  void Cancel();

  // --- asking ----------------------------------------------------------------
  // Each list leaves out rows that can't be read and counts them in
  // `unreadable`. If `unreadable` is null, the log gets a warning. DATA_LOSS
  // means that no row can be read.

  // "status": the functions with their queued jobs, running jobs and workers.
  absl::StatusOr<std::vector<FunctionStatus>> GetStatus(
      UnreadableRows* unreadable = nullptr);
  // "prioritystatus": the functions with their queued jobs by priority.
  absl::StatusOr<std::vector<FunctionPriorityStatus>> GetPriorityStatus(
      UnreadableRows* unreadable = nullptr);
  // "workers": every connection, including those of clients and this one.
  absl::StatusOr<std::vector<ConnectedWorker>> GetWorkers(
      UnreadableRows* unreadable = nullptr);
  // "show jobs": the jobs that the server holds.
  absl::StatusOr<std::vector<ServerJob>> GetJobs(
      UnreadableRows* unreadable = nullptr);
  // The Visit functions read the lists of "status", "workers", "show jobs" and
  // "show unique jobs" row by row, for lists that are too long to hold as rows.
  // The text of the answer is held in memory. They call `visit` on this thread,
  // with no lock held, when the whole answer has come. `visit` may call this
  // client.
  absl::Status VisitStatus(absl::FunctionRef<void(FunctionStatus&&)> visit,
                           UnreadableRows* unreadable = nullptr);
  absl::Status VisitWorkers(absl::FunctionRef<void(ConnectedWorker&&)> visit,
                            UnreadableRows* unreadable = nullptr);
  absl::Status VisitJobs(absl::FunctionRef<void(ServerJob&&)> visit,
                         UnreadableRows* unreadable = nullptr);
  absl::Status VisitUniqueJobs(absl::FunctionRef<void(std::string&&)> visit);
  // "show unique jobs": the uniques of the jobs. The text is empty for a job
  // without one.
  absl::StatusOr<std::vector<std::string>> GetUniqueJobs();
  // "version": gearmand returns "1.1.20"; some servers return empty text.
  absl::StatusOr<std::string> GetVersion();
  // "getpid": the process id of the server.
  absl::StatusOr<int64_t> GetPid();
  // "verbose": the log level of the server, such as "ERROR".
  absl::StatusOr<std::string> GetVerbosity();

  // --- steering --------------------------------------------------------------
  // "maxqueue": limits the jobs in a function's queue. The server refuses
  // further jobs; 0 means no limit. gearmand compares each limit with all jobs
  // of the function, and ignores the command without an error if it does not
  // know the function. Returns INVALID_ARGUMENT for a name that can't be sent.
  absl::Status SetMaxQueue(StringView function, uint32_t jobs);
  absl::Status SetMaxQueue(StringView function, uint32_t high, uint32_t normal,
                           uint32_t low);
  // "create function". Returns INVALID_ARGUMENT for a name that can't be sent,
  // and RESOURCE_EXHAUSTED if an embedded job server already knows as many
  // functions as it may.
  absl::Status CreateFunction(StringView function);
  // "drop function": drops the functions of this name in any case of letters,
  // and returns how many were dropped. Returns NOT_FOUND if there is none, and
  // FAILED_PRECONDITION if a function has workers or running jobs, and
  // INVALID_ARGUMENT for a name that can't be sent. gearmand never runs the
  // jobs that were queued at that moment.
  absl::StatusOr<int> DropFunction(StringView function);
  // "cancel job": a queued job fails. A running job fails for its clients, but
  // goes on at its worker. Returns NOT_FOUND if the server has no such job, and
  // INVALID_ARGUMENT for a handle that can't be sent.
  absl::Status CancelJob(StringView handle);
  // "shutdown" or "shutdown graceful". gearmand (1.1 and 2.0) answers
  // UNIMPLEMENTED: the message names its process and the signal that ends it.
  absl::Status Shutdown(bool graceful = false);

 private:
  explicit AdminClient(std::shared_ptr<internal::AdminSession> session);

  // Only the destructor moves the session out.
  std::shared_ptr<internal::AdminSession> session_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_ADMIN_CLIENT_H_
