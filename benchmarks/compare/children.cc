#include "gearman/benchmarks/compare/children.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/side.h"

extern char** environ;

namespace gearman {
namespace benchmarks {

Child::Child(std::vector<std::string> arguments, bool keep_output) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(&argument[0]);
  argv.push_back(nullptr);
  int pipes[2] = {-1, -1};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (keep_output) {
    if (pipe(pipes) != 0) Fail("pipe");
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipes[0]);
  }
  if (posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) !=
      0) {
    Fail(absl::StrCat("can't start ", arguments[0]));
  }
  posix_spawn_file_actions_destroy(&actions);
  if (keep_output) {
    close(pipes[1]);
    output_ = pipes[0];
  }
}

Child::~Child() {
  Kill();
  if (output_ >= 0) close(output_);
}

std::string Child::Output() {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(output_, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  if (status != 0) Fail("a child failed");
  return text;
}

double Child::Kill() {
  if (pid_ <= 0) return 0;
  kill(pid_, SIGKILL);
  rusage usage = {};
  wait4(pid_, nullptr, 0, &usage);
  pid_ = -1;
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec +
                                    usage.ru_stime.tv_usec);
}

double Child::CpuSeconds() const {
  std::ifstream file(absl::StrCat("/proc/", pid_, "/stat"));
  std::stringstream text;
  text << file.rdbuf();
  // The fields behind the name in brackets; the 12th and 13th are the ticks.
  std::istringstream fields(text.str().substr(text.str().rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    Fail("no free port");
  }
  close(fd);
  return ntohs(address.sin_port);
}

bool Connects(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = Loopback(port);
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0;
  close(fd);
  return connected;
}

}  // namespace

Gearmand::Gearmand()
    : port_(FreePort()),
      process_(std::make_unique<Child>(
          std::vector<std::string>{"/usr/sbin/gearmand", "-L", "127.0.0.1",
                                   "-p", absl::StrCat(port_), "-t", "2", "-l",
                                   "/dev/null"},
          /*keep_output=*/false)) {
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!Connects(port_)) {
    if (absl::Now() > give_up) Fail("gearmand does not start");
    absl::SleepFor(absl::Milliseconds(5));
  }
}

}  // namespace benchmarks
}  // namespace gearman
