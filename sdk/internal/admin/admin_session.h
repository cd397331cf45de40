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
#include "absl/time/time.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/admin/reply_decoder.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/internal/admin/admin_link.h"
#include "gearman/sdk/internal/admin/turn.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/poller.h"

namespace gearman {
namespace internal {

class AdminSession {
 public:
  // `timeout` is the time for one call.
  AdminSession(AdminLink::Options options, std::shared_ptr<Poller> poller,
               absl::Duration timeout);
  AdminSession(const AdminSession&) = delete;
  AdminSession& operator=(const AdminSession&) = delete;
  ~AdminSession();

  const std::string& server() const { return link_.server(); }
  const Logger& logger() const { return link_.logger(); }

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
  absl::StatusOr<admin::Reply> CallInTurn(const admin::Command& command,
                                          bool is_question, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(turn_);

  const ProcessMark process_;
  const absl::Duration timeout_;
  const std::shared_ptr<Poller> poller_;
  std::atomic<bool> cancelled_{false};
  Turn turn_;       // the right to use the connection
  AdminLink link_;  // its calls need the turn
  std::vector<Poller::Key> ready_ ABSL_GUARDED_BY(turn_);
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_SESSION_H_
