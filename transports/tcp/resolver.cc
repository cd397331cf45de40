#include "gearman/transports/tcp/resolver.h"

#include <netdb.h>
#include <resolv.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gearman/process/descriptor.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace {

// Frees the memory of the system's resolver for this thread. The system frees
// it, too, but as the last action of a thread. If the process ends before that,
// a leak checker reports the memory as lost.
void CloseResolverOfThisThread() {
  if ((_res.options & RES_INIT) != 0) res_nclose(&_res);
}

// The state that the lookup's thread and its caller share; the last owner frees
// it.
struct SharedAnswer {
  explicit SharedAnswer(Descriptor event) : event(std::move(event)) {}

  const Descriptor event;
  std::atomic<bool> done{false};
  absl::Mutex mutex;
  absl::StatusOr<std::vector<SocketAddress>> answer ABSL_GUARDED_BY(mutex);
};

absl::StatusOr<std::vector<SocketAddress>> Resolve(const std::string& host,
                                                   uint16_t port) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    const int system_error = errno;
    return absl::UnavailableError(
        absl::StrCat("the name \"", host, "\" can't be resolved: ",
                     error == EAI_SYSTEM ? std::strerror(system_error)
                                         : gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found,
                                                                 freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.length = at->ai_addrlen;
    addresses.push_back(address);
  }
  if (addresses.empty()) {
    return absl::UnavailableError(
        absl::StrCat("the name \"", host, "\" has no address"));
  }
  return addresses;
}

// Like Resolve. An exception would end the program, as this is all that the
// thread does.
absl::StatusOr<std::vector<SocketAddress>> ResolveOrSayNoMemory(
    const std::string& host, uint16_t port) {
  try {
    return Resolve(host, port);
  } catch (const std::bad_alloc&) {
  }
  try {
    return absl::ResourceExhaustedError(
        absl::StrCat("there is no memory to resolve the name \"", host, "\""));
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}

class SystemLookup : public Lookup {
 public:
  explicit SystemLookup(std::shared_ptr<SharedAnswer> shared)
      : shared_(std::move(shared)) {}
  int fd() const override { return shared_->event.get(); }
  bool done() const override {
    return shared_->done.load(std::memory_order_acquire);
  }
  absl::StatusOr<std::vector<SocketAddress>> Take() override {
    absl::MutexLock lock(&shared_->mutex);
    return std::move(shared_->answer);
  }

 private:
  const std::shared_ptr<SharedAnswer> shared_;
};

class SystemResolver : public Resolver {
 public:
  absl::StatusOr<std::unique_ptr<Lookup>> Start(const std::string& host,
                                                uint16_t port) override {
    Descriptor event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event.is_open()) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "\"", host, "\" can't be looked up: ", std::strerror(errno)));
    }
    auto shared = std::make_shared<SharedAnswer>(std::move(event));
    std::thread thread;
    absl::Status started = StartThread(
        absl::StrCat("the look-up of \"", host, "\""),
        [shared, host, port] {
          absl::StatusOr<std::vector<SocketAddress>> answer =
              ResolveOrSayNoMemory(host, port);
          CloseResolverOfThisThread();
          {
            absl::MutexLock lock(&shared->mutex);
            shared->answer = std::move(answer);
          }
          shared->done.store(true, std::memory_order_release);
          const uint64_t one = 1;
          static_cast<void>(!write(shared->event.get(), &one, sizeof(one)));
        },
        &thread);
    if (!started.ok()) return started;
    thread.detach();
    return std::make_unique<SystemLookup>(std::move(shared));
  }
};

}  // namespace

std::shared_ptr<Resolver> Resolver::System() {
  static const auto* const resolver =
      new std::shared_ptr<Resolver>(std::make_shared<SystemResolver>());
  return *resolver;
}

}  // namespace gearman
