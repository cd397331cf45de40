#include "gearman/benchmarks/flood/peer.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/tests/support/raw_connection.h"

namespace gearman {
namespace benchmarks {
namespace {

// The first bytes of a line, enough to tell its kind.
constexpr size_t kLineBytes = 4;
constexpr size_t kKeptBodyBytes = 256;
constexpr size_t kReadBytes = size_t{1} << 20;

}  // namespace

int ConnectedSocket(uint16_t port) {
  absl::StatusOr<support::RawConnection> connection =
      support::RawConnection::Connect(port);
  if (!connection.ok()) Fail(connection.status().ToString());
  return connection->Release();
}

bool Drive(const std::vector<Polled*>& polled, absl::FunctionRef<bool()> done,
           absl::Time deadline) {
  std::vector<pollfd> interests(polled.size());
  while (!done()) {
    const absl::Time now = absl::Now();
    if (now >= deadline) return false;
    for (size_t i = 0; i < polled.size(); ++i) {
      interests[i] = {polled[i]->descriptor(), polled[i]->events(), 0};
    }
    // Wait at most 10 ms, so that `done` may look at the clock, too.
    const timespec wait = absl::ToTimespec(
        std::min<absl::Duration>(deadline - now, absl::Milliseconds(10)));
    if (ppoll(interests.data(), interests.size(), &wait, nullptr) <= 0) {
      continue;
    }
    for (size_t i = 0; i < polled.size(); ++i) {
      if (interests[i].revents != 0) polled[i]->OnEvents(interests[i].revents);
    }
  }
  return true;
}

void AnswerCounter::Take(absl::string_view bytes) {
  while (!bytes.empty() || (in_body_ && body_left_ == 0)) {
    if (in_body_) {
      const size_t size = std::min(body_left_, bytes.size());
      const size_t kept = std::min(size, kKeptBodyBytes - body_.size());
      body_.append(bytes.data(), kept);
      bytes.remove_prefix(size);
      body_left_ -= size;
      if (body_left_ > 0) return;
      in_body_ = false;
      ++answers_;
      continue;
    }
    const char first = begun_.empty() ? bytes[0] : begun_[0];
    if (first == '\0') {
      const size_t size =
          std::min(wire::kHeaderBytes - begun_.size(), bytes.size());
      begun_.append(bytes.data(), size);
      bytes.remove_prefix(size);
      if (begun_.size() < wire::kHeaderBytes) return;
      wire::Header header;
      if (!wire::ReadHeader(begun_.data(), &header)) Fail("no packet's header");
      body_left_ = header.body_bytes;
      if (header.type == static_cast<uint32_t>(wire::Command::kError)) {
        ++refusals_;
      }
      begun_.clear();
      body_.clear();
      in_body_ = true;
      continue;
    }
    const size_t end = bytes.find('\n');
    const absl::string_view line = bytes.substr(0, end);
    begun_.append(line.data(),
                  std::min(line.size(), kLineBytes - begun_.size()));
    if (end == absl::string_view::npos) return;
    const bool refused = absl::StartsWith(begun_, "ERR");
    if (refused || begun_ == "." || absl::StartsWith(begun_, "OK")) ++answers_;
    if (refused) ++refusals_;
    begun_.clear();
    bytes.remove_prefix(end + 1);
  }
}

Peer::Peer(uint16_t port) : socket_(ConnectedSocket(port)) {
  buffer_.resize(kReadBytes);
}

Peer::~Peer() { close(socket_); }

void Peer::Send(absl::string_view bytes) {
  output_.append(bytes.data(), bytes.size());
}

void Peer::Repeat(Repetition repetition) {
  repetition_ = std::move(repetition);
  batches_ = 0;
}

void Peer::Refill() {
  if (sent_ < output_.size()) return;
  output_.clear();
  sent_ = 0;
  if (repetition_.batch.empty() || batches_ >= repetition_.limit ||
      batches_ - repetition_.answered() >= repetition_.window) {
    return;
  }
  output_ = repetition_.batch;
  ++batches_;
}

short Peer::events() {
  Refill();
  return output_.empty() ? POLLIN : POLLIN | POLLOUT;
}

void Peer::OnEvents(short events) {
  if ((events & (POLLIN | POLLERR | POLLHUP)) != 0) Read();
  if (!closed_ && (events & POLLOUT) != 0) Write();
}

void Peer::Write() {
  // The number of writes is bounded, so that the other peers get their turn.
  for (int i = 0; i < 64 && !output_.empty(); ++i) {
    const ssize_t n = send(socket_, output_.data() + sent_,
                           output_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
      closed_ = errno != EAGAIN && errno != EINTR;
      return;
    }
    sent_ += static_cast<size_t>(n);
    Refill();
  }
}

void Peer::Read() {
  const ssize_t n = recv(socket_, &buffer_[0], buffer_.size(), MSG_DONTWAIT);
  if (n > 0) {
    counter_.Take(absl::string_view(buffer_.data(), static_cast<size_t>(n)));
  } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    closed_ = true;
  }
}

}  // namespace benchmarks
}  // namespace gearman
