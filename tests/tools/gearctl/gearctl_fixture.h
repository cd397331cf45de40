// A fixture for tests of the real gearctl: the program, servers of both kinds
// for it, and a worker in the test's own process.
#ifndef GEARMAN_TESTS_TOOLS_GEARCTL_GEARCTL_FIXTURE_H_
#define GEARMAN_TESTS_TOOLS_GEARCTL_GEARCTL_FIXTURE_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gearman/sdk/worker.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"

namespace gearman {
namespace gearctl {

inline constexpr char kGearctl[] = "tools/gearctl/gearctl";

using support::ProgramResult;
using support::Subprocess;

// How it is started with these arguments, with no servers but those they name.
support::SubprocessOptions GearctlOptions(std::vector<std::string> arguments);

// A whole run of gearctl.
ProgramResult Gearctl(std::vector<std::string> arguments,
                      std::string input = "");
// Starts gearctl, whose standard input stays open.
std::unique_ptr<Subprocess> StartGearctl(std::vector<std::string> arguments);

// `gearctl server` on a free port.
class ServerProcess {
 public:
  explicit ServerProcess(std::vector<std::string> arguments = {});

  std::string address() const;  // "tcp://127.0.0.1:PORT"
  Subprocess& process() { return *process_; }

 private:
  std::unique_ptr<Subprocess> process_;
};

// A worker of the SDK on a thread of the test.
class TestWorker {
 public:
  explicit TestWorker(const std::string& server);
  // Stops it.
  ~TestWorker();

  // Before Start.
  void Register(const std::string& task, Worker::Handler handler);
  void Start();

 private:
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TESTS_TOOLS_GEARCTL_GEARCTL_FIXTURE_H_
