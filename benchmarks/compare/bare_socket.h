// The protocol without a library: packets as bytes, and one socket.
#ifndef GEARMAN_BENCHMARKS_COMPARE_BARE_SOCKET_H_
#define GEARMAN_BENCHMARKS_COMPARE_BARE_SOCKET_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/side.h"

namespace gearman {
namespace benchmarks {

// The packets' types that the bare loops use.
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
  kEchoReq = 16,
  kEchoRes = 17,
  kSubmitJobBg = 18,
};

inline void AppendHeader(uint32_t type, size_t size, std::string* to) {
  const uint32_t numbers[] = {htonl(type), htonl(static_cast<uint32_t>(size))};
  to->append("\0REQ", 4);
  to->append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
}

inline void AppendSubmit(uint32_t type, absl::string_view task,
                         absl::string_view payload, std::string* to) {
  AppendHeader(type, task.size() + 2 + payload.size(), to);
  to->append(task.data(), task.size());
  to->append(2, '\0');  // no unique
  to->append(payload.data(), payload.size());
}

// A socket of the loopback that blocks. Any error ends the process.
class BareSocket {
 public:
  // Reads up to `input_bytes` at once, and more only if a packet is longer.
  explicit BareSocket(uint16_t port, size_t input_bytes = 1 << 20)
      : fd_(socket(AF_INET, SOCK_STREAM, 0)), input_(input_bytes, '\0') {
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
  }
  ~BareSocket() { close(fd_); }
  BareSocket(const BareSocket&) = delete;
  BareSocket& operator=(const BareSocket&) = delete;

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
  // Sends packets, and counts those of type `counted` that come meanwhile.
  void SendCounting(const std::string& packets, uint32_t counted) {
    Send(packets, [this, counted](uint32_t type, absl::string_view) {
      counted_ += type == counted;
    });
  }
  // Waits until `count` packets of type `counted` have come since SendCounting
  // began.
  void AwaitCount(int count, uint32_t counted) {
    while (counted_ < count) {
      Receive([this, counted](uint32_t type, absl::string_view) {
        counted_ += type == counted;
      });
    }
    counted_ -= count;
  }

 private:
  const int fd_;
  std::string input_;
  size_t end_ = 0;
  int counted_ = 0;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_BARE_SOCKET_H_
