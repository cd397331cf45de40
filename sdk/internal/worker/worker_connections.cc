// The part of WorkerCore that handles its connections: the list of servers, the
// loss of a connection, and the end of all.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/net/server_list.h"
#include "gearman/sdk/internal/worker/worker_core.h"

namespace gearman {
namespace internal {

// --- asked by other threads --------------------------------------------------

absl::Status WorkerCore::AddServer(absl::string_view text) {
  absl::StatusOr<Address> address = ParseServer(text, *options_.transports);
  if (!address.ok()) return address.status();
  {
    absl::MutexLock lock(&mutex_);
    if (std::find(wanted_servers_.begin(), wanted_servers_.end(), *address) !=
        wanted_servers_.end()) {
      return absl::AlreadyExistsError(absl::StrCat(
          address->ToString(), " is one of the worker's servers already"));
    }
    wanted_servers_.push_back(*std::move(address));
    wanted_version_.fetch_add(1, std::memory_order_release);
  }
  poller_->Wake();
  return absl::OkStatus();
}

absl::Status WorkerCore::RemoveServer(absl::string_view text) {
  const absl::StatusOr<Address> address = ParseAddress(text);
  if (!address.ok()) return address.status();
  {
    absl::MutexLock lock(&mutex_);
    const auto found =
        std::find(wanted_servers_.begin(), wanted_servers_.end(), *address);
    if (found == wanted_servers_.end()) {
      return absl::NotFoundError(absl::StrCat(
          address->ToString(), " is none of the worker's servers"));
    }
    wanted_servers_.erase(found);
    wanted_version_.fetch_add(1, std::memory_order_release);
  }
  poller_->Wake();
  return absl::OkStatus();
}

std::vector<std::string> WorkerCore::servers() const {
  std::vector<std::string> names;
  absl::MutexLock lock(&mutex_);
  for (const Address& server : wanted_servers_) {
    names.push_back(server.ToString());
  }
  return names;
}

Health WorkerCore::health() const {
  absl::MutexLock lock(&mutex_);
  return MakeHealth(published_health_);
}

// --- the loop's --------------------------------------------------------------

void WorkerCore::HandleLost(absl::Time now) {
  for (size_t i = 0; i < lost_.size(); ++i) {
    const LostServer lost = std::move(lost_[i]);
    if (metrics_ != nullptr &&
        lost.status.code() == absl::StatusCode::kDataLoss) {
      metrics_->ProtocolError("DATA_LOSS");
    }
    if (draining_ && answer_lost_.ok()) {
      const std::string answer = servers_.AnswerOnItsWay(lost.link);
      if (!answer.empty()) {
        answer_lost_ = absl::UnavailableError(absl::StrCat(
            answer, ": ", lost.status.message(), ", while the worker drained"));
      }
    }
    jobs_.OnLost(servers_.Close(lost, /*reopen=*/!draining_, now),
                 StopReason::kConnectionLost, /*given_back=*/false, now);
  }
  lost_.clear();
}

void WorkerCore::CloseLeaving(absl::Time now) {
  for (int i = 0; i < servers_.size(); ++i) {
    WorkerLink& link = servers_.link(i);
    if (!link.leaving || link.connection == nullptr ||
        !WorkerServers::HasEnded(link, now)) {
      continue;
    }
    servers_.Close({i, absl::OkStatus(), ReconnectReason::kClosed},
                   /*reopen=*/false, now);
  }
}

void WorkerCore::CloseDrained(absl::Time now) {
  bool open = false;
  for (int i = 0; i < servers_.size(); ++i) {
    WorkerLink& link = servers_.link(i);
    if (link.connection == nullptr) continue;
    if (!WorkerServers::HasEnded(link, now)) {
      open = true;
      continue;
    }
    servers_.Close({i, absl::OkStatus(), ReconnectReason::kClosed},
                   /*reopen=*/false, now);
  }
  if (!open) End(answer_lost_, StopReason::kStopped, now);
}

void WorkerCore::End(absl::Status status, StopReason reason, absl::Time now) {
  end_status_ = std::move(status);
  std::vector<LostServer> failed;
  for (int i = 0; i < servers_.size(); ++i) {
    // Answers that are ready leave if the connection takes them.
    servers_.Flush(i, &failed);
    jobs_.OnLost(servers_.Close({i, absl::OkStatus(), ReconnectReason::kClosed},
                                /*reopen=*/false, now),
                 reason, /*given_back=*/true, now);
  }
  lost_.clear();
  ended_.store(true, std::memory_order_release);
  options_.logger.Log(LogLevel::kInfo, "the worker has ended");
  poller_->RunDeferred();
}

}  // namespace internal
}  // namespace gearman
