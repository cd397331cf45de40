#include "gearman/sdk/embedded/server_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/embedded/work_meter.h"
#include "gearman/sdk/version.h"
#include "gearman/transports/start_thread.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gearman/transports/wake_batch.h"

namespace gearman {
namespace embedded {
namespace {

// The engine's key: of its next timer in the active poller, and of its
// background work in the line. The keys of links and ports count from 1.
constexpr Poller::Key kEngineKey = 0;
// The key of no link or port.
constexpr Poller::Key kNoKey = ~Poller::Key{0};
// After this many turns without a pause another thread takes over. So a thread
// that only wanted to write does not serve the others forever.
constexpr int kMaxTurns = 32;
// Another thread also takes over after this many full turns, or after one if
// there is an active poller.
constexpr int kMaxFullTurns = 4;

EngineOptions EngineOptionsOf(const JobServerOptions& options) {
  EngineOptions engine;
  engine.queue.handle_prefix = options.job_handle_prefix;
  engine.queue.max_runs = options.job_retries;
  engine.queue.max_jobs = options.max_jobs;
  engine.queue.max_bytes = options.max_job_bytes;
  engine.queue.max_functions = options.max_functions;
  engine.queue.max_memory = options.max_queue_memory;
  engine.workers.max_abilities = options.max_functions_of_worker;
  engine.workers.wakeup = options.worker_wakeup;
  engine.workers.round_robin = options.round_robin;
  engine.exceptions_for_all = options.exceptions;
  engine.max_output_bytes = options.max_output_bytes;
  engine.max_connection_memory = options.max_connection_memory;
  engine.version = absl::StrCat("gearman_sdk-", kVersion);
  return engine;
}

absl::Status Stopped() {
  return absl::FailedPreconditionError("the job server has been stopped");
}

LinkLimits LinkLimitsOf(const JobServerOptions& options) {
  LinkLimits limits;
  limits.decoder.max_packet_bytes = options.max_packet_bytes;
  limits.output_mark = options.output_mark;
  limits.max_output_bytes = options.max_output_bytes;
  return limits;
}

}  // namespace

class ABSL_SCOPED_LOCKABLE ServerCore::Visit {
 public:
  explicit Visit(const ServerCore* core)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(core->mutex_)
      : core_(*core) {
    core_.visitors_.fetch_add(1);
    core_.mutex_.Lock();
    core_.visitors_.fetch_sub(1);
  }
  ~Visit() ABSL_UNLOCK_FUNCTION() { core_.mutex_.Unlock(); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  const ServerCore& core_;
};

// Streams may keep this task longer than the server lives.
class ServerCore::PumpTask final : public DeferredTask {
 public:
  explicit PumpTask(std::weak_ptr<ServerCore> core) : core_(std::move(core)) {}
  void Run() override {
    if (const std::shared_ptr<ServerCore> core = core_.lock()) core->Pump();
  }

 private:
  const std::weak_ptr<ServerCore> core_;
};

std::shared_ptr<ServerCore> ServerCore::Create(JobServerOptions options) {
  std::shared_ptr<ServerCore> core(new ServerCore(std::move(options)),
                                   DeleteInOwnProcess<ServerCore>());
  core->pump_ = std::make_shared<PumpTask>(core);
  return core;
}

ServerCore::ServerCore(JobServerOptions options)
    : options_(std::move(options)),
      limits_(LinkLimitsOf(options_)),
      engine_(EngineOptionsOf(options_)),
      passive_poller_(options_.clock),
      engine_in_line_(kEngineKey),
      handshakes_(options_.clock),
      stalled_inputs_(options_.packet_timeout),
      stalled_outputs_(options_.output_timeout),
      closing_log_(options_.logger),
      refusing_log_(options_.logger),
      memory_log_(options_.logger),
      timer_(std::make_shared<PassiveTimer>()) {
  engine_.meter().UseClock(options_.clock);
}

ServerCore::~ServerCore() { Stop(); }

// --- listening ---------------------------------------------------------------

absl::StatusOr<Poller*> ServerCore::PollerForSockets() {
  if (options_.poller != nullptr) return options_.poller;
  if (thread_poller_ == nullptr) {
    absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
    if (!poller.ok()) return poller.status();
    thread_poller_ = *std::move(poller);
  }
  return thread_poller_.get();
}

absl::StatusOr<std::unique_ptr<Listener>> ServerCore::MakeListener(
    const Address& address, Poller* poller, Poller::Key key) {
  if (address.scheme == "inproc") {
    InprocListenOptions listen;
    listen.pipe_bytes = options_.pipe_bytes;
    if (poller == &passive_poller_) {
      listen.pump = pump_;
      listen.timer = timer_;
    }
    return options_.network->Listen(address.authority, poller, key,
                                    std::move(listen));
  }
  absl::StatusOr<std::shared_ptr<TransportFactory>> factory =
      options_.transports->Find(address.scheme);
  if (factory.ok()) return (*factory)->Listen(address, poller, key);
  if (address.scheme == "tcp") {
    return TcpTransportFactory().Listen(address, poller, key);
  }
  return factory.status();
}

absl::StatusOr<std::string> ServerCore::Listen(absl::string_view address) {
  if (inherited()) return InheritedError("job server");
  absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  Port port;
  Poller::Key key;
  {
    Visit lock(this);
    if (stopped_) return Stopped();
    if (parsed->scheme == "inproc" && options_.poller == nullptr) {
      port.poller = &passive_poller_;
    } else {
      absl::StatusOr<Poller*> poller = PollerForSockets();
      if (!poller.ok()) return poller.status();
      port.poller = *poller;
    }
    key = ++last_key_;
  }
  // The lock is not held here: a host's name may have to be resolved.
  absl::StatusOr<std::unique_ptr<Listener>> listener =
      MakeListener(*parsed, port.poller, key);
  if (!listener.ok()) return listener.status();
  port.listener = *std::move(listener);
  port.address = port.listener->address().ToString();
  port.in_line = std::make_unique<InLine>(key);

  Visit lock(this);
  if (stopped_) return Stopped();
  absl::Status watched = port.poller->Watch(key, port.listener->interest());
  if (!watched.ok()) {
    port.poller->Forget(key);
    return watched;
  }
  EpollPoller* const poller = thread_poller_.get();
  if (poller != nullptr && port.poller == poller && !thread_.joinable()) {
    absl::Status started = StartThread(
        "the embedded job server's thread",
        [this, poller] { RunThread(poller); }, &thread_);
    if (!started.ok()) {
      port.poller->Forget(key);
      return started;
    }
    // From now on the thread handles timers.
    timer_->Set(absl::InfiniteFuture());
    published_deadline_ = absl::InfiniteFuture();
    PublishDeadline();
  }
  std::string result = port.address;
  ports_.emplace(key, std::move(port));
  return result;
}

std::vector<std::string> ServerCore::addresses() const {
  if (inherited()) return {};
  Visit lock(this);
  std::vector<std::string> addresses;
  for (const auto& entry : ports_) addresses.push_back(entry.second.address);
  return addresses;
}

void ServerCore::Stop() {
  if (inherited()) return;
  absl::MutexLock one_at_a_time(&stop_mutex_);
  std::thread thread;
  {
    Visit lock(this);
    if (!stopped_) {
      stopped_ = true;
      for (auto& entry : ports_) {
        entry.second.poller->Forget(entry.first);
      }
      ports_.clear();
      while (!links_.empty()) Close(links_.begin()->first);
      engine_.Clear();
      timer_->Set(absl::InfiniteFuture());
      if (options_.poller != nullptr) options_.poller->Forget(kEngineKey);
    }
    if (thread_.joinable()) {
      thread_stop_.store(true);
      thread_poller_->Wake();
      thread.swap(thread_);
    }
  }
  if (thread.joinable()) thread.join();
}

size_t ServerCore::connections() const {
  if (inherited()) return 0;
  Visit lock(this);
  return links_.size();
}

size_t ServerCore::jobs() const {
  if (inherited()) return 0;
  Visit lock(this);
  return engine_.queue().size();
}

// --- who runs it -------------------------------------------------------------

void ServerCore::Pump() {
  if (inherited()) return;
  dirty_.store(true);
  int full_turns = 0;
  for (int turn = 0; turn <= kMaxTurns; ++turn) {
    // A thread that reads a turn's output may want to pump. So it is woken
    // after the lock is dropped.
    WakeBatch batch;
    // If this thread unlocked the mutex and locked it again at once, no other
    // thread would get it.
    while (turn > 0 && visitors_.load() > 0) std::this_thread::yield();
    if (!mutex_.TryLock()) return;
    // An active poller must soon be polled for other connections with something
    // to do.
    const int max_full_turns = active_poller() != nullptr ? 1 : kMaxFullTurns;
    if (turn == kMaxTurns || full_turns >= max_full_turns) {
      HandOver();
      turn = kMaxTurns;
    } else if (dirty_.exchange(false) && !stopped_) {
      if (!GuardedTurn()) ++full_turns;
    }
    mutex_.Unlock();
    // A thread that came before the unlocking has left a mark.
    if (!dirty_.load()) return;
  }
}

void ServerCore::HandleReady(const std::vector<Poller::Key>& ready) {
  {
    absl::MutexLock lock(&mutex_);
    for (const Poller::Key key : ready) StandInLine(key);
  }
  Pump();
}

void ServerCore::RunThread(EpollPoller* poller) {
  std::vector<Poller::Key> ready;
  while (!thread_stop_.load()) {
    poller->Wait(absl::InfiniteFuture(), &ready);
    HandleReady(ready);
  }
}

absl::Status ServerCore::RunOnce(absl::Time deadline) {
  if (inherited()) return InheritedError("job server");
  if (options_.poller == nullptr) {
    return absl::FailedPreconditionError(
        "the job server runs by itself: it was given no poller");
  }
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return Stopped();
  }
  std::vector<Poller::Key> ready;
  options_.poller->Wait(deadline, &ready);
  HandleReady(ready);
  return absl::OkStatus();
}

void ServerCore::HandOver() {
  dirty_.store(true);
  if (Poller* const poller = active_poller()) {
    poller->Wake();
    return;
  }
  // A thread that polls a stream to this server finds that a timer is due, and
  // pumps.
  published_deadline_ = absl::InfinitePast();
  timer_->Set(published_deadline_);
}

void ServerCore::PublishDeadline() {
  const absl::Time deadline =
      std::min({engine_.next_deadline(), stalled_inputs_.next_deadline(),
                stalled_outputs_.next_deadline(), handshakes_.next_step()});
  if (deadline == published_deadline_) return;
  published_deadline_ = deadline;
  if (Poller* const poller = active_poller()) {
    Interest interest;
    interest.deadline = deadline;
    // A watch without a descriptor can't fail.
    poller->Watch(kEngineKey, interest).IgnoreError();
  } else {
    timer_->Set(deadline);
  }
}

// --- a turn ------------------------------------------------------------------

void ServerCore::StandInLine(Poller::Key key) {
  InLine* place = nullptr;
  if (key == kEngineKey) {
    place = &engine_in_line_;
  } else if (const auto link = links_.find(key); link != links_.end()) {
    place = &link->second->in_line();
  } else if (const auto port = ports_.find(key); port != ports_.end()) {
    place = port->second.in_line.get();
  }
  if (place == nullptr || place->linked()) return;
  line_.PushBack(*place);
}

void ServerCore::LookAgain(Poller::Key key) {
  StandInLine(key);
  dirty_.store(true);
}

void ServerCore::ServeFirst() {
  InLine& first = line_.front();
  const Poller::Key key = first.key;
  first.Unlink();
  if (key == kEngineKey) {
    engine_.DoBackgroundWork();
    return;
  }
  served_.push_back(key);
  const auto link = links_.find(key);
  if (link != links_.end()) {
    Read(*link->second);
    // Results of many workers for one client may exceed the output that may
    // wait for it.
    if (engine_.bytes_forwarded() >= options_.output_mark ||
        engine_.has_failed()) {
      FlushOutput();
    }
    return;
  }
  const auto port = ports_.find(key);
  if (port != ports_.end()) Accept(key, port->second);
}

bool ServerCore::Turn() {
  WorkMeter& meter = engine_.meter();
  now_ = options_.clock->Now();
  // Timers have units of their own, a quarter of a turn's, so that they delay
  // no connection.
  meter.StartTurn(WorkMeter::kUnits / 4, now_);
  engine_.OnTime(now_, options_.clock->WallNow());
  passive_poller_.Wait(absl::InfinitePast(), &marked_);
  for (const Poller::Key key : marked_) StandInLine(key);
  if (engine_.has_background_work()) StandInLine(kEngineKey);
  served_.clear();
  CloseStalled();
  // Handshakes have a time of their own, too.
  meter.StartTurn();
  ContinueHandshakes();
  meter.StartTurn();
  // A connection that joins the line from now on is served in the next turn.
  InLine end(kNoKey);
  line_.PushBack(end);
  bool full = false;
  while (!full && &line_.front() != &end) {
    ServeFirst();
    full = meter.UsedUp() || visitors_.load(std::memory_order_relaxed) > 0;
  }
  // With an active poller a turn that its last connection used up is full, too.
  // Otherwise a connection that is alone in the line would be served turn after
  // turn, and nobody would poll for the others. The passive poller is looked at
  // in each turn.
  if (active_poller() == nullptr) full = &line_.front() != &end;
  end.Unlink();
  // All output that the served connections have caused leaves in one write for
  // each stream.
  FlushOutput();
  // The served links may have room for more input, and their interest may have
  // changed.
  for (const Poller::Key key : served_) Flush(key);
  PublishDeadline();
  if (engine_.has_background_work()) StandInLine(kEngineKey);
  if (!line_.empty()) dirty_.store(true);
  return !full;
}

void ServerCore::FlushOutput() {
  while (EngineConnection* connection = engine_.NextWithOutput()) {
    Flush(connection->id());
  }
}

}  // namespace embedded
}  // namespace gearman
