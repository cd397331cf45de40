// GearmandProcess: a real gearmand of a test's own, on a free port of the
// loopback, ended with the object or the test program, however that may die.
// Its log is kept and printed when the test has failed. The environment
// variable GEARMAND names the program (absolute); the default is Debian's,
// /usr/sbin/gearmand.
//
//   GearmandProcess server;  // or server({"--job-retries=2"})
//   ASSERT_TRUE(server.ok());
//   ClientOptions options; options.servers = {server.address()};
//
// Not thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_GEARMAND_PROCESS_H_
#define GEARMAN_TESTS_SUPPORT_GEARMAND_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/free_port.h"
#include "gearman/tests/support/subprocess.h"

namespace gearman {
namespace support {

class GearmandProcess {
 public:
  // Starts it with these options beside its port, and returns when it serves
  // (with --ssl, when it listens).
  // A failure is a failure of the running test; ok() is false then.
  // Never give -u (its default user is right) or -d. --verbose replaces INFO,
  // by which a server writes a line for each job into the log that is kept
  // here.
  explicit GearmandProcess(std::vector<std::string> options = {});
  ~GearmandProcess();
  GearmandProcess(const GearmandProcess&) = delete;
  GearmandProcess& operator=(const GearmandProcess&) = delete;

  // True if gearmand runs: it has started, and has not been stopped.
  bool ok() const { return process_ != nullptr && process_->running(); }
  // The port is kept for it while it is stopped, where connects are refused.
  uint16_t port() const { return port_.port(); }
  std::string host() const { return "127.0.0.1"; }
  std::string address() const;  // "tcp://127.0.0.1:PORT"
  // 1 for 1.1.20. A build whose version has no number, as one of sources
  // without tags, counts as later than any release. Unknown, 0, with --ssl.
  int major_version() const { return major_version_; }
  pid_t pid() const { return process_ == nullptr ? -1 : process_->pid(); }

  // SIGTERM: it closes every connection and ends, forgetting its jobs. Waits
  // for the end. An error unless it ended as asked with exit code 0.
  absl::Status Stop();
  // SIGKILL, and waits for the end.
  void Kill();
  // Sends any other signal: SIGUSR1 for a graceful stop, SIGSTOP and SIGCONT to
  // let it hang for a while.
  void Signal(int signal);
  // Waits until it has ended (after SIGUSR1, say).
  absl::StatusOr<ExitStatus> WaitForEnd(absl::Duration bound = kBound);
  // Starts it again on the same port with the same options, after a Stop if it
  // still runs.
  absl::Status Restart();

  // Asks over a text connection of its own, and returns the reply's lines
  // without the line "." that ends a list: Admin("status"), Admin("version").
  absl::StatusOr<std::vector<std::string>> Admin(absl::string_view command);

  // The log of gearmand, including that of runs before a restart.
  std::string log() const;

 private:
  absl::Status Start();
  absl::Status LearnVersion();

  const std::vector<std::string> options_;
  ReservedPort port_;
  std::unique_ptr<Subprocess> process_;
  std::string earlier_logs_;
  int major_version_ = 0;
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_GEARMAND_PROCESS_H_
