#include "gearman/sdk/internal/admin/admin_group.h"

#include <utility>

namespace gearman {
namespace internal {

AdminGroup::AdminGroup(Options options, Poller* poller, OnAnswer on_answer)
    : options_(std::move(options)),
      poller_(poller),
      on_answer_(std::move(on_answer)) {
  const size_t count = options_.servers.size();
  for (size_t i = 0; i < count; ++i) {
    AdminLink::Options link;
    link.server = options_.servers[i];
    link.limits.one_at_a_time = true;
    link.transports = options_.transports;
    link.logger = options_.logger;
    // The remainder of a key, divided by the count, is the server's index.
    link.first_key = count + i;
    link.key_step = count;
    servers_.push_back(std::make_unique<Server>(i, std::move(link), poller_));
    due_.Add(servers_.back()->due, servers_.back().get());
  }
}

void AdminGroup::AskAll() {
  for (const auto& server : servers_) {
    server->awaited = true;
    if (server->asking) {
      server->again = true;
    } else {
      SetDue(*server, absl::InfinitePast());
    }
  }
  awaited_ = servers_.size();
}

absl::Time AdminGroup::GoOn(const std::vector<Poller::Key>& ready) {
  for (const Poller::Key key : ready) {
    Server& server = *servers_[key % servers_.size()];
    if (server.asking) {
      Continue(server);
    } else {
      // A connection whose server has closed it would stay ready.
      server.link.CheckIdle();
    }
  }
  const absl::Time now = poller_->clock()->Now();
  while (Server* const server = due_.Due(now)) {
    if (server->asking) {
      absl::Status late =
          server->link.TooLate(server->link.missing(), options_.timeout);
      server->link.GiveUp();
      End(*server, std::move(late));
    } else {
      Begin(*server);
    }
  }
  return due_.next();
}

void AdminGroup::Close() {
  for (const auto& server : servers_) server->link.GiveUp();
}

void AdminGroup::SetDue(Server& server, absl::Time due) {
  due_.Remove(server.due, &server);
  server.due = due;
  due_.Add(due, &server);
}

void AdminGroup::Begin(Server& server) {
  server.asking = true;
  SetDue(server, poller_->clock()->Now() + options_.timeout);
  server.link.Begin(options_.question, /*is_question=*/true);
  Continue(server);
}

void AdminGroup::Continue(Server& server) {
  AdminLink::Answer answer = server.link.GoOn();
  if (answer.has_value()) End(server, *std::move(answer));
}

void AdminGroup::End(Server& server, absl::StatusOr<admin::Reply> reply) {
  server.asking = false;
  const bool again = std::exchange(server.again, false);
  const bool asked_now = server.awaited && !again;
  if (asked_now) {
    server.awaited = false;
    --awaited_;
  }
  SetDue(server, again ? absl::InfinitePast()
                       : poller_->clock()->Now() + options_.interval);
  on_answer_({server.index, asked_now, std::move(reply)});
}

}  // namespace internal
}  // namespace gearman
