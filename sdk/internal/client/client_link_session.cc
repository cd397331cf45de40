#include "gearman/sdk/internal/client/client_link_session.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace gearman {
namespace internal {

ClientLinkSession::ClientLinkSession(const Options* options,
                                     wire::OutputBuffer* output,
                                     ClientLink* link,
                                     std::function<void()> on_unused)
    : ClientSession(options->sink, output, options->task_prefix,
                    std::move(on_unused)),
      options_(*options),
      link_(*link) {
  // The connection does not outlive its session by an event.
  link->connection.decoder().set_passes_in_pieces(
      [this](const wire::CommandInfo& info, absl::string_view handle) {
        return PassesInPieces(info, handle);
      });
  if (options_.exceptions) AskForExceptions();
}

void ClientLinkSession::OnConnected(absl::Time now) { last_received_ = now; }

bool ClientLinkSession::OnReceived(absl::Time now) {
  last_received_ = now;
  // If several replies are due, the heartbeat's may be a later one. All come
  // soon.
  if (heartbeat_sent_ != absl::InfinitePast()) {
    if (link_.server->metrics != nullptr) {
      link_.server->metrics->heartbeat_rtt.Observe(now - heartbeat_sent_);
    }
    heartbeat_sent_ = absl::InfinitePast();
  }
  Settle(now);
  return true;
}

void ClientLinkSession::OnProgress(absl::Time now) {
  if (due_ == Due::kReply) deadline_ = now + options_.reply_timeout;
}

void ClientLinkSession::Settle(absl::Time now) {
  if (replies_due() > 0) {
    // Each reply gives the next one its time.
    if (due_ != Due::kReply || replies_seen_ != replies_received()) {
      deadline_ = now + options_.reply_timeout;
    }
    due_ = Due::kReply;
  } else if (jobs_awaited() > 0) {
    due_ = Due::kHeartbeat;
    deadline_ = last_received_ + options_.heartbeat_interval;
  } else {
    due_ = Due::kNothing;
    deadline_ = absl::InfiniteFuture();
  }
  replies_seen_ = replies_received();
}

absl::Status ClientLinkSession::OnTime(absl::Time now) {
  // A command that was given since the deadline was set takes the place of a
  // heartbeat.
  Settle(now);
  if (deadline_ > now) return absl::OkStatus();
  if (due_ == Due::kHeartbeat) {
    heartbeat_sent_ = now;
    SendHeartbeat();
    return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat(
      "no answer within ", absl::FormatDuration(options_.reply_timeout),
      " (reply_timeout): taken for dead", hint()));
}

}  // namespace internal
}  // namespace gearman
