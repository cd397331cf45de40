// A client and a worker on a plain epoll loop: one thread does everything, and
// sleeps in one place. Any loop that watches descriptors and has timers does
// (libuv, Asio, Qt). Lines of the standard input, a pipe or a terminal, are
// sent to the worker, and its answers are printed. With addresses of servers as
// arguments this uses these, and otherwise the embedded server.
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/transports/epoll_poller.h"

namespace {

absl::StatusOr<std::string> Reverse(gearman::JobContext& context) {
  const std::string_view data = context.job().data();
  return std::string(data.rbegin(), data.rend());
}

absl::Status Watch(int loop, int descriptor) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("descriptor ", descriptor));
}

// The time until `next` in milliseconds for epoll_wait, rounded up: a loop that
// wakes too early would have to sleep again.
int Milliseconds(absl::Time next) {
  if (next == absl::InfiniteFuture()) return -1;
  const absl::Duration left =
      std::max(absl::ZeroDuration(), next - absl::Now());
  return static_cast<int>(std::min<int64_t>(
      absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))),
      std::numeric_limits<int>::max()));
}

void Submit(gearman::Client* client, std::string line, int* waiting) {
  gearman::CallOptions options;
  options.callbacks.on_complete =
      [waiting](const gearman::JobRequest& request) {
        --*waiting;
        if (request.status().ok()) {
          std::cout << request.result_view() << "\n";
        } else {
          std::cerr << request.status() << "\n";
        }
      };
  ++*waiting;
  client->SubmitJob("reverse", std::move(line), std::move(options));
}

// Submits the lines that have come. Returns false at the end of the input.
bool ReadLines(gearman::Client* client, std::string* rest, int* waiting) {
  char bytes[4096];
  const ssize_t size = read(STDIN_FILENO, bytes, sizeof(bytes));
  if (size < 0 && errno == EINTR) return true;
  if (size <= 0) {
    // The last line need not have a line feed.
    if (!rest->empty()) Submit(client, std::move(*rest), waiting);
    return false;
  }
  rest->append(bytes, static_cast<size_t>(size));
  size_t begin = 0;
  for (size_t end = 0; (end = rest->find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    Submit(client, rest->substr(begin, end - begin), waiting);
  }
  rest->erase(0, begin);
  return true;
}

absl::Status Run(const std::vector<std::string>& servers) {
  // Each of the two has a poller, and the loop watches the pollers.
  auto client_poller = gearman::EpollPoller::CreateForEventLoop();
  if (!client_poller.ok()) return client_poller.status();
  auto worker_poller = gearman::EpollPoller::CreateForEventLoop();
  if (!worker_poller.ok()) return worker_poller.status();
  const int loop = epoll_create1(EPOLL_CLOEXEC);
  if (loop < 0) return absl::ErrnoToStatus(errno, "epoll_create1");
  absl::Status status = Watch(loop, (*client_poller)->descriptor());
  status.Update(Watch(loop, (*worker_poller)->descriptor()));
  status.Update(Watch(loop, STDIN_FILENO));
  if (!status.ok()) return status;

  gearman::ClientOptions client_options;
  client_options.servers = servers;
  client_options.drive_mode = gearman::DriveMode::kEventLoop;
  client_options.poller = *std::move(client_poller);
  const auto client = gearman::Client::Create(std::move(client_options));
  if (!client.ok()) return client.status();
  gearman::WorkerOptions worker_options;
  worker_options.servers = servers;
  worker_options.poller = *std::move(worker_poller);
  const auto worker = gearman::Worker::Create(std::move(worker_options));
  if (!worker.ok()) return worker.status();
  status = (*worker)->Register("reverse", Reverse);
  if (!status.ok()) return status;

  std::string rest;
  int waiting = 0;
  bool input = true;
  for (;;) {
    // Handles what is ready, without waiting. It does no harm to call both.
    const absl::Time next = std::min((*worker)->RunOnce(absl::InfinitePast()),
                                     (*client)->RunOnce(absl::InfinitePast()));
    if (!input && waiting == 0) break;
    epoll_event events[8];
    const int count = epoll_wait(loop, events, 8, Milliseconds(next));
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd != STDIN_FILENO) continue;
      input = ReadLines(client->get(), &rest, &waiting);
      if (!input) epoll_ctl(loop, EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
    }
  }
  close(loop);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Run({argv + 1, argv + argc});
  if (status.ok()) return 0;
  std::cerr << status << "\n";
  return 1;
}
