#include "gearman/benchmarks/flood/neighbour.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "gearman/benchmarks/compare/open_loop.h"
#include "gearman/benchmarks/flood/peer.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/tests/support/raw_packet.h"

namespace gearman {
namespace benchmarks {
namespace {

constexpr int kEchoesPerSecond = 500;
constexpr char kData[] = "neighbour";

}  // namespace

Neighbour::Neighbour(uint16_t port) : socket_(ConnectedSocket(port)) {
  // Without this, sleeps end late.
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

Neighbour::~Neighbour() { close(socket_); }

std::vector<Echo> Neighbour::Run(absl::Duration duration, absl::Duration grace,
                                 absl::FunctionRef<void()> at_end) {
  const std::string packet = support::RequestPacket(
      static_cast<uint32_t>(wire::Command::kEchoReq), {kData});
  const Arrivals arrivals(kEchoesPerSecond);
  const absl::Time stop = arrivals.Due(0) + duration;
  std::vector<Echo> echoes;
  size_t sent = 0;  // bytes of all packets
  answered_ = received_ = 0;
  for (bool sending = true; !closed_;) {
    const auto next_due = [&] {
      return arrivals.Due(static_cast<int>(echoes.size()));
    };
    const absl::Time now = absl::Now();
    while (next_due() <= std::min(now, stop)) {
      echoes.push_back({next_due(), absl::ZeroDuration(), false});
    }
    // If the socket takes no more, the rest is sent later. An echo's latency
    // counts from its due time all the same.
    while (sent < echoes.size() * packet.size()) {
      const size_t offset = sent % packet.size();
      const ssize_t n =
          send(socket_, packet.data() + offset, packet.size() - offset,
               MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<size_t>(n);
    }
    Read(&echoes);
    if (sending && next_due() > stop && now >= stop) {
      sending = false;
      at_end();
    }
    if (!sending && (answered_ == echoes.size() || now >= stop + grace)) break;
    const absl::Time until =
        sending ? std::min(next_due(), stop) : stop + grace;
    const timespec wait = absl::ToTimespec(
        std::max<absl::Duration>(absl::ZeroDuration(), until - absl::Now()));
    pollfd interest = {socket_, POLLIN, 0};
    ppoll(&interest, 1, &wait, nullptr);
  }
  for (size_t i = answered_; i < echoes.size(); ++i) {
    echoes[i].latency = absl::Now() - echoes[i].due;
  }
  return echoes;
}

void Neighbour::Read(std::vector<Echo>* echoes) {
  const size_t answer_bytes =
      support::ResponsePacket(static_cast<uint32_t>(wire::Command::kEchoRes),
                              {kData})
          .size();
  char buffer[1 << 16];
  const ssize_t n = recv(socket_, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) closed_ = true;
  if (n <= 0) return;
  const absl::Time now = absl::Now();
  received_ += static_cast<size_t>(n);
  for (; received_ >= answer_bytes && answered_ < echoes->size();
       received_ -= answer_bytes) {
    Echo& echo = (*echoes)[answered_++];
    echo.latency = now - echo.due;
    echo.answered = true;
  }
}

}  // namespace benchmarks
}  // namespace gearman
