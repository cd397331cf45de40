// AdminSession is one connection to a job server's text port. One call after
// the other uses it: a command goes out, and its reply comes back. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_SESSION_H_
#define GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_SESSION_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/admin/reply_decoder.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/internal/net/connection.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

class AdminSession {
 public:
  struct Options {
    Address server;
    absl::Duration timeout;
    admin::ReplyDecoderOptions limits;
    std::shared_ptr<TransportRegistry> transports;
    std::shared_ptr<Poller> poller;
    Logger logger;
  };

  explicit AdminSession(Options options);
  AdminSession(const AdminSession&) = delete;
  AdminSession& operator=(const AdminSession&) = delete;
  ~AdminSession();

  const std::string& server() const { return name_; }
  const Logger& logger() const { return options_.logger; }

  // Waits for its turn, sends `command` and returns the reply. One call runs at
  // a time, and each call ends at its own deadline. `is_question` means that
  // the command changes nothing, so it may be sent twice. Its errors are those
  // of AdminClient. INVALID_ARGUMENT: the command can't be encoded.
  absl::StatusOr<admin::Reply> Call(const admin::Command& command,
                                    bool is_question)
      ABSL_LOCKS_EXCLUDED(turn_) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Ends the current calls and all later ones with CANCELLED. Any thread.
  void Cancel();
  // Cancels every call, because a logger destroys the client that calls it.
  // `session` is this object. It ends when the current call on this thread has
  // returned.
  void EndLater(std::shared_ptr<AdminSession> session);

  // True in a child made by fork, where the client is the parent's. Then only
  // server() and Call may be called, and Call returns FAILED_PRECONDITION.
  bool inherited() const { return process_.inherited(); }

 private:
  // The right to use the connection, held by one call at a time. A mutex would
  // not do: a thread could not give up waiting for it at its deadline.
  class ABSL_LOCKABLE Turn {
   public:
    // Returns false if the turn has not become free within `timeout`.
    bool TryTake(absl::Duration timeout) ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true);
    void End() ABSL_UNLOCK_FUNCTION();

   private:
    absl::Mutex mutex_;
    bool taken_ ABSL_GUARDED_BY(mutex_) = false;
  };

  absl::StatusOr<admin::Reply> CallInTurn(const admin::Command& command,
                                          bool is_question, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  absl::Status Open(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  absl::StatusOr<admin::Reply> Exchange(const admin::Command& command,
                                        absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  // Reads the bytes that have come. Returns true when `reply` is complete.
  absl::StatusOr<bool> Read(admin::Reply* reply)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  // Waits until the connection can continue. DEADLINE_EXCEEDED, CANCELLED.
  absl::Status Await(absl::Time deadline, const char* what)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);
  // Returns DEADLINE_EXCEEDED. `what` says what is missing.
  absl::Status TooLate(absl::string_view what) const;
  // Log at debug level only.
  void LogCommand(const wire::OutputBuffer& encoded) const;
  void LogReply(const admin::Reply& reply) const;
  void Close() ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);

  const ProcessMark process_;
  const Options options_;
  const std::string name_;
  std::atomic<bool> cancelled_{false};
  Turn turn_;
  std::unique_ptr<Connection<admin::ReplyDecoder>> connection_
      ABSL_GUARDED_BY(turn_);
  Poller::Key key_ ABSL_GUARDED_BY(turn_) = 0;  // of the last connection
  std::vector<Poller::Key> ready_ ABSL_GUARDED_BY(turn_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_SESSION_H_
