// The part of WorkerCore that handles its connections: the list of servers, the
// loss of a connection, and the end of all.
#include <algorithm>
#include <memory>
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
    if (wanted_servers_.size() == kMaxServers) {
      return absl::ResourceExhaustedError(
          absl::StrCat(address->ToString(), " was not added: the worker has ",
                       kMaxServers, " servers"));
    }
    wanted_servers_.push_back(*std::move(address));
    servers_changed_ = true;
  }
  Ask();
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
    servers_changed_ = true;
  }
  Ask();
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
  while (const auto lost = servers_.TakeLost()) {
    if (metrics_ != nullptr &&
        lost->status.code() == absl::StatusCode::kDataLoss) {
      metrics_->ProtocolError("DATA_LOSS");
    }
    if (servers_.draining() && answer_lost_.ok()) {
      const std::string answer = WorkerServers::AnswerOnItsWay(*lost->link);
      if (!answer.empty()) {
        answer_lost_ = absl::UnavailableError(
            absl::StrCat(answer, ": ", lost->status.message(),
                         ", while the worker drained"));
      }
    }
    const std::unique_ptr<WorkerLink> closed = servers_.CloseLost(*lost, now);
    jobs_.OnLost(*closed, StopReason::kConnectionLost, /*given_back=*/false,
                 now);
  }
}

void WorkerCore::GiveBackPaused(absl::Time now) {
  std::vector<WorkerLink*> leaving;
  servers_.ForEachTouched([&](WorkerLink& link) {
    if (!link.lost && servers_.LeavesForGood(link) &&
        WorkerJobs::HoldsBackAll(link) && link.session->HasReceipt(now)) {
      leaving.push_back(&link);
    }
  });
  for (WorkerLink* const link : leaving) {
    options_.logger.Log(LogLevel::kInfo, link->session->held(),
                        " jobs of paused tasks go back to ",
                        link->server->name);
    const auto closed = servers_.CloseQuietly(
        *link, "its jobs are of paused tasks, which do not begin here");
    jobs_.OnLost(*closed, StopReason::kStopped, /*given_back=*/true, now);
  }
}

void WorkerCore::End(absl::Status status, StopReason reason, absl::Time now) {
  end_status_ = std::move(status);
  while (!servers_.links().empty()) {
    WorkerLink& link = *servers_.links().front();
    // Answers that are ready leave if the connection takes them.
    servers_.Write(link);
    const auto closed = servers_.CloseQuietly(link, "the worker ends");
    jobs_.OnLost(*closed, reason, /*given_back=*/true, now);
  }
  ended_.store(true, std::memory_order_release);
  Publish();
  options_.logger.Log(LogLevel::kInfo, "the worker has ended");
  poller_->RunDeferred();
}

}  // namespace internal
}  // namespace gearman
