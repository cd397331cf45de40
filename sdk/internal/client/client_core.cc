#include "gearman/sdk/internal/client/client_core.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gearman/sdk/internal/client/default_plugins.h"
#include "gearman/sdk/internal/net/common_options.h"
#include "gearman/sdk/internal/request/end_listener.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/waiter.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

absl::Status CheckOptions(const ClientOptions& options) {
  absl::Status positive =
      CheckPositive("ClientOptions",
                    {{"connect_timeout", options.connect_timeout},
                     {"reply_timeout", options.reply_timeout},
                     {"heartbeat_interval", options.heartbeat_interval},
                     {"timeout", options.timeout}},
                    " (infinite: none)");
  if (!positive.ok()) return positive;
  absl::Status reconnect = CheckReconnect("ClientOptions", options.reconnect);
  if (!reconnect.ok()) return reconnect;
  if (options.max_connection_attempts < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "ClientOptions::max_connection_attempts is ",
        options.max_connection_attempts,
        "; it must be at least 1, or 0 to leave it to the retry policy"));
  }
  if (options.drive_mode == DriveMode::kEventLoop &&
      (options.poller == nullptr || options.poller->descriptor() < 0)) {
    return absl::InvalidArgumentError(
        "ClientOptions::poller: DriveMode::kEventLoop needs a poller with a "
        "descriptor; use EpollPoller::CreateForEventLoop()");
  }
  if (options.limits.max_requests_in_flight == 0 ||
      options.limits.max_output_bytes == 0 ||
      options.limits.max_packet_bytes < 12) {
    return absl::InvalidArgumentError(
        "ClientOptions::limits: max_requests_in_flight and max_output_bytes "
        "must be at least 1, max_packet_bytes at least 12");
  }
  return CheckListable("ClientOptions::task_prefix", options.task_prefix);
}

// Returns true if the notice is an end that no code of the user hears of.
bool OnlyWakes(const Notice& notice) {
  if (notice.kind != Notice::Kind::kComplete || notice.hooks != nullptr) {
    return false;
  }
  const JobRequestState& request = *notice.request;
  return request.listener && !request.listener->runs_user_code() &&
         !request.call_options().callbacks.on_complete;
}

// Returns how many notices at the front only wake threads, or 1 if the first
// one runs code of the user.
size_t FirstRun(absl::Span<const Notice> notices) {
  size_t length = 0;
  while (length < notices.size() && OnlyWakes(notices[length])) ++length;
  return std::max<size_t>(length, 1);
}

}  // namespace

absl::StatusOr<std::shared_ptr<ClientCore>> ClientCore::Create(
    ClientOptions options) {
  absl::Status status = CheckOptions(options);
  status.Update(MetricsExporter::Check(options.metrics_sinks));
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<Address>> servers =
      CompleteOptions("ClientOptions", &options);
  if (!servers.ok()) return servers.status();
  if (options.retry_policy == nullptr) {
    options.retry_policy = DefaultRetryPolicy();
  }
  if (options.server_selector == nullptr) {
    options.server_selector = DefaultServerSelector();
  }
  return std::shared_ptr<ClientCore>(
      new ClientCore(std::move(options), *servers),
      DeleteInOwnProcess<ClientCore>());
}

ClientCore::ClientCore(ClientOptions options,
                       const std::vector<Address>& servers)
    : options_(std::move(options)),
      poller_(options_.poller),
      clock_(poller_->clock()),
      metrics_(MetricsFor(options_, MetricOwner::kClient)),
      hooks_(&options_, clock_),
      engine_(options_, servers, poller_.get(), metrics_.get(), &spares_),
      driver_(&mutex_, poller_.get(), this, options_.drive_mode) {
  if (metrics_ != nullptr) {
    exporter_ = std::make_unique<MetricsExporter>(
        metrics_, options_.metrics_sinks, clock_);
  }
}

ClientCore::~ClientCore() { Shutdown(); }

void ClientCore::Shutdown() {
  {
    absl::MutexLock lock(&mutex_);
    if (shut_down_) return;
    // From now on nothing is begun, so the loop that runs the last notices
    // ends.
    shut_down_ = true;
  }
  // No thread drives after this.
  driver_.Stop();
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    engine_.Stop(absl::CancelledError("the client was destroyed"), now);
    while (RunNotices()) {
    }
    if (inherited()) return;
    ReleaseWaiters(&room_, /*finished=*/true);
  }
  poller_->RunDeferred();
  exporter_ = nullptr;
}

// --- the pass ----------------------------------------------------------------

void ClientCore::Export(absl::Time now) {
  mutex_.Unlock();
  exporter_->OnTime(now);
  Relock();
}

absl::Time ClientCore::Work(const std::vector<Poller::Key>& ready) {
  mutex_.AssertHeld();
  absl::Time now = clock_->Now();
  for (const Poller::Key key : ready) engine_.OnReady(key, now);
  engine_.ReadBeforeLate(now);
  for (;;) {
    engine_.OnTime(now);
    engine_.Settle(now);
    TellRoom();
    if (!RunNotices()) break;
    now = clock_->Now();
  }
  if (inherited()) return absl::InfiniteFuture();
  if (exporter_ != nullptr && exporter_->next() <= now) {
    Export(now);
    if (inherited()) return absl::InfiniteFuture();
    engine_.Settle(clock_->Now());
    // Submitters may have made room since, and left its handling to this
    // thread.
    TellRoom();
  }
  return NextDeadline();
}

absl::Time ClientCore::NextDeadline() const {
  if (engine_.has_notices()) return absl::InfinitePast();
  const absl::Time next = engine_.next_deadline();
  return exporter_ == nullptr ? next : std::min(next, exporter_->next());
}

bool ClientCore::NeedsBackground() const {
  mutex_.AssertHeld();
  return engine_.in_flight() > 0 || engine_.has_notices() ||
         engine_.output_bytes() > 0 ||
         (exporter_ != nullptr && exporter_->next() != absl::InfiniteFuture());
}

void ClientCore::OnNoThread(const absl::Status& status) {
  options_.logger.Log(LogLevel::kError, status.message(),
                      ": callbacks, retries and what nobody waits for stand "
                      "still until it can, or a thread waits");
}

// --- user code ---------------------------------------------------------------

bool ClientCore::RunNotices() {
  if (!engine_.has_notices()) return false;
  std::vector<Notice> notices = engine_.TakeNotices();
  std::vector<std::shared_ptr<JobRequestState>> ended;
  mutex_.Unlock();
  {
    IoDriver::CallbackScope scope(&driver_);
    absl::Span<Notice> left = absl::MakeSpan(notices);
    while (!left.empty() && !inherited()) {
      const size_t length = FirstRun(left);
      // The last one first: see EndListener::runs_user_code.
      for (size_t i = length; i-- > 0;) {
        const bool ends = RunNotice(&left[i], &scope);
        // The user code has forked, and this is the child.
        if (inherited()) break;
        if (ends) ended.push_back(std::move(left[i].request));
      }
      left.remove_prefix(length);
    }
    notices.clear();
  }
  Relock();
  if (inherited()) return false;
  if (ended.empty()) return true;
  for (const std::shared_ptr<JobRequestState>& request : ended) {
    // A callback may have submitted the request again. Then the waiters go on
    // waiting.
    if (--request->callbacks_pending == 0 &&
        request->finished.load(std::memory_order_relaxed)) {
      ReleaseWaiters(request.get(), /*finished=*/true);
    }
  }
  // The handles in `ended` may be the last ones. The callbacks that they hold
  // are the user's, and their destructors may call the client.
  mutex_.Unlock();
  {
    IoDriver::CallbackScope scope(&driver_);
    ended.clear();
  }
  Relock();
  return !inherited();
}

bool ClientCore::RunNotice(Notice* notice, IoDriver::CallbackScope* scope) {
  JobRequestState* const request = notice->request.get();
  const bool ends = notice->kind == Notice::Kind::kEnding ||
                    notice->kind == Notice::Kind::kComplete;
  scope->SetSubject(request, /*last=*/false);
  if (notice->hooks != nullptr) {
    if (!ends) {
      hooks_.OnRetry(notice);
      return false;
    }
    if (notice->kind == Notice::Kind::kEnding) {
      ClientHooks::ChangeEnd(notice);
      if (inherited()) return true;
      absl::MutexLock lock(&mutex_);
      // The time of the interceptors is part of the request's time.
      notice->facts->time = clock_->Now();
      engine_.Conclude(request, notice->facts.get());
    }
    ClientHooks::OnEnd(notice);
  }
  scope->SetSubject(request, ends);
  hooks_.Call(*notice);
  return ends;
}

absl::Time ClientCore::RunOnce(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  return driver_.RunOnce(deadline);
}

}  // namespace internal
}  // namespace gearman
