#include "gearman/transports/inproc/inproc_network.h"

#include <atomic>
#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "gearman/base/callback.h"
#include "gearman/transports/inproc/inproc_stream.h"

namespace gearman {

// --- names -------------------------------------------------------------------

// A waker whose target is set later, once. If it is woken before, it wakes the
// target then.
class LateWaker : public Waker {
 public:
  void Wake() override {
    if (Waker* const target = set_.load(std::memory_order_acquire)) {
      return target->Wake();
    }
    {
      absl::MutexLock lock(&mutex_);
      if (target_ == nullptr) {
        woken_ = true;
        return;
      }
    }
    set_.load(std::memory_order_acquire)->Wake();
  }
  void SetTarget(std::shared_ptr<Waker> target) {
    bool woken;
    {
      absl::MutexLock lock(&mutex_);
      target_ = std::move(target);
      set_.store(target_.get(), std::memory_order_release);
      woken = woken_;
    }
    if (woken) Wake();
  }

 private:
  absl::Mutex mutex_;
  std::shared_ptr<Waker> target_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  // The target, for a look without the lock.
  std::atomic<Waker*> set_{nullptr};
};

// The state that a listener and the network share.
struct InprocNetwork::Port {
  std::string name;
  Poller* poller;
  std::shared_ptr<Waker> waker;  // for the listener's key
  InprocListenOptions options;

  // A connected stream whose server end has not been accepted yet.
  struct Waiting {
    // The waker of the server end, whose target is known when the stream is
    // accepted.
    std::shared_ptr<LateWaker> waker;
    std::unique_ptr<Transport> transport;
  };
  absl::Mutex mutex;
  bool closed ABSL_GUARDED_BY(mutex) = false;
  std::deque<Waiting> waiting ABSL_GUARDED_BY(mutex);
};

struct InprocNetwork::State {
  mutable absl::Mutex mutex;
  std::map<std::string, std::shared_ptr<Port>> ports ABSL_GUARDED_BY(mutex);
  // Held while a fallback runs, so that two clients that connect at once start
  // one server.
  absl::Mutex fallback_mutex;
};

class InprocNetwork::NetworkListener : public Listener {
 public:
  NetworkListener(std::shared_ptr<State> state, std::shared_ptr<Port> port)
      : state_(std::move(state)), port_(std::move(port)) {}

  ~NetworkListener() override {
    {
      absl::MutexLock lock(&state_->mutex);
      state_->ports.erase(port_->name);
    }
    // Closing the streams that were never accepted informs their clients.
    std::deque<Port::Waiting> waiting;
    absl::MutexLock lock(&port_->mutex);
    port_->closed = true;
    waiting.swap(port_->waiting);
  }

  absl::StatusOr<std::unique_ptr<Transport>> Accept(Poller* poller,
                                                    Poller::Key key) override {
    Port::Waiting next;
    {
      absl::MutexLock lock(&port_->mutex);
      if (port_->waiting.empty()) return std::unique_ptr<Transport>();
      next = std::move(port_->waiting.front());
      port_->waiting.pop_front();
    }
    next.waker->SetTarget(poller->MakeWaker(key));
    return std::move(next.transport);
  }

  Interest interest() const override {
    Interest interest;
    absl::MutexLock lock(&port_->mutex);
    interest.ready_now = !port_->waiting.empty();
    return interest;
  }

  Address address() const override { return {"inproc", port_->name}; }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Port> port_;
};

InprocNetwork::InprocNetwork()
    : state_([] {
        return std::make_unique<std::shared_ptr<State>>(
            std::make_shared<State>());
      }) {}

InprocNetwork::~InprocNetwork() = default;

const std::shared_ptr<InprocNetwork>& InprocNetwork::Default() {
  static const auto* const network =
      new std::shared_ptr<InprocNetwork>(std::make_shared<InprocNetwork>());
  return *network;
}

absl::StatusOr<std::unique_ptr<Listener>> InprocNetwork::Listen(
    absl::string_view name, Poller* poller, Poller::Key key,
    InprocListenOptions options) {
  if (name.empty()) {
    return absl::InvalidArgumentError(
        "inproc:// needs a name to listen on, such as inproc://jobs");
  }
  const std::shared_ptr<State> state = *state_;
  auto port = std::make_shared<Port>();
  port->name = std::string(name);
  port->poller = poller;
  port->waker = poller->MakeWaker(key);
  port->options = std::move(options);
  {
    absl::MutexLock lock(&state->mutex);
    if (!state->ports.emplace(port->name, port).second) {
      return absl::AlreadyExistsError(
          absl::StrCat("inproc://", name, " is listened on already"));
    }
  }
  return std::make_unique<NetworkListener>(state, std::move(port));
}

absl::StatusOr<std::unique_ptr<Transport>> InprocNetwork::Connect(
    absl::string_view name, Poller* poller, Poller::Key key) {
  const std::string wanted(name);
  State& state = **state_;
  const auto find = [&state, &wanted]() -> std::shared_ptr<Port> {
    absl::MutexLock lock(&state.mutex);
    const auto it = state.ports.find(wanted);
    return it == state.ports.end() ? nullptr : it->second;
  };
  std::shared_ptr<Port> port = find();
  if (port == nullptr) {
    absl::MutexLock one_at_a_time(&state.fallback_mutex);
    Callback<absl::Status()> start;
    {
      ProcessMutexLock lock(&fallbacks_mutex_);
      const auto it = fallbacks_.find(wanted);
      if (it != fallbacks_.end()) start = it->second;
    }
    port = find();
    if (port == nullptr && start) {
      absl::Status status = start();
      if (!status.ok()) return status;
      port = find();
    }
  }
  if (port == nullptr) {
    std::vector<std::string> known = names();
    for (std::string& text : known) text = "inproc://" + text;
    return absl::NotFoundError(
        absl::StrCat("nobody in this process listens on inproc://", name,
                     "; there ", known.empty() ? "are no such names" : "are ",
                     absl::StrJoin(known, ", ")));
  }

  InprocEndOptions client_end;
  client_end.name = absl::StrCat("inproc://", name);
  client_end.waker = poller->MakeWaker(key);
  client_end.poller = poller;
  client_end.pump = port->options.pump;
  client_end.timer = port->options.timer;
  InprocEndOptions server_end;
  server_end.name = absl::StrCat("inproc://", name, kInprocClientSuffix);
  auto late_waker = std::make_shared<LateWaker>();
  server_end.waker = late_waker;
  auto ends = MakeInprocStream(std::move(client_end), std::move(server_end),
                               port->options.pipe_bytes);
  {
    absl::MutexLock lock(&port->mutex);
    if (port->closed) {
      return absl::UnavailableError(absl::StrCat(
          "inproc://", name, ": the server has just stopped listening"));
    }
    port->waiting.push_back({std::move(late_waker), std::move(ends.second)});
  }
  port->waker->Wake();
  if (port->options.pump != nullptr) poller->Defer(port->options.pump);
  return std::move(ends.first);
}

void InprocNetwork::SetFallback(absl::string_view name,
                                Callback<absl::Status()> start) {
  ProcessMutexLock lock(&fallbacks_mutex_);
  fallbacks_[std::string(name)] = std::move(start);
}

std::vector<std::string> InprocNetwork::names() const {
  std::vector<std::string> names;
  State& state = **state_;
  absl::MutexLock lock(&state.mutex);
  for (const auto& entry : state.ports) names.push_back(entry.first);
  return names;
}

}  // namespace gearman
