// Load: the same mix of work again and again, at one server, through a network
// that cuts connections.
#ifndef GEARMAN_TESTS_SOAK_LOAD_H_
#define GEARMAN_TESTS_SOAK_LOAD_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/soak/ledger.h"
#include "gearman/transports/transport_factory.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace soak {

struct LoadCounts {
  uint64_t jobs = 0;         // submitted
  uint64_t cancelled = 0;    // of these
  uint64_t background = 0;   // of these
  uint64_t failed = 0;       // of these, by their handlers, as asked
  uint64_t questions = 0;    // of clients and admin clients
  uint64_t unanswered = 0;   // of these, as the connection was cut
  uint64_t connections = 0;  // of the client and the worker that stay
};

// A client, a worker and an admin client that stay, and others that come and
// go. Not thread-safe.
class Load {
 public:
  // `scheme` and `factory` are the transport. The load ends before the server
  // does.
  static absl::StatusOr<std::unique_ptr<Load>> Create(
      std::string address, absl::string_view scheme,
      std::shared_ptr<TransportFactory> factory, uint64_t seed);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // A fixed amount of work by several threads. When it returns nothing is under
  // way, and every job that was accepted has been done.
  void Cycle();

  // After the server was away: DEADLINE_EXCEEDED unless client and worker have
  // it again.
  absl::Status WaitUntilServed();

  const std::string& address() const { return address_; }
  LoadCounts counts() const;
  // Promises that were broken, the first few of them in words.
  uint64_t broken() const { return broken_; }
  std::vector<std::string> problems() const;

 private:
  struct Transports {
    std::shared_ptr<TransportRegistry> steady;
    std::shared_ptr<TransportRegistry> cut;
  };
  class Caller;

  Load(std::string address, uint64_t seed);

  absl::Status Start(absl::string_view scheme,
                     std::shared_ptr<TransportFactory> factory);
  absl::StatusOr<std::unique_ptr<Client>> MakeClient(
      const std::shared_ptr<TransportRegistry>& transports) const;
  absl::StatusOr<std::unique_ptr<Worker>> MakeWorker(
      const std::shared_ptr<TransportRegistry>& transports) const;
  absl::StatusOr<std::unique_ptr<AdminClient>> MakeAdmin() const;
  absl::Status RegisterTasks();

  // A sentence on what the server has of a task, for a message.
  std::string QueueOf(absl::string_view task);
  void AskAsAdmin();
  // Client, worker and admin client of one cycle.
  void ComeAndGo();
  void Broken(std::string what);

  const std::string address_;
  const uint64_t seed_;
  std::shared_ptr<std::atomic<uint64_t>> connections_;
  Transports transports_;
  std::unique_ptr<AdminClient> admin_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Worker> worker_;
  std::thread worker_thread_;
  uint64_t cycles_ = 0;
  Ledger ledger_;

  std::atomic<uint64_t> jobs_{0};
  std::atomic<uint64_t> cancelled_{0};
  std::atomic<uint64_t> background_{0};
  std::atomic<uint64_t> failed_{0};
  std::atomic<uint64_t> questions_{0};
  std::atomic<uint64_t> unanswered_{0};
  std::atomic<uint64_t> broken_{0};
  mutable absl::Mutex mutex_;
  std::vector<std::string> problems_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace soak
}  // namespace gearman

#endif  // GEARMAN_TESTS_SOAK_LOAD_H_
