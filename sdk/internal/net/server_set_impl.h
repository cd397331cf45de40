// The definitions of ServerSet. Only the code that instantiates the class for a
// kind of session includes this file:
//
//   template class ServerSet<ClientLinkSession>;
#ifndef GEARMAN_SDK_INTERNAL_NET_SERVER_SET_IMPL_H_
#define GEARMAN_SDK_INTERNAL_NET_SERVER_SET_IMPL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/link.h"
#include "gearman/sdk/internal/net/packet_tap.h"
#include "gearman/sdk/internal/net/reconnect_delay.h"
#include "gearman/sdk/internal/net/server.h"
#include "gearman/sdk/internal/net/server_set.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport.h"

namespace gearman {
namespace internal {

// --- the servers -------------------------------------------------------------

template <typename Session>
ServerPtr<Session> ServerSet<Session>::MakeServer(const Address& address,
                                                  const std::string& name) {
  return Ptr::Make(address, options_.metrics == nullptr
                                ? nullptr
                                : options_.metrics->ForServer(name));
}

template <typename Session>
ServerPtr<Session> ServerSet<Session>::AddBeside(const Address& address) {
  Ptr server = MakeServer(address, address.ToString());
  server->number = ++last_number_;
  return server;
}

template <typename Session>
Link<Session>* ServerSet<Session>::Leave(ServerType& server, const char* why) {
  server.removed = true;
  QueueRetry(server, absl::InfiniteFuture());
  LinkType* const link = server.link;
  if (link != nullptr) Retire(*link, why);
  return link;
}

template <typename Session>
ServerPtr<Session> ServerSet<Session>::Add(const Address& address) {
  if (servers_.size() == kMaxServers) return nullptr;
  const std::string name = address.ToString();
  Ptr& server = by_name_[name];
  if (server == nullptr) server = MakeServer(address, name);
  server->removed = false;
  server->number = ++last_number_;
  // A link from before the removal only finishes what it has.
  server->link = nullptr;
  servers_.push_back(server);
  ++version_;
  ++health_version_;
  return server;
}

template <typename Session>
void ServerSet<Session>::Remove(Ptr server) {
  servers_.erase(std::find(servers_.begin(), servers_.end(), server));
  ++version_;
  ++health_version_;
  // Questions about its jobs may still go there.
  server->link =
      Leave(*server, "the server was removed, and nothing is left to do");
  if (!std::exchange(server->listed_as_removed, true)) {
    removed_.push_back(server);
  }
  ForgetRemoved();
}

template <typename Session>
void ServerSet<Session>::ForgetRemoved() {
  // Each call follows one more removal. Looking at two servers makes up for the
  // ones that were in use when they were looked at.
  for (int i = 0; i < 2 && removed_.size() > options_.max_removed; ++i) {
    Ptr server = std::move(removed_.front());
    removed_.pop_front();
    server->listed_as_removed = false;
    if (!server->removed) continue;
    // by_name_ and this function are the only owners.
    if (server.owners() == 2) {
      by_name_.erase(server->name);
      continue;
    }
    server->listed_as_removed = true;
    removed_.push_back(std::move(server));
  }
}

// --- connecting --------------------------------------------------------------

template <typename Session>
absl::Status ServerSet<Session>::Connect(const Ptr& server, absl::Time now) {
  const Poller::Key key = ++last_key_;
  absl::StatusOr<std::unique_ptr<Transport>> transport =
      options_.transports->Create(server->address, poller_, key);
  if (!transport.ok()) {
    CountRefusal(*server);
    return transport.status();
  }
  auto made =
      std::make_unique<LinkType>(server, *std::move(transport), poller_, key,
                                 options_.decoder, options_.connection);
  LinkType& link = *made;
  link.connection.SetTap(
      PacketTap::Create(options_.metrics, options_.logger, server->name));
  link.session = owner_->MakeSession(link, &link.connection.output());
  link.connecting_since = now;
  if (server->removed) {
    link.leaving = "the server was removed, and nothing is left to do";
  }
  link.place = links_.size();
  links_.push_back(std::move(made));
  by_key_.emplace(key, &link);
  server->link = &link;
  options_.logger.Log(LogLevel::kInfo, "connecting to ", server->name);
  absl::Status status = ContinueConnect(link, now);
  if (!status.ok()) {
    CountRefusal(*server);
    TakeOut(link);
    return status;
  }
  UpdateDeadline(link);
  Touch(link);
  return status;
}

template <typename Session>
absl::Status ServerSet<Session>::ContinueConnect(LinkType& link,
                                                 absl::Time now) {
  absl::Status status = link.connection.Connect();
  if (status.ok() && link.up()) AfterConnect(link, now);
  return status;
}

template <typename Session>
void ServerSet<Session>::AfterConnect(LinkType& link, absl::Time now) {
  options_.logger.Log(LogLevel::kInfo, "connected to ",
                      link.connection.Describe());
  link.end_of_life = EndOfConnection(options_.reconnect, now, random_);
  ++connected_;
  ++health_version_;
  if (link.server->metrics != nullptr) {
    link.server->metrics->up.Add(1);
    link.server->metrics->connect_duration.Observe(now - link.connecting_since);
  }
  link.session->OnConnected(now);
}

template <typename Session>
void ServerSet<Session>::Retire(LinkType& link, const char* why) {
  if (link.leaving == nullptr) {
    link.leaving = why;
    link.session->Retire();
  }
  if (link.server->link == &link) link.server->link = nullptr;
  // Flush closes the link when nothing is left to do on it.
  Touch(link);
}

// --- events ------------------------------------------------------------------

template <typename Session>
void ServerSet<Session>::Read(LinkType& link, absl::Time now,
                              OnEvent on_event) {
  ++looks_;
  Touch(link);
  if (!link.up()) {
    absl::Status status = ContinueConnect(link, now);
    if (!status.ok()) {
      Lose(link, std::move(status), ReconnectReason::kConnectFailed);
    }
    return;
  }
  const uint64_t received = link.connection.bytes_received();
  absl::Status status = link.connection.ReadEvents(
      [&](typename Session::Receiver& event) { return on_event(link, event); });
  if (link.connection.bytes_received() != received) {
    link.connection.Release();
    if (link.session->OnReceived(now)) {
      if (link.server->failures > 0) ++health_version_;
      link.server->OnAnswer();
    }
  }
  if (status.ok()) return;
  const ReconnectReason reason = status.code() == absl::StatusCode::kDataLoss
                                     ? ReconnectReason::kProtocolError
                                     : ReconnectReason::kClosed;
  // A session that finds a breach does not name the server.
  if (!absl::StrContains(status.message(), link.server->name)) {
    status = absl::Status(
        status.code(),
        absl::StrCat(link.connection.Describe(), ": ", status.message()));
  }
  Lose(link, std::move(status), reason);
}

template <typename Session>
void ServerSet<Session>::OnTime(LinkType& link, absl::Time now) {
  ++looks_;
  // Bytes that have just been read or written may have moved the deadline.
  if (link.connection.TakeProgress()) link.session->OnProgress(now);
  if (link.touched) UpdateDeadline(link);
  if (link.deadline > now) return;
  SetDeadline(link, absl::InfiniteFuture());
  if (link.lost) return;
  Touch(link);
  if (!link.up()) {
    Lose(link,
         absl::UnavailableError(
             absl::StrCat(link.connection.Describe(), ": not connected within ",
                          absl::FormatDuration(options_.connect_timeout),
                          " (connect_timeout)")),
         ReconnectReason::kConnectFailed, /*timed_out=*/true);
    return;
  }
  if (options_.retire_on_time && link.leaving == nullptr &&
      now >= link.end_of_life) {
    Retire(link,
           "it has reached connection_lifetime, and nothing is left to "
           "do on it");
    owner_->OnRetired(link);
  }
  absl::Status status = link.session->OnTime(now);
  if (!status.ok()) {
    Lose(link,
         absl::Status(status.code(), absl::StrCat(link.connection.Describe(),
                                                  ": ", status.message())),
         ReconnectReason::kUnresponsive, /*timed_out=*/true);
  }
}

template <typename Session>
void ServerSet<Session>::SetDeadline(LinkType& link, absl::Time deadline) {
  if (link.deadline == deadline) return;
  deadlines_.Remove(link.deadline, &link);
  link.deadline = deadline;
  deadlines_.Add(deadline, &link);
}

template <typename Session>
void ServerSet<Session>::UpdateDeadline(LinkType& link) {
  if (link.lost) return SetDeadline(link, absl::InfiniteFuture());
  if (!link.up()) {
    return SetDeadline(link, link.connecting_since + options_.connect_timeout);
  }
  absl::Time deadline = link.session->next_deadline();
  if (options_.retire_on_time && link.leaving == nullptr) {
    deadline = std::min(deadline, link.end_of_life);
  }
  SetDeadline(link, deadline);
}

// --- writing -----------------------------------------------------------------

template <typename Session>
void ServerSet<Session>::CountOutput(LinkType& link) {
  const size_t bytes = link.connection.output().held();
  output_bytes_ += bytes - std::exchange(link.output_counted, bytes);
}

template <typename Session>
void ServerSet<Session>::CountTraffic(LinkType& link) {
  if (link.server->metrics == nullptr) return;
  const uint64_t sent = link.connection.output().total_consumed();
  const uint64_t received = link.connection.bytes_received();
  link.server->metrics->sent_bytes.Add(sent -
                                       std::exchange(link.sent_counted, sent));
  link.server->metrics->received_bytes.Add(
      received - std::exchange(link.received_counted, received));
}

template <typename Session>
void ServerSet<Session>::Write(LinkType& link) {
  absl::Status status = link.connection.Flush();
  if (status.ok()) status = link.connection.UpdateInterest();
  CountTraffic(link);
  CountOutput(link);
  owner_->OnFlushed(link);
  if (!status.ok()) {
    Lose(link, std::move(status), ReconnectReason::kFailed);
  }
}

template <typename Session>
void ServerSet<Session>::Flush(absl::Time now) {
  // A link that is touched meanwhile is added at the end.
  for (size_t i = 0; i < touched_.size(); ++i) {
    LinkType* const link = touched_[i];
    if (link == nullptr) continue;
    ++looks_;
    link->touched = false;
    if (link->lost) continue;
    if (link->connection.TakeProgress()) link->session->OnProgress(now);
    link->session->Settle(now);
    const bool may_end = link->leaving != nullptr && link->session->MayEnd(now);
    Write(*link);
    UpdateDeadline(*link);
    // Output of a link that is not connected has no meaning to its server.
    const bool written = !link->up() || link->connection.output().empty();
    if (may_end && written && !link->lost) CloseQuietly(*link, link->leaving);
  }
  touched_.clear();
}

// --- the end of connections --------------------------------------------------

template <typename Session>
void ServerSet<Session>::Lose(LinkType& link, absl::Status status,
                              ReconnectReason reason, bool timed_out) {
  if (std::exchange(link.lost, true)) return;
  link.in_lost = true;
  lost_.push_back({&link, std::move(status), reason, timed_out});
}

template <typename Session>
std::optional<LostLink<Session>> ServerSet<Session>::TakeLost() {
  while (!lost_.empty()) {
    Lost lost = std::move(lost_.front());
    lost_.pop_front();
    if (lost.link == nullptr) continue;
    lost.link->in_lost = false;
    return lost;
  }
  return std::nullopt;
}

template <typename Session>
std::unique_ptr<Link<Session>> ServerSet<Session>::Close(
    const Lost& lost, absl::string_view note) {
  const ServerType& server = *lost.link->server;
  options_.logger.Log(LogLevel::kWarning, server.LostText(lost.status), note);
  if (server.metrics != nullptr) server.metrics->Reconnected(lost.reason);
  return TakeOut(*lost.link);
}

template <typename Session>
std::unique_ptr<Link<Session>> ServerSet<Session>::CloseQuietly(
    LinkType& link, absl::string_view why) {
  options_.logger.Log(LogLevel::kInfo, "closed the connection to ",
                      link.server->name, ": ", why);
  return TakeOut(link);
}

template <typename Session>
std::unique_ptr<Link<Session>> ServerSet<Session>::TakeOut(LinkType& link) {
  ++health_version_;
  CountTraffic(link);
  owner_->OnClosing(link);
  if (link.up()) {
    --connected_;
    if (link.server->metrics != nullptr) link.server->metrics->up.Add(-1);
  }
  output_bytes_ -= std::exchange(link.output_counted, 0);
  SetDeadline(link, absl::InfiniteFuture());
  if (link.touched) touched_[link.touched_place] = nullptr;
  if (link.in_lost) {
    for (Lost& lost : lost_) {
      if (lost.link == &link) lost.link = nullptr;
    }
  }
  if (link.server->link == &link) link.server->link = nullptr;
  by_key_.erase(link.connection.key());
  std::swap(links_[link.place], links_.back());
  links_[link.place]->place = link.place;
  std::unique_ptr<LinkType> taken = std::move(links_.back());
  links_.pop_back();
  taken->connection.Close();
  return taken;
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_SERVER_SET_IMPL_H_
