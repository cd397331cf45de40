#include "gearman/tools/gearctl/write_all.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "absl/strings/string_view.h"

namespace gearman {
namespace gearctl {
namespace {

// Waits until the descriptor takes PIPE_BUF bytes at once, or has an error.
void WaitForRoom(int descriptor) {
  pollfd room{descriptor, POLLOUT, 0};
  if (poll(&room, 1, 0) > 0) return;
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigdelset(&mask, signal);
  ppoll(&room, 1, nullptr, &mask);
}

}  // namespace

int WriteAll(int descriptor, absl::string_view bytes) {
  while (!bytes.empty()) {
    WaitForRoom(descriptor);
    // A pipe that has room takes so many bytes without a wait.
    const absl::string_view piece = bytes.substr(0, PIPE_BUF);
    const ssize_t written = write(descriptor, piece.data(), piece.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return errno;
    }
  }
  return 0;
}

void PrintError(absl::string_view text) { WriteAll(STDERR_FILENO, text); }

}  // namespace gearctl
}  // namespace gearman
