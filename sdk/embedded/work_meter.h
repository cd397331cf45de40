// WorkMeter: how much of a turn of the embedded job server is left.
//
// All work that the server does for a peer costs units: a packet, a row of a
// list, a packet to a waiting client, a look at a function. A turn ends when
// its units or its time are used up. The rest of the work goes on in the next
// turn. So no peer, whatever it sends, delays the others for longer than a
// turn.
//
//   meter.StartTurn();
//   while (more && !meter.UsedUp()) meter.Spend(DoSome());
//
// Before the first StartTurn a turn has no end, so that tests see everything at
// once.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_WORK_METER_H_
#define GEARMAN_SDK_EMBEDDED_WORK_METER_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "gearman/transports/clock.h"

namespace gearman {
namespace embedded {

// The costs of work. A unit is about 0.1 microseconds.
namespace cost {
inline constexpr int64_t kPacket = 5;    // a packet, or a line of text
inline constexpr int64_t kRow = 3;       // of a list
inline constexpr int64_t kTold = 2;      // a packet for a waiter of a job
inline constexpr int64_t kJob = 5;       // made, queued again or removed
inline constexpr int64_t kAbility = 5;   // added or removed
inline constexpr int64_t kLook = 1;      // at one element of a list or index
inline constexpr int64_t kWrite = 50;    // the first packet to be written
inline constexpr int64_t kRead = 20;     // a read of a stream
inline constexpr int64_t kAccept = 200;  // a connection
// Bytes copied or moved by the kernel.
inline constexpr int64_t Bytes(size_t bytes) {
  return static_cast<int64_t>(bytes / 512);
}
}  // namespace cost

class WorkMeter {
 public:
  // The limits of a turn.
  static constexpr int64_t kUnits = 10000;
  static constexpr absl::Duration kTime = absl::Milliseconds(1);

  // Limits turns by time, too. `clock` must outlive the meter.
  void UseClock(Clock* clock) { clock_ = clock; }

  // `now` is the time on that clock.
  void StartTurn(int64_t units, absl::Time now) {
    units_ = units;
    left_ = units;
    look_at_ = units - kUnitsPerLook;
    started_ = now;
  }
  void StartTurn(int64_t units = kUnits) {
    // A turn that has spent nothing has taken no time.
    const bool idle = left_ == units_;
    const bool look = clock_ != nullptr && !idle;
    StartTurn(units, look ? clock_->Now() : started_);
  }
  void Spend(int64_t units) { left_ -= units; }
  // True: the turn is over. Looks at the clock only now and then.
  bool UsedUp() {
    if (left_ <= 0) return true;
    if (left_ > look_at_ || clock_ == nullptr) return false;
    look_at_ = left_ - kUnitsPerLook;
    if (clock_->Now() - started_ < kTime) return false;
    left_ = 0;
    return true;
  }
  // The units that are left; negative: more were spent than the turn had.
  int64_t left() const { return left_; }

 private:
  // Units between two looks at the clock: some 40 microseconds. A look costs
  // about half a unit.
  static constexpr int64_t kUnitsPerLook = 400;

  Clock* clock_ = nullptr;
  int64_t units_ = 0;  // of this turn
  int64_t left_ = std::numeric_limits<int64_t>::max();
  int64_t look_at_ = std::numeric_limits<int64_t>::min();
  absl::Time started_;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_WORK_METER_H_
