// The protocol without a library: the speed of a careful loop over one socket.
// It trusts the server, checks nothing, and keeps nothing about a job.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/open_loop.h"
#include "gearman/benchmarks/compare/side.h"

namespace gearman {
namespace benchmarks {
namespace {

enum Type : uint32_t {
  kCanDo = 1,
  kPreSleep = 4,
  kNoop = 6,
  kSubmitJob = 7,
  kJobCreated = 8,
  kGrabJob = 9,
  kNoJob = 10,
  kJobAssign = 11,
  kWorkComplete = 13,
  kSubmitJobBg = 18,
};

void AppendHeader(uint32_t type, size_t size, std::string* to) {
  const uint32_t numbers[] = {htonl(type), htonl(static_cast<uint32_t>(size))};
  to->append("\0REQ", 4);
  to->append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
}

void AppendSubmit(uint32_t type, absl::string_view task,
                  absl::string_view payload, std::string* to) {
  AppendHeader(type, task.size() + 2 + payload.size(), to);
  to->append(task.data(), task.size());
  to->append(2, '\0');  // no unique
  to->append(payload.data(), payload.size());
}

class Socket {
 public:
  explicit Socket(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
        0) {
      Fail("bare: connect");
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    input_.resize(1 << 20);
  }
  ~Socket() { close(fd_); }

  // Sends all of `bytes`, and takes in received packets meanwhile, so that
  // neither side waits for the other forever.
  template <typename OnPacket>
  void Send(const std::string& bytes, OnPacket on_packet) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0) {
        sent += static_cast<size_t>(n);
      } else if (errno == EAGAIN) {
        Receive(on_packet);
      } else {
        Fail("bare: send");
      }
    }
  }
  // Waits until there is something to receive. Returns false if `until` comes
  // first.
  bool Await(absl::Time until) {
    timespec left =
        absl::ToTimespec(std::max(absl::ZeroDuration(), until - absl::Now()));
    pollfd interest = {fd_, POLLIN, 0};
    return ppoll(&interest, 1,
                 until == absl::InfiniteFuture() ? nullptr : &left,
                 nullptr) > 0;
  }
  // Waits for bytes, and passes all whole packets to on_packet(type, body).
  template <typename OnPacket>
  void Receive(OnPacket on_packet) {
    if (end_ == input_.size()) input_.resize(2 * input_.size());
    const ssize_t n = recv(fd_, &input_[end_], input_.size() - end_, 0);
    if (n <= 0) Fail("bare: the server has gone");
    end_ += static_cast<size_t>(n);
    size_t begin = 0;
    while (end_ - begin >= 12) {
      uint32_t numbers[2];
      std::memcpy(numbers, &input_[begin + 4], sizeof(numbers));
      const size_t size = ntohl(numbers[1]);
      if (end_ - begin - 12 < size) break;
      on_packet(ntohl(numbers[0]),
                absl::string_view(&input_[begin + 12], size));
      begin += 12 + size;
    }
    std::memmove(&input_[0], &input_[begin], end_ - begin);
    end_ -= begin;
  }

 private:
  const int fd_;
  std::string input_;
  size_t end_ = 0;
};

// One connection of a client.
class BareClient {
 public:
  explicit BareClient(uint16_t port) : socket_(port) {}

  // Sends `packets`, and waits until `jobs` jobs have ended with a packet of
  // type `end`.
  void RunBatch(const std::string& packets, int jobs, uint32_t end) {
    int ended = 0;
    const auto on_packet = [&ended, end](uint32_t type, absl::string_view) {
      if (type == end) ++ended;
    };
    socket_.Send(packets, on_packet);
    while (ended < jobs) socket_.Receive(on_packet);
  }

  // Submits each job when it is due, and takes in results meanwhile. One worker
  // answers in order, but several do not, so a job is found by its handle.
  void RunOpenLoop(const Workload& workload, int jobs,
                   const OnLatency& on_latency) {
    const Arrivals arrivals(workload.rate);
    std::map<std::string, int> running;  // by handle
    std::deque<int> submitted;           // without a handle yet
    int ended = 0;
    const auto on_packet = [&](uint32_t type, absl::string_view body) {
      if (type == kJobCreated) {
        running[std::string(body)] = submitted.front();
        submitted.pop_front();
      } else if (type == kWorkComplete) {
        const auto job =
            running.find(std::string(body.substr(0, body.find('\0'))));
        if (job == running.end()) Fail("bare: a result of no job");
        if (on_latency) {
          on_latency(job->second, absl::Now() - arrivals.Due(job->second));
        }
        running.erase(job);
        ++ended;
      }
    };
    std::string packets;
    int next = 0;
    while (ended < jobs) {
      const absl::Time now = absl::Now();
      packets.clear();
      for (; next < jobs && arrivals.Due(next) <= now; ++next) {
        AppendSubmit(kSubmitJob, TaskOf(workload, next),
                     PayloadOf(workload, next), &packets);
        submitted.push_back(next);
      }
      if (!packets.empty()) socket_.Send(packets, on_packet);
      const absl::Time until =
          next < jobs ? arrivals.Due(next) : absl::InfiniteFuture();
      if (socket_.Await(until)) socket_.Receive(on_packet);
    }
  }

 private:
  Socket socket_;
};

class BareLoad final : public Load {
 public:
  BareLoad(uint16_t port, const Workload& workload)
      : workload_(workload),
        background_(workload.mode == Mode::kBackground),
        payload_(PayloadOf(workload, 0)) {
    for (int i = 0; i < workload.threads; ++i) clients_.emplace_back(port);
    AppendSubmits(workload.mode == Mode::kSync ? 1 : workload.in_flight,
                  &batch_);
  }

  void Run(int jobs, const OnLatency& on_latency) override {
    if (workload_.mode == Mode::kOpenLoop) {
      clients_.front().RunOpenLoop(workload_, jobs, on_latency);
    } else if (workload_.mode == Mode::kSync) {
      RunSync(jobs, on_latency);
    } else {
      const uint32_t end = background_ ? kJobCreated : kWorkComplete;
      for (int done = 0; done < jobs; done += workload_.in_flight) {
        const int count = std::min(workload_.in_flight, jobs - done);
        if (count < workload_.in_flight) {
          batch_.clear();
          AppendSubmits(count, &batch_);
        }
        clients_.front().RunBatch(batch_, count, end);
      }
    }
  }

 private:
  void AppendSubmits(int count, std::string* to) const {
    for (int i = 0; i < count; ++i) {
      AppendSubmit(background_ ? kSubmitJobBg : kSubmitJob, kTask, payload_,
                   to);
    }
  }
  void RunSync(int jobs, const OnLatency& on_latency) {
    Numbers numbers(jobs);
    InThreads(workload_.threads, [&](int thread) {
      BareClient& client = clients_[static_cast<size_t>(thread)];
      for (int job; (job = numbers.Take()) >= 0;) {
        const absl::Time begin = absl::Now();
        client.RunBatch(batch_, 1, kWorkComplete);
        if (on_latency) on_latency(job, absl::Now() - begin);
      }
    });
  }

  const Workload workload_;
  const bool background_;
  const std::string payload_;
  std::deque<BareClient> clients_;  // made once, sent repeatedly
  std::string batch_;               // made once, sent again and again
};

class BareSide final : public Side {
 public:
  std::unique_ptr<Load> MakeLoad(uint16_t port,
                                 const Workload& workload) override {
    return std::make_unique<BareLoad>(port, workload);
  }

  void RunWorker(uint16_t port, const Workload& workload) override {
    Socket socket(port);
    const int grabs = workload.grabs == 0 ? 1 : workload.grabs;
    std::string output;
    AppendHeader(kCanDo, sizeof(kTask) - 1, &output);
    output += kTask;
    int outstanding = 0;
    // The last answer to a grab was NO_JOB.
    bool dry = false;
    std::string sending;
    const auto on_packet = [&](uint32_t type, absl::string_view body) {
      if (type == kJobAssign) {
        --outstanding;
        dry = false;
        // HANDLE NUL FUNCTION NUL DATA becomes HANDLE NUL DATA.
        const size_t handle = body.find('\0') + 1;
        const absl::string_view data = body.substr(body.find('\0', handle) + 1);
        AppendHeader(kWorkComplete, handle + data.size(), &output);
        output.append(body.data(), handle);
        output.append(data.data(), data.size());
      } else if (type == kNoJob) {
        dry = true;
        if (--outstanding == 0) AppendHeader(kPreSleep, 0, &output);
      } else if (type == kNoop) {
        dry = false;
      }
    };
    for (;;) {
      // Keeps the wanted number of grabs outstanding, or none until a NOOP
      // comes.
      for (; !dry && outstanding < grabs; ++outstanding) {
        AppendHeader(kGrabJob, 0, &output);
      }
      std::swap(sending, output);
      socket.Send(sending, on_packet);
      sending.clear();
      if (output.empty()) socket.Receive(on_packet);
    }
  }
};

}  // namespace

std::unique_ptr<Side> MakeBareSide() { return std::make_unique<BareSide>(); }

}  // namespace benchmarks
}  // namespace gearman
