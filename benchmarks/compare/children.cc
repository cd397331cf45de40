#include "gearman/benchmarks/compare/children.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/side.h"

extern char** environ;

namespace gearman {
namespace benchmarks {
namespace {

// Calls that move bytes, wait or wake. Calls that start a program are not
// counted.
constexpr char kCountedCalls[] =
    "sendto,sendmsg,recvfrom,recvmsg,read,write,readv,writev,poll,ppoll,"
    "epoll_wait,epoll_pwait,epoll_pwait2,epoll_ctl,select,pselect6,futex,"
    "sched_yield,nanosleep,clock_nanosleep,setsockopt,ioctl,timerfd_settime";

}  // namespace

Child::Child(std::vector<std::string> arguments, bool keep_output,
             const std::string& calls) {
  if (!calls.empty()) {
    // With -I2, SIGTERM ends strace and the program.
    const std::vector<std::string> strace = {
        "strace",     "-f",
        "-I2",        "-qqq",
        "-c",         "-U",
        "calls,name", "-o",
        calls,        absl::StrCat("-etrace=", kCountedCalls)};
    arguments.insert(arguments.begin(), strace.begin(), strace.end());
  }
  // No child stays behind when this process ends.
  const std::vector<std::string> bound = {"setpriv", "--pdeathsig", "KILL"};
  arguments.insert(arguments.begin(), bound.begin(), bound.end());
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
  End(SIGKILL);
  if (output_ >= 0) close(output_);
}

std::string Child::Line() {
  std::string line;
  // Reading byte by byte leaves the rest to Output. The lines are few and
  // short.
  for (char next; read(output_, &next, 1) == 1 && next != '\n';) line += next;
  return line;
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

void Child::End(int signal) {
  if (pid_ <= 0) return;
  kill(pid_, signal);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

double CpuSeconds(pid_t pid) {
  clockid_t clock;
  timespec used = {};
  if (clock_getcpuclockid(pid, &clock) != 0 ||
      clock_gettime(clock, &used) != 0) {
    Fail("a process has gone");
  }
  return static_cast<double>(used.tv_sec) +
         1e-9 * static_cast<double>(used.tv_nsec);
}

double BusiestThreadSeconds(pid_t pid) {
  double busiest = 0;
  for (const auto& thread : std::filesystem::directory_iterator(
           absl::StrCat("/proc/", pid, "/task"))) {
    std::ifstream file(thread.path() / "schedstat");
    double nanoseconds = 0;
    file >> nanoseconds;
    busiest = std::max(busiest, 1e-9 * nanoseconds);
  }
  return busiest;
}

CallCounts ReadCalls(const std::string& file) {
  CallCounts counts;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    double calls = 0;
    std::string name;
    if (!(fields >> calls >> name)) continue;
    if (name == "total") counts.all = calls;
    if (name == "sendto" || name == "sendmsg") counts.writes += calls;
  }
  if (counts.all == 0) Fail(absl::StrCat("strace wrote no counts to ", file));
  return counts;
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

// Returns a socket, or -1.
int Connect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

// Calls `done` until it returns true. After some seconds it ends the program.
template <typename Done>
void Await(const Done& done, absl::string_view what) {
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!done()) {
    if (absl::Now() > give_up) Fail(absl::StrCat("waited in vain for ", what));
    absl::SleepFor(absl::Milliseconds(2));
  }
}

}  // namespace

std::string ServerStatus(uint16_t port) {
  const int fd = Connect(port);
  std::string text;
  if (fd >= 0 && send(fd, "status\n", 7, MSG_NOSIGNAL) == 7) {
    char buffer[4096];
    while (!absl::EndsWith(text, ".\n")) {
      const ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
      if (n <= 0) break;
      text.append(buffer, static_cast<size_t>(n));
    }
  }
  close(fd);
  return text;
}

Gearmand::Gearmand()
    : port_(FreePort()),
      process_(std::make_unique<Child>(
          std::vector<std::string>{"/usr/sbin/gearmand", "-L", "127.0.0.1",
                                   "-p", absl::StrCat(port_), "-t", "2", "-l",
                                   "/dev/null"},
          /*keep_output=*/false)) {
  Await(
      [this] {
        const int fd = Connect(port_);
        if (fd >= 0) close(fd);
        return fd >= 0;
      },
      "gearmand");
}

EmbeddedServer::EmbeddedServer()
    : process_(std::make_unique<Child>(
          std::vector<std::string>{ThisProgram(), "--role=server"},
          /*keep_output=*/true)),
      port_(PortOf(process_->Line())) {}

std::string ThisProgram() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

uint16_t PortOf(absl::string_view address) {
  int port = 0;
  const absl::string_view digits = address.substr(address.rfind(':') + 1);
  if (!absl::SimpleAtoi(digits, &port) || port <= 0 || port > 65535) {
    Fail(absl::StrCat("no port: '", address, "'"));
  }
  return static_cast<uint16_t>(port);
}

void AwaitWorkers(uint16_t port, const std::string& task, int workers) {
  // TASK TAB JOBS TAB RUNNING TAB WORKERS
  const std::string begin = absl::StrCat(task, "\t");
  const std::string end = absl::StrCat("\t", workers);
  Await(
      [&] {
        for (const absl::string_view line :
             absl::StrSplit(ServerStatus(port), '\n')) {
          if (absl::StartsWith(line, begin) && absl::EndsWith(line, end)) {
            return true;
          }
        }
        return false;
      },
      "workers");
}

}  // namespace benchmarks
}  // namespace gearman
