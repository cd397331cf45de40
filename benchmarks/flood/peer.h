// Peer: one connection of a flood. It never blocks: Drive polls all of them.
//
// One thread uses a peer, and all peers that it drives. A failure of the system
// (no socket, say) ends the process by Fail.
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

// A socket without delay, connected to that port of the loopback.
int ConnectedSocket(uint16_t port);

// What Drive polls.
class Polled {
 public:
  virtual ~Polled() = default;

  // -1: it is not polled now.
  virtual int descriptor() const = 0;
  // Of poll(2).
  virtual short events() = 0;
  virtual void OnEvents(short events) = 0;
};

// Polls until `done`, which is asked after each turn. False: `deadline` passed
// before.
bool Drive(const std::vector<Polled*>& polled, absl::FunctionRef<bool()> done,
           absl::Time deadline);

// Counts answers in what a server sends: packets, and of the text protocol the
// ends of lists (lines ".") and the lines that begin with OK or ERR.
class AnswerCounter {
 public:
  void Take(absl::string_view bytes);
  int64_t answers() const { return answers_; }
  // How many of them are ERROR packets or begin with ERR.
  int64_t refusals() const { return refusals_; }
  // The body of the last whole packet, its first 256 bytes.
  const std::string& last_body() const { return body_; }

 private:
  std::string begun_;     // of a header, or the first bytes of a line
  size_t body_left_ = 0;  // bytes
  bool in_body_ = false;
  std::string body_;
  int64_t answers_ = 0;
  int64_t refusals_ = 0;
};

// Bytes that are sent again and again, as fast as they are answered.
struct Repetition {
  std::string batch;
  // At most so many batches are sent and not answered.
  int64_t window = 1;
  // At most so many are sent in all.
  int64_t limit = INT64_MAX;
  // How many have been answered so far.
  std::function<int64_t()> answered;
};

class Peer : public Polled {
 public:
  // Connects to that port of the loopback.
  explicit Peer(uint16_t port);
  ~Peer() override;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Sends it once, before any repetition.
  void Send(absl::string_view bytes);
  void Repeat(Repetition repetition);
  // The repetition has reached its limit, and all is answered.
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
  // Makes the next batch the output, if one may be sent.
  void Refill();

  int socket_;
  bool closed_ = false;
  std::string output_;
  size_t sent_ = 0;  // of output_
  Repetition repetition_;
  int64_t batches_ = 0;  // that have been sent, or begun
  AnswerCounter counter_;
  std::string buffer_;
};

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_PEER_H_
