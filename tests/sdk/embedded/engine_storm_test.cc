// Random peers of a ServerEngine with small turns and little memory, of which
// some allocations fail. What the engine counts must be what there is, and must
// come back to nothing.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/tests/sdk/embedded/engine_peer.h"
#include "gearman/tests/support/failing_new.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace embedded {
namespace {

using support::RequestPacket;

constexpr size_t kPeers = 8;
constexpr int kSteps = 3000;

class Storm {
 public:
  int sleepers = 0;  // that were looked at

  explicit Storm(uint64_t seed) : random_(seed) {
    EngineOptions options;
    options.queue.handle_prefix = "H";
    options.queue.max_runs = static_cast<uint32_t>(Upto(3));
    options.queue.max_jobs = 200;
    options.queue.max_functions = 12;
    options.queue.max_memory = Upto(1) == 0 ? 0 : 200000;
    options.workers.wakeup = static_cast<uint32_t>(Upto(2));
    options.workers.round_robin = Upto(1) == 0;
    options.workers.max_abilities = 8;
    options.max_connection_memory = size_t{8000} << Upto(5);
    options.max_output_bytes = 200000;
    engine_ = std::make_unique<ServerEngine>(options);
    engine_->OnTime(now_, wall_);
    peers_.resize(kPeers);
    wakes_all_ = options.workers.wakeup == 0;
  }

  void Run() {
    for (int step = 0; step < kSteps; ++step) {
      engine_->meter().StartTurn(Units());
      StepInMemory();
      TakeOutput();
      if (step % 64 == 0) CheckCounts();
      if (step % 128 == 0) CheckSleepers();
      if (::testing::Test::HasFailure()) return;
    }
    for (auto& peer : peers_) {
      engine_->meter().StartTurn(Units());
      peer = nullptr;
    }
    for (int turn = 0; engine_->has_background_work(); ++turn) {
      ASSERT_LT(turn, 100000);
      engine_->meter().StartTurn(200);
      engine_->DoBackgroundWork();
      TakeOutput();
    }
    CheckCounts();
    EXPECT_EQ(engine_->connection_memory(), 0u);
    for (QueuedJob* const job : engine_->queue().Jobs()) {
      EXPECT_EQ(job->waiter_count, 0u);
      EXPECT_NE(job->state, QueuedJob::State::kRunning);
    }
    engine_->Clear();
    EXPECT_EQ(engine_->queue().size(), 0u);
    EXPECT_EQ(engine_->queue().bytes(), 0u);
    size_t functions = 0;
    for (const Function* const function : engine_->queue().Functions()) {
      EXPECT_EQ(function->total(), 0u) << function->name;
      EXPECT_EQ(function->workers, 0u) << function->name;
      functions += function->memory();
    }
    EXPECT_EQ(engine_->memory(), functions);
  }

 private:
  uint64_t Upto(uint64_t most) {
    return std::uniform_int_distribution<uint64_t>(0, most)(random_);
  }
  std::string Name() { return absl::StrCat(Upto(3) == 0 ? "F" : "f", Upto(2)); }
  std::string Unique() {
    switch (Upto(4)) {
      case 0:
        return "";
      case 1:
        return "-";
      default:
        return absl::StrCat("u", Upto(1));
    }
  }
  std::string Data() {
    static constexpr std::array<size_t, 6> kSizes = {0,   1,     10,
                                                     600, 20000, 60000};
    return std::string(kSizes[Upto(kSizes.size() - 1)], 'd');
  }
  std::string Handle() {
    const std::vector<QueuedJob*> jobs = engine_->queue().Jobs();
    if (jobs.empty() || Upto(9) == 0) return absl::StrCat("H:", Upto(300));
    return std::string(jobs[Upto(jobs.size() - 1)]->handle());
  }
  // Mostly of a job that runs, perhaps at this peer.
  std::string RunningHandle() {
    for (QueuedJob* const job : engine_->queue().Jobs()) {
      if (job->holder != nullptr && Upto(2) == 0) {
        return std::string(job->handle());
      }
    }
    return Handle();
  }
  int64_t Units() {
    return static_cast<int64_t>(5 + Upto(Upto(1) == 0 ? 40 : 600));
  }
  std::string Packet() {
    switch (Upto(30)) {
      case 0:
      case 1:
        return RequestPacket(1, {Name()});
      case 2:
        return RequestPacket(23, {Name(), absl::StrCat(Upto(5000))});
      case 3:
        return RequestPacket(2, {Name()});
      case 4:
        return Upto(3) == 0 ? RequestPacket(3, {}) : RequestPacket(4, {});
      case 5:
      case 6:
        return RequestPacket(4, {});
      case 7:
      case 8:
      case 9:
        return RequestPacket(9, {});
      case 10:
        return RequestPacket(Upto(1) == 0 ? 30 : 39, {});
      case 11:
      case 12:
      case 13:
        return RequestPacket(7, {Name(), Unique(), Data()});
      case 14:
        return RequestPacket(21, {Name(), Unique(), Data()});
      case 15:
        return RequestPacket(Upto(1) == 0 ? 18 : 34,
                             {Name(), Unique(), Data()});
      case 16:
        return RequestPacket(
            36,
            {Name(), Unique(),
             absl::StrCat(absl::ToUnixSeconds(wall_) + 5 - Upto(10)), Data()});
      case 17:
        return RequestPacket(37, {Name(), Unique(), Name(), "", Data()});
      case 18:
        return RequestPacket(28, {RunningHandle(), Data()});
      case 19:
        return RequestPacket(12, {RunningHandle(), "1", "2"});
      case 20:
      case 21:
        return RequestPacket(13, {RunningHandle(), Data()});
      case 22:
        return RequestPacket(14, {RunningHandle()});
      case 23:
        return RequestPacket(25, {RunningHandle(), Data()});
      case 24:
        return RequestPacket(15, {Handle()});
      case 25:
        return Upto(1) == 0 ? "show jobs\r\n" : "show unique jobs\r\n";
      case 26:
        return Upto(1) == 0 ? "status\r\n" : "workers\r\n";
      case 27:
        return absl::StrCat("cancel job ", Handle(), "\r\n");
      case 28:
        return absl::StrCat("drop function ", Name(), "\r\n");
      case 29:
        return absl::StrCat("maxqueue ", Name(), " ", Upto(20), "\r\n");
      default:
        return RequestPacket(26, {"exceptions"});
    }
  }
  // A step of which an allocation may fail. Like the server, it then ends the
  // connection whose step it was.
  void StepInMemory() {
    const uint64_t fails = Upto(3) == 0 ? 1 + Upto(60) : 0;
    stepping_ = nullptr;
    if (fails == 0) return Step();
    const support::FailingNew some(fails);
    try {
      Step();
    } catch (const std::bad_alloc&) {
      if (stepping_ != nullptr) *stepping_ = nullptr;
    }
  }
  void Step() {
    const size_t index = Upto(kPeers - 1);
    std::unique_ptr<EnginePeer>& peer = peers_[index];
    stepping_ = &peer;
    if (Upto(9) == 0) {
      now_ += absl::Milliseconds(Upto(2000));
      wall_ += absl::Milliseconds(Upto(2000));
      if (Upto(20) == 0) wall_ += absl::Seconds(10) - absl::Seconds(Upto(20));
      engine_->OnTime(now_, wall_);
      return;
    }
    if (Upto(9) == 0 && engine_->has_background_work()) {
      engine_->DoBackgroundWork();
      return;
    }
    if (peer == nullptr) {
      peer = std::make_unique<EnginePeer>(engine_.get(), ++last_id_);
      asleep_[index] = false;
      return;
    }
    if (Upto(25) == 0 || !peer->connection()->failure().ok()) {
      peer = nullptr;
      return;
    }
    if (peer->busy()) {
      peer->Continue();
      // The packets behind the one that took long.
      while (!peer->busy() && peer->DoStep() == EnginePeer::Step::kDone) {
      }
    } else {
      const int packets = 1 + static_cast<int>(Upto(3));
      for (int i = 0; i < packets && !peer->busy(); ++i) {
        const std::string packet = Packet();
        if (packet == RequestPacket(4, {})) {
          ReadAll(index);
          asleep_[index] = true;
        } else if (packet == RequestPacket(9, {}) ||
                   packet == RequestPacket(30, {}) ||
                   packet == RequestPacket(39, {})) {
          asleep_[index] = false;
        }
        if (!peer->Begin(packet)) {
          ASSERT_FALSE(peer->connection()->failure().ok()) << packet;
          return;
        }
      }
    }
    engine_->Weigh(*peer->connection());
    if (Upto(3) == 0) ReadAll(index);
  }
  // Reads all that a peer gets. A NOOP wakes it.
  void ReadAll(size_t index) {
    static const std::string* const noop = new std::string("\0RES\0\0\0\6", 8);
    if (absl::StrContains(peers_[index]->ReceivedBytes(), *noop)) {
      asleep_[index] = false;
    }
  }
  // No worker sleeps that could do a job which waits, when nothing is left to
  // be done.
  void CheckSleepers() {
    if (!wakes_all_) return;
    for (int turn = 0; engine_->has_background_work(); ++turn) {
      ASSERT_LT(turn, 100000);
      engine_->meter().StartTurn(200);
      engine_->DoBackgroundWork();
      TakeOutput();
    }
    for (size_t i = 0; i < kPeers; ++i) {
      EnginePeer* const peer = peers_[i].get();
      if (peer == nullptr || peer->busy()) continue;
      if (!peer->connection()->failure().ok()) continue;
      ReadAll(i);
      if (!asleep_[i]) continue;
      ++sleepers;
      for (const absl::string_view name : peer->connection()->functions()) {
        EXPECT_FALSE(HasWork(*engine_->queue().FindFunction(name))) << name;
      }
    }
  }
  static bool HasWork(Function& function) {
    for (auto& queue : function.queues) {
      for (QueuedJob& job : queue) {
        if (!job.abandoned) return true;
      }
    }
    for (const auto& due : function.due) {
      if (!due.second->abandoned) return true;
    }
    return false;
  }
  void TakeOutput() {
    for (size_t outputs = 0; engine_->NextWithOutput() != nullptr; ++outputs) {
      ASSERT_LE(outputs, 2 * kPeers);
    }
  }
  void CheckCounts() {
    for (Function* const function : engine_->queue().Functions()) {
      size_t queued = 0;
      size_t running = 0;
      for (QueuedJob& job : function->jobs) {
        (job.state == QueuedJob::State::kRunning ? running : queued) += 1;
        size_t waiters = 0;
        for (JobWaiter& waiter : job.waiters) {
          static_cast<void>(waiter);
          ++waiters;
        }
        EXPECT_EQ(waiters, job.waiter_count);
      }
      EXPECT_EQ(function->running, running) << function->name;
      EXPECT_EQ(function->total(), queued + running) << function->name;
    }
  }

  std::mt19937_64 random_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  absl::Time wall_ = absl::FromUnixSeconds(1000);
  uint64_t last_id_ = 0;
  std::unique_ptr<ServerEngine> engine_;
  std::vector<std::unique_ptr<EnginePeer>> peers_;
  std::array<bool, kPeers> asleep_{};
  bool wakes_all_ = false;
  std::unique_ptr<EnginePeer>* stepping_ = nullptr;
};

TEST(EngineStormTest, CountsWhatThereIsAndForgetsWhatIsGone) {
  int sleepers = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Storm storm(seed);
    storm.Run();
    sleepers += storm.sleepers;
    if (HasFailure()) return;
  }
  EXPECT_GT(sleepers, 0);
}

}  // namespace
}  // namespace embedded
}  // namespace gearman
