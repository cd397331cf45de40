// AdminGroup asks many job servers one question, again and again, on one
// poller. Each server is asked by itself: one that does not answer delays no
// other. No function waits. Not thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_GROUP_H_
#define GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_GROUP_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/admin/reply_decoder.h"
#include "gearman/sdk/internal/admin/admin_link.h"
#include "gearman/sdk/internal/net/deadline_queue.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

class AdminGroup {
 public:
  struct Options {
    std::vector<Address> servers;  // not empty
    admin::Command question;       // without views
    std::shared_ptr<TransportRegistry> transports;
    Logger logger;            // of the links
    absl::Duration timeout;   // of one question, with its connection
    absl::Duration interval;  // from an answer to the server's next question
  };
  struct Answer {
    size_t server;   // its index
    bool asked_now;  // AskAll has asked for this answer
    absl::StatusOr<admin::Reply> reply;
  };
  using OnAnswer = std::function<void(const Answer& answer)>;

  // The first GoOn asks all servers. The group alone uses `poller`, which must
  // outlive it.
  AdminGroup(Options options, Poller* poller, OnAnswer on_answer);
  AdminGroup(const AdminGroup&) = delete;
  AdminGroup& operator=(const AdminGroup&) = delete;

  size_t size() const { return servers_.size(); }
  // The address of a server.
  const std::string& server(size_t index) const {
    return servers_[index]->link.server();
  }

  // Asks all servers with the next GoOn. A server whose question is under way
  // is asked again when that has ended.
  void AskAll();
  // True if each server has answered what AskAll asked, or has failed.
  bool answered() const { return awaited_ == 0; }

  // Goes on with the questions of the keys that are `ready`, ends those that
  // take too long, and begins those that are due. Calls `on_answer` for each
  // that has ended. The caller holds no lock. Returns the time at which to call
  // it again if no key is ready before.
  absl::Time GoOn(const std::vector<Poller::Key>& ready);
  // Closes every connection, without an answer to its question.
  void Close();

 private:
  struct Server {
    Server(size_t server_index, AdminLink::Options options, Poller* poller)
        : index(server_index), link(std::move(options), poller) {}

    const size_t index;
    AdminLink link;
    bool asking = false;   // a question is under way
    bool again = false;    // AskAll was called meanwhile
    bool awaited = false;  // AskAll waits for an answer
    // The end of the question that is under way, or the time of the next one.
    absl::Time due = absl::InfinitePast();
  };
  struct ByIndex {
    bool operator()(const Server* a, const Server* b) const {
      return a->index < b->index;
    }
  };

  void SetDue(Server& server, absl::Time due);
  void Begin(Server& server);
  void Continue(Server& server);
  void End(Server& server, absl::StatusOr<admin::Reply> reply);

  const Options options_;
  Poller* const poller_;
  const OnAnswer on_answer_;
  std::vector<std::unique_ptr<Server>> servers_;
  DeadlineQueue<Server, ByIndex> due_;
  size_t awaited_ = 0;  // the number of servers with `awaited`
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_GROUP_H_
