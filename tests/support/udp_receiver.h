// UdpReceiver: a UDP socket of the loopback that keeps what is sent to it, such
// as a StatsD agent's. Not thread-safe.
#ifndef GEARMAN_TESTS_SUPPORT_UDP_RECEIVER_H_
#define GEARMAN_TESTS_SUPPORT_UDP_RECEIVER_H_

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {

class UdpReceiver {
 public:
  // On a free port. A failure is a failure of the running test.
  UdpReceiver() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_, any, size), 0);
    EXPECT_EQ(getsockname(socket_, any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  UdpReceiver(const UdpReceiver&) = delete;
  UdpReceiver& operator=(const UdpReceiver&) = delete;
  ~UdpReceiver() { Close(); }

  // From now on senders are refused.
  void Close() {
    if (socket_ >= 0) close(std::exchange(socket_, -1));
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  int socket() const { return socket_; }

  // The datagrams that have come since the last call: on the loopback they are
  // there when the sender's call has returned.
  std::vector<std::string> Datagrams() {
    std::vector<std::string> all;
    std::string buffer(65536, '\0');
    for (;;) {
      const ssize_t size =
          recv(socket_, &buffer[0], buffer.size(), MSG_DONTWAIT);
      if (size < 0) return all;
      all.emplace_back(buffer.data(), static_cast<size_t>(size));
    }
  }
  // The lines of the datagrams that have come since the last call.
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    for (const std::string& datagram : Datagrams()) {
      for (const absl::string_view line : absl::StrSplit(datagram, '\n')) {
        lines.emplace_back(line);
      }
    }
    return lines;
  }

 private:
  int socket_;
  uint16_t port_ = 0;
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_UDP_RECEIVER_H_
