// ServerSet holds the servers of a client or worker and the connections to
// them. It makes and closes connections, moves bytes, keeps time, and knows
// which servers there are. A Session (link.h) gives packets a meaning, and the
// owner of the set decides when a server gets a connection and what a loss
// means.
//
// A turn of the owner:
//
//   OnReady for each ready key, OnTime     events reach the sessions
//   ... commands for sessions, and Touch for the links of those sessions ...
//   Flush                                  touched links settle and write
//   TakeLost, Close, until there is none   links that have ended are closed
//
// server_set_impl.h has the definitions, which the code of each kind of session
// instantiates. Nothing here walks over all links but CloseAll and links(). An
// event of one connection costs the same for any number of servers, and a timer
// costs O(log n). Not thread-safe: the owner guards it.
#ifndef GEARMAN_SDK_INTERNAL_NET_SERVER_SET_H_
#define GEARMAN_SDK_INTERNAL_NET_SERVER_SET_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/connection.h"
#include "gearman/sdk/internal/net/deadline_queue.h"
#include "gearman/sdk/internal/net/link.h"
#include "gearman/sdk/internal/net/server.h"
#include "gearman/sdk/internal/net/server_list.h"
#include "gearman/sdk/log.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

struct ServerSetOptions {
  absl::Duration connect_timeout;
  ReconnectOptions reconnect;
  wire::DecoderOptions decoder;
  ConnectionOptions connection;
  // OnTime retires a link at the end of its life. If false, the owner does so
  // when it next uses the link.
  bool retire_on_time = false;
  // The number of removed servers that are remembered, beside those that
  // something refers to.
  size_t max_removed = 10000;
  std::shared_ptr<TransportRegistry> transports;
  Metrics* metrics = nullptr;  // null: nothing is counted
  Logger logger;
};

template <typename Session>
class ServerSet {
 public:
  using ServerType = ServerOf<Session>;
  using Ptr = ServerPtr<Session>;
  using LinkType = Link<Session>;
  using Lost = LostLink<Session>;

  // The owner's part.
  class Owner {
   public:
    virtual ~Owner() = default;
    // Makes the session of a new link. `output` outlives it.
    virtual std::unique_ptr<Session> MakeSession(
        LinkType& link, wire::OutputBuffer* output) = 0;
    // The output of a link was written, as far as its stream took it.
    virtual void OnFlushed(LinkType& link) { static_cast<void>(link); }
    // The link is about to be closed, for whatever reason.
    virtual void OnClosing(LinkType& link) { static_cast<void>(link); }
    // OnTime has retired a link at the end of its life.
    virtual void OnRetired(LinkType& link) { static_cast<void>(link); }
  };

  // `poller`, `random` and `owner` must outlive the set.
  ServerSet(ServerSetOptions options, Poller* poller, std::mt19937_64* random,
            Owner* owner)
      : options_(std::move(options)),
        poller_(poller),
        random_(random),
        owner_(owner) {}
  ServerSet(const ServerSet&) = delete;
  ServerSet& operator=(const ServerSet&) = delete;
  // An owner that is destroyed before the set, such as a derived class, must
  // call CloseAll in its own destructor.
  ~ServerSet() { CloseAll(); }

  const ServerSetOptions& options() const { return options_; }
  std::mt19937_64* random() const { return random_; }

  // --- the servers -----------------------------------------------------------
  // The servers that were not removed, in the order in which they were added.
  absl::Span<const Ptr> servers() const { return servers_; }
  // Changes whenever servers() does.
  uint64_t version() const { return version_; }
  // The server of this name, among servers() or removed and not forgotten. Null
  // if there is none.
  Ptr Find(absl::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  // Adds a server that is not in servers(). Returns null if there are
  // kMaxServers.
  Ptr Add(const Address& address);
  // Removes a server. Its link gets nothing new.
  void Remove(Ptr server);
  // Makes one more object for the server of this address, for an owner that
  // keeps several connections to it. It is not in servers(), and Find does not
  // find it.
  Ptr AddBeside(const Address& address);
  // Removes such an object. Its link gets nothing new. `why` must be a literal.
  void RemoveBeside(ServerType& server, const char* why) { Leave(server, why); }

  // --- connections -----------------------------------------------------------
  // Begins to connect to a server without a link. Its session then takes
  // commands. Returns errors of TransportFactory::Create and
  // Transport::Connect; the server then has no link.
  absl::Status Connect(const Ptr& server, absl::Time now);
  // Closes the link as soon as it may end. The server's next link is a new one.
  // `why` must be a literal.
  void Retire(LinkType& link, const char* why);

  // Handles a ready key: connects, or reads and calls `on_event` for each
  // event. A key of a connection that is gone is ignored.
  using OnEvent = absl::FunctionRef<absl::Status(
      LinkType& link, typename Session::Receiver& event)>;
  void OnReady(Poller::Key key, absl::Time now, OnEvent on_event) {
    LinkType* const link = FindLink(key);
    if (link != nullptr) Read(*link, now, on_event);
  }
  // The link with this key, or null.
  LinkType* FindLink(Poller::Key key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : found->second;
  }
  // OnReady for the key of `link`.
  void Read(LinkType& link, absl::Time now, OnEvent on_event);
  // Handles every link whose deadline has passed, or this one if its has. A
  // link that is handled has no deadline until Flush.
  void OnTime(absl::Time now) {
    while (LinkType* const link = deadlines_.Due(now)) OnTime(*link, now);
  }
  void OnTime(LinkType& link, absl::Time now);
  // Calls `function(LinkType&)` for each link whose deadline has passed. It may
  // touch links, and change no deadline.
  template <typename Function>
  void ForEachDue(absl::Time now, Function&& function) {
    deadlines_.ForEachDue(now, function);
  }
  // Call it after a command for the link's session.
  void Touch(LinkType& link) {
    CountOutput(link);
    if (link.touched) return;
    link.touched = true;
    link.touched_place = touched_.size();
    touched_.push_back(&link);
  }
  // Lets the sessions of touched links settle, writes their output, tells the
  // poller which readiness they wait for, and closes retired links that may
  // end.
  void Flush(absl::Time now);
  // Writes the output of one link.
  void Write(LinkType& link);
  bool has_touched() const { return !touched_.empty(); }
  // Calls `function(LinkType&)` for each link that was touched since the last
  // Flush. It must not touch others.
  template <typename Function>
  void ForEachTouched(Function&& function) {
    for (LinkType* const link : touched_) {
      if (link == nullptr) continue;
      ++looks_;
      function(*link);
    }
  }

  // --- the end of connections ------------------------------------------------
  // Adds a link to the lost ones, once.
  void Lose(LinkType& link, absl::Status status, ReconnectReason reason,
            bool timed_out = false);
  bool has_lost() const { return !lost_.empty(); }
  // Takes one of the lost links, which the caller must close.
  std::optional<Lost> TakeLost();
  // Closes a lost link. `note` is added to the line in the log. The caller may
  // look at what the session had.
  std::unique_ptr<LinkType> Close(const Lost& lost,
                                  absl::string_view note = "");
  // Closes a link that is not needed any more.
  std::unique_ptr<LinkType> CloseQuietly(LinkType& link, absl::string_view why);
  void CloseAll() {
    while (!links_.empty()) TakeOut(*links_.back());
  }

  // --- connecting again ------------------------------------------------------
  // For an owner that keeps connections to all servers: puts a server without a
  // link into the queue for its retry_at.
  void AwaitRetry(ServerType& server) { QueueRetry(server, server.retry_at); }
  // Takes a server out of that queue, if it is due; else returns null.
  Ptr PopRetry(absl::Time now) {
    ServerType* const server = retries_.Pop(now);
    if (server == nullptr) return nullptr;
    server->queued_for = absl::InfiniteFuture();
    return Ptr::Share(server);
  }

  // --- what there is ---------------------------------------------------------
  // The next time at which OnTime or PopRetry has something to do.
  absl::Time next_deadline() const {
    return std::min(deadlines_.next(), retries_.next());
  }
  // All links, in no order that means anything.
  absl::Span<const std::unique_ptr<LinkType>> links() const { return links_; }
  // Changes whenever the state of a server may have changed.
  uint64_t health_version() const { return health_version_; }
  // The number of links that are connected.
  size_t connected() const { return connected_; }
  // The number of bytes that are held until they are written. Of a body from a
  // source only the part that was read counts.
  size_t output_bytes() const { return output_bytes_; }
  // How often an event, a timer, Flush or ForEachTouched has looked at a link.
  // Tests read it.
  uint64_t looks() const { return looks_; }

 private:
  // The order in which links were made and servers were added. Runs with one
  // seed must not depend on addresses.
  struct MadeBefore {
    bool operator()(const LinkType* a, const LinkType* b) const {
      return a->connection.key() < b->connection.key();
    }
    bool operator()(const ServerType* a, const ServerType* b) const {
      return a->number < b->number;
    }
  };

  // Makes the object of a server.
  Ptr MakeServer(const Address& address, const std::string& name);
  // Makes a removed server wait for nothing, and its link for its end. Returns
  // that link, or null.
  LinkType* Leave(ServerType& server, const char* why);
  void AfterConnect(LinkType& link, absl::Time now);
  static void CountRefusal(const ServerType& server) {
    if (server.metrics == nullptr) return;
    server.metrics->Reconnected(ReconnectReason::kConnectFailed);
  }
  // The first step of connecting, and the next ones.
  absl::Status ContinueConnect(LinkType& link, absl::Time now);
  void SetDeadline(LinkType& link, absl::Time deadline);
  // Puts the server at this time into the queue. InfiniteFuture: takes it out.
  void QueueRetry(ServerType& server, absl::Time time) {
    retries_.Remove(server.queued_for, &server);
    server.queued_for = time;
    retries_.Add(time, &server);
  }
  // Sets the deadline to the next moment at which something is due.
  void UpdateDeadline(LinkType& link);
  // Counts the link's output into output_bytes_, and its traffic into the
  // metrics.
  void CountOutput(LinkType& link);
  void CountTraffic(LinkType& link);
  // Takes the link out of everything, and closes its connection.
  std::unique_ptr<LinkType> TakeOut(LinkType& link);
  // Forgets the oldest removed servers beyond max_removed that nothing refers
  // to. O(1): it looks at two at most.
  void ForgetRemoved();

  const ServerSetOptions options_;
  Poller* const poller_;
  std::mt19937_64* const random_;
  Owner* const owner_;

  std::vector<Ptr> servers_;
  absl::flat_hash_map<std::string, Ptr> by_name_;
  uint64_t last_number_ = 0;
  uint64_t version_ = 0;
  uint64_t health_version_ = 1;
  std::deque<Ptr> removed_;  // in the order in which they were removed

  std::vector<std::unique_ptr<LinkType>> links_;
  absl::flat_hash_map<Poller::Key, LinkType*> by_key_;
  Poller::Key last_key_ = 0;
  DeadlineQueue<LinkType, MadeBefore> deadlines_;
  DeadlineQueue<ServerType, MadeBefore> retries_;
  std::vector<LinkType*> touched_;  // null: closed since
  std::deque<Lost> lost_;           // in the order in which they were lost
  size_t connected_ = 0;
  size_t output_bytes_ = 0;
  uint64_t looks_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NET_SERVER_SET_H_
