// The protocol without a library: what a careful loop over one socket reaches.
// It trusts the server, checks nothing, keeps nothing about a job.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
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

  // Sends all of `bytes`, taking in what comes meanwhile: neither side must
  // wait for the other for ever.
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
  // Waits for bytes, and takes all whole packets: on_packet(type, body).
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

class BareSide final : public Side {
 public:
  void RunClient(uint16_t port, const Workload& workload,
                 const OnLatency& on_latency) override {
    Socket socket(port);
    std::string submit;
    const bool background = workload.mode == Mode::kBackground;
    AppendHeader(background ? kSubmitJobBg : kSubmitJob,
                 sizeof(kTask) + 1 + workload.payload_bytes, &submit);
    submit.append(kTask, sizeof(kTask)).push_back('\0');
    submit.append(workload.payload_bytes, 'x');
    const int batch = workload.mode == Mode::kSync   ? 1
                      : workload.mode == Mode::kHold ? workload.jobs
                                                     : workload.in_flight;
    std::string submits;
    for (int i = 0; i < batch; ++i) submits += submit;
    const uint32_t end =
        workload.mode == Mode::kForeground || workload.mode == Mode::kSync
            ? kWorkComplete
            : kJobCreated;
    int ended = 0;
    const auto on_packet = [&ended, end](uint32_t type, absl::string_view) {
      if (type == end) ++ended;
    };
    for (int done = 0; done < workload.jobs; done += batch) {
      const absl::Time begin = on_latency ? absl::Now() : absl::Time();
      ended = 0;
      socket.Send(submits, on_packet);
      while (ended < batch) socket.Receive(on_packet);
      if (on_latency) on_latency(absl::Now() - begin);
    }
  }

  void RunWorker(uint16_t port, const Workload& workload) override {
    Socket socket(port);
    const int grabs = workload.grabs == 0 ? 1 : workload.grabs;
    std::string output;
    AppendHeader(kCanDo, sizeof(kTask) - 1, &output);
    output += kTask;
    int outstanding = 0;
    const auto grab = [&] {
      AppendHeader(kGrabJob, 0, &output);
      ++outstanding;
    };
    for (int i = 0; i < grabs; ++i) grab();
    std::string sending;
    const auto on_packet = [&](uint32_t type, absl::string_view body) {
      if (type == kJobAssign) {
        --outstanding;
        // HANDLE NUL FUNCTION NUL DATA becomes HANDLE NUL DATA.
        const size_t handle = body.find('\0') + 1;
        const absl::string_view data = body.substr(body.find('\0', handle) + 1);
        AppendHeader(kWorkComplete, handle + data.size(), &output);
        output.append(body.data(), handle);
        output.append(data.data(), data.size());
        grab();
      } else if (type == kNoJob) {
        if (--outstanding == 0) AppendHeader(kPreSleep, 0, &output);
      } else if (type == kNoop && outstanding == 0) {
        for (int i = 0; i < grabs; ++i) grab();
      }
    };
    for (;;) {
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
