#include "gearman/tests/support/forked_child.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace gearman {
namespace support {
namespace {

constexpr unsigned kSeconds = 60;

}  // namespace

std::string RunInChild(const std::function<std::string()>& body) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  const pid_t pid = fork();
  if (pid < 0) return "fork failed";
  if (pid == 0) {
    alarm(kSeconds);
    close(ends[0]);
    const std::string problem = body();
    static_cast<void>(!write(ends[1], problem.data(), problem.size()));
    _exit(0);
  }
  close(ends[1]);
  std::string problem;
  char buffer[4096];
  for (;;) {
    const ssize_t size = read(ends[0], buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    problem.append(buffer, static_cast<size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    absl::StrAppend(&problem, "signal ", WTERMSIG(status));
  } else if (WEXITSTATUS(status) != 0) {
    absl::StrAppend(&problem, "exit code ", WEXITSTATUS(status));
  }
  return problem;
}

}  // namespace support
}  // namespace gearman
