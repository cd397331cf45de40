#include "gearman/transports/inproc/inproc_stream.h"

#include <array>
#include <atomic>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "gearman/transports/inproc/pipe.h"
#include "gearman/transports/piece_stream.h"

namespace gearman {
namespace {

// The state that both ends share. End i writes to pipe i and reads from pipe 1
// - i.
class Shared {
 public:
  Shared(std::shared_ptr<Waker> first, std::shared_ptr<Waker> second,
         size_t pipe_bytes)
      : wakers{std::move(first), std::move(second)},
        pipes{Pipe(pipe_bytes), Pipe(pipe_bytes)} {}

  const std::array<std::shared_ptr<Waker>, 2> wakers;
  absl::Mutex mutex;
  std::array<Pipe, 2> pipes ABSL_GUARDED_BY(mutex);
  // Whether end i found its pipe full and waits for room.
  std::array<bool, 2> wants_room ABSL_GUARDED_BY(mutex){};

  // Looks without the lock. An end that sees no change that the other end has
  // just made is woken by it.
  bool closed(int end) const { return closed_[end].load(); }
  bool empty(int pipe) const { return empty_[pipe].load(); }
  bool has_room(int pipe) const { return has_room_[pipe].load(); }

  // False if end `end` was closed before.
  bool Close(int end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return !closed_[end].exchange(true);
  }
  // Call it after every change of a pipe.
  void Changed(int pipe) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const Pipe& changed = pipes[pipe];
    empty_[pipe].store(changed.empty(), std::memory_order_release);
    has_room_[pipe].store(changed.room() > 0, std::memory_order_release);
  }

 private:
  // Changed only with the lock held.
  std::array<std::atomic<bool>, 2> closed_{};
  std::array<std::atomic<bool>, 2> empty_{true, true};
  std::array<std::atomic<bool>, 2> has_room_{true, true};
};

class InprocTransport final : public Transport, private PieceStream {
 public:
  InprocTransport(std::shared_ptr<Shared> shared, int end,
                  InprocEndOptions options)
      : shared_(std::move(shared)), end_(end), options_(std::move(options)) {
    if (options_.timer != nullptr) {
      timer_.emplace(options_.timer, options_.waker);
    }
  }
  ~InprocTransport() override { Close(); }

  IoResult Connect() override { return IoResult::Done(0); }

  IoResult Read(absl::Span<char> into) override {
    if (shared_->closed(end_)) return IoResult::Closed();
    // Asked first: what the peer wrote before it closed is then seen.
    const bool peer_closed = shared_->closed(peer());
    if (shared_->empty(peer())) {
      if (peer_closed) return IoResult::Closed();
      PumpWhenDue();
      return IoResult::WouldBlock();
    }
    size_t bytes = 0;
    bool peer_wants_room = false;
    {
      absl::MutexLock lock(&shared_->mutex);
      bytes = shared_->pipes[peer()].Pop(into);
      shared_->Changed(peer());
      peer_wants_room = std::exchange(shared_->wants_room[peer()], false);
    }
    if (peer_wants_room) WakePeer();
    return IoResult::Done(bytes);
  }

  IoResult Write(absl::Span<const absl::string_view> pieces) override {
    size_t bytes = 0;
    bool was_empty = false;
    {
      absl::MutexLock lock(&shared_->mutex);
      if (ended()) {
        return IoResult::Failed(absl::UnavailableError(
            absl::StrCat(options_.name, ": closed by the other side")));
      }
      Pipe& pipe = shared_->pipes[end_];
      was_empty = pipe.empty();
      for (const absl::string_view piece : pieces) {
        const size_t pushed = pipe.Push(piece);
        bytes += pushed;
        if (pushed < piece.size()) {
          shared_->wants_room[end_] = true;
          break;
        }
      }
      shared_->Changed(end_);
    }
    if (bytes == 0) {
      PumpWhenDue();
      return IoResult::WouldBlock();
    }
    if (was_empty) WakePeer();
    return IoResult::Done(bytes);
  }

  Interest interest(bool want_write) const override {
    Interest interest;
    if (timer_.has_value()) interest.deadline = timer_->Ask();
    interest.ready_now = shared_->closed(peer()) || !shared_->empty(peer()) ||
                         (want_write && shared_->has_room(end_));
    if (want_write && !interest.ready_now) {
      absl::MutexLock lock(&shared_->mutex);
      if (shared_->has_room(end_)) {
        interest.ready_now = true;
      } else {
        shared_->wants_room[end_] = true;
      }
    }
    return interest;
  }

  void Close() override {
    {
      absl::MutexLock lock(&shared_->mutex);
      if (!shared_->Close(end_)) return;
    }
    WakePeer();
  }

  std::string Describe() const override { return options_.name; }

  PieceStream* pieces() override { return this; }

 private:
  bool CanGive() const override { return !ended() && shared_->has_room(end_); }

  void Give(Piece piece) override {
    bool was_empty = false;
    {
      absl::MutexLock lock(&shared_->mutex);
      if (ended()) return;
      Pipe& pipe = shared_->pipes[end_];
      was_empty = pipe.empty();
      pipe.Push(std::move(piece));
      shared_->Changed(end_);
    }
    if (was_empty) WakePeer();
  }

  bool Take(size_t bytes, Piece* piece) override {
    if (shared_->closed(end_) || shared_->empty(peer())) return false;
    {
      absl::MutexLock lock(&shared_->mutex);
      if (!shared_->pipes[peer()].Take(bytes, piece)) return false;
      shared_->Changed(peer());
      if (!std::exchange(shared_->wants_room[peer()], false)) return true;
    }
    WakePeer();
    return true;
  }

  bool ended() const {
    return shared_->closed(end_) || shared_->closed(peer());
  }
  int peer() const { return 1 - end_; }

  void WakePeer() {
    shared_->wakers[peer()]->Wake();
    if (options_.pump != nullptr) options_.poller->Defer(options_.pump);
  }

  // Runs the passive peer if its timer is due, because that timer may have
  // ended this thread's wait.
  void PumpWhenDue() {
    if (options_.timer == nullptr || options_.pump == nullptr) return;
    if (options_.timer->Get() <= options_.poller->clock()->Now()) {
      options_.poller->Defer(options_.pump);
    }
  }

  const std::shared_ptr<Shared> shared_;
  const int end_;
  const InprocEndOptions options_;
  // Mutable, because Ask changes the watcher.
  mutable absl::optional<PassiveTimer::Watcher> timer_;
};

}  // namespace

std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>>
MakeInprocStream(InprocEndOptions first, InprocEndOptions second,
                 size_t pipe_bytes) {
  auto shared = std::make_shared<Shared>(first.waker, second.waker, pipe_bytes);
  return {std::make_unique<InprocTransport>(shared, 0, std::move(first)),
          std::make_unique<InprocTransport>(shared, 1, std::move(second))};
}

}  // namespace gearman
