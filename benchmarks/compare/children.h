// The processes of a comparison: gearmand, and this program in its other roles.
#ifndef GEARMAN_BENCHMARKS_COMPARE_CHILDREN_H_
#define GEARMAN_BENCHMARKS_COMPARE_CHILDREN_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gearman {
namespace benchmarks {

// A child process. It ends with this object at the latest.
class Child {
 public:
  // With `keep_output` its standard output is kept for Output. With `calls`
  // strace counts its system calls and writes that file.
  Child(std::vector<std::string> arguments, bool keep_output,
        const std::string& calls = "");
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits for a line of the child's output and returns it without its line
  // feed. If the output ends before, returns the rest. With `keep_output` only.
  std::string Line();
  // Waits for the child's success and returns the rest of its output.
  std::string Output();
  // Ends the child by SIGTERM or SIGKILL. Strace needs SIGTERM to write its
  // file.
  void End(int signal);
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

// A gearmand with two threads on a free port of the loopback. It is ready.
class Gearmand {
 public:
  Gearmand();

  uint16_t port() const { return port_; }
  pid_t pid() const { return process_->pid(); }

 private:
  uint16_t port_;
  std::unique_ptr<Child> process_;
};

// An embedded server over TCP in a process of its own, with limits that let it
// take what gearmand takes. The process is this program with --role=server,
// which must call RunEmbeddedServer.
class EmbeddedServer {
 public:
  EmbeddedServer();

  uint16_t port() const { return port_; }
  pid_t pid() const { return process_->pid(); }

 private:
  std::unique_ptr<Child> process_;
  uint16_t port_;
};

// Returns the path of this program, to start it in another role.
std::string ThisProgram();
// Returns the number after the last colon.
uint16_t PortOf(absl::string_view address);

// Returns the answer of a server at that port of the loopback to the text
// command "status". Empty: no server is there.
std::string ServerStatus(uint16_t port);

// Waits until `workers` workers of that server can do `task`.
void AwaitWorkers(uint16_t port, const std::string& task, int workers);

// The CPU time that a process has used: all its threads together, and its
// busiest thread alone. Seconds.
double CpuSeconds(pid_t pid);
double BusiestThreadSeconds(pid_t pid);

// The counts of strace: all calls, and those that write to a socket.
struct CallCounts {
  double all = 0;
  double writes = 0;
};
CallCounts ReadCalls(const std::string& file);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_CHILDREN_H_
