// Peer: one connection of a flood. A peer never blocks: Drive polls all peers.
//
// One thread must use all peers that it drives together. A failure of the
// system, such as a missing socket, ends the process by Fail.
#ifndef GEARMAN_BENCHMARKS_FLOOD_PEER_H_
#define GEARMAN_BENCHMARKS_FLOOD_PEER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearman {
namespace benchmarks {

// Returns a socket that is connected to that port of the loopback, with
// TCP_NODELAY.
int ConnectedSocket(uint16_t port);

// A socket that Drive polls.
class Polled {
 public:
  virtual ~Polled() = default;

  // The descriptor to poll; -1: none now.
  virtual int descriptor() const = 0;
  // The events to poll for, as in poll(2).
  virtual short events() = 0;
  virtual void OnEvents(short events) = 0;
};

// Polls until `done`, which is called before each poll, returns true. False:
// `deadline` passed before.
bool Drive(const std::vector<Polled*>& polled, absl::FunctionRef<bool()> done,
           absl::Time deadline);

// Counts the answers that a server sends. An answer is a packet or, in the text
// protocol, the end of a list (a line ".") or a line that begins with OK or
// ERR.
class AnswerCounter {
 public:
  void Take(absl::string_view bytes);
  int64_t answers() const { return answers_; }
  // The answers that are ERROR packets or begin with ERR.
  int64_t refusals() const { return refusals_; }
  // The first 256 bytes of the last whole packet's body.
  const std::string& last_body() const { return body_; }

 private:
  std::string begun_;  // the bytes so far of a header, or the first of a line
  size_t body_left_ = 0;  // bytes
  bool in_body_ = false;
  std::string body_;
  int64_t answers_ = 0;
  int64_t refusals_ = 0;
};

// A batch that a peer sends again and again, as fast as it is answered.
struct Repetition {
  std::string batch;
  // The most batches that may be sent and not answered.
  int64_t window = 1;
  // The most batches to send in all.
  int64_t limit = INT64_MAX;
  // Returns how many batches have been answered so far.
  std::function<int64_t()> answered;
};

class Peer : public Polled {
 public:
  // Connects to that port of the loopback.
  explicit Peer(uint16_t port);
  ~Peer() override;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Sends `bytes` once, before any repetition.
  void Send(absl::string_view bytes);
  void Repeat(Repetition repetition);
  // The repetition has reached its limit, and all batches are answered.
  bool exhausted() const {
    return batches_ >= repetition_.limit &&
           repetition_.answered() >= repetition_.limit;
  }
  // The server has closed the connection.
  bool closed() const { return closed_; }
  int64_t answers() const { return counter_.answers(); }
  int64_t refusals() const { return counter_.refusals(); }
  const std::string& last_body() const { return counter_.last_body(); }

  int descriptor() const override { return closed_ ? -1 : socket_; }
  short events() override;
  void OnEvents(short events) override;

 private:
  void Write();
  void Read();
  // Makes the next batch the output if that may be sent.
  void Refill();

  int socket_;
  bool closed_ = false;
  std::string output_;
  size_t sent_ = 0;  // bytes of output_
  Repetition repetition_;
  int64_t batches_ = 0;  // batches sent or begun
  AnswerCounter counter_;
  std::string buffer_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_PEER_H_
