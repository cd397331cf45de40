// ServerPool: the servers of a client, and to each at most one connection with
// its session. Makes connections, moves bytes, knows which server is in what
// state; what an event means is the session's business, what a loss means the
// core's.
//
// A server has one number for ever: requests remember theirs. One that was
// removed gets nothing new, finishes what it has, and keeps its number; added
// again, it gets that one back if its old connection has ended. That is also
// how a connection that has become too old is replaced: its server is removed
// and added again. The link of a server that was removed and has no connection
// is used for another one, which gets another number; of so many (kMaxFormer)
// that have lost their link so the address is remembered.
//
// An event of one connection costs the same however many servers there
// are; so does a timer, but for a logarithm. Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_SERVER_POOL_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_SERVER_POOL_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/client/client_session.h"
#include "gearman/sdk/internal/client/deadline_queue.h"
#include "gearman/sdk/internal/client/tried_servers.h"
#include "gearman/sdk/internal/connection.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/reconnect_delay.h"
#include "gearman/sdk/reconnect_options.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

struct ServerLink {
  int number = 0;
  std::string name;  // the address as configured, in canonical form
  Address address;
  // Both null, or neither.
  std::unique_ptr<Connection<wire::ToClient>> connection;
  std::unique_ptr<ClientSession> session;
  ServerMetrics* metrics = nullptr;  // null: nothing is counted

  // Counts connections: keys of an earlier one are not mistaken for this one's.
  uint32_t generation = 0;
  // Not one of the client's servers any more.
  bool removed = false;
  // In the pool's list of removed ones without a connection.
  bool vacant = false;
  // The circuit breaker: failures without an answer between them, the last one,
  // and until when the server is avoided after it.
  int failures = 0;
  absl::Status last_error;
  absl::Time avoid_until = absl::InfinitePast();
  ReconnectDelay delay;
  // Something was appended or read since the last Flush.
  bool dirty = false;
  absl::Time connecting_since;
  // While connecting: when that is given up. While replies are due: when the
  // server is taken for dead. While jobs run only: when to ask for a sign of
  // life (`heartbeat_next`). Only the pool's SetDeadline changes it.
  absl::Time deadline = absl::InfiniteFuture();
  bool heartbeat_next = false;
  // A heartbeat was sent then, and is not answered; else InfinitePast.
  absl::Time heartbeat_sent = absl::InfinitePast();
  // When something last came, or it was connected.
  absl::Time last_received = absl::InfinitePast();
  // When the connection is too old to be given anything more.
  absl::Time end_of_life = absl::InfiniteFuture();
  uint64_t replies_seen = 0;
  uint64_t sent_counted = 0;
  uint64_t received_counted = 0;
  // Bytes to be written, as the pool has counted them.
  size_t output_counted = 0;
};

// A connection that came to its end.
struct LostLink {
  int server;
  absl::Status status;
  // It had never been connected.
  bool connecting;
  ReconnectReason reason;
  // A time limit of ours ended it.
  bool timed_out = false;
  // The client needs it no longer: nothing is lost, and nothing failed.
  bool intended = false;
};

class ServerPool {
 public:
  struct Options {
    std::string task_prefix;
    bool exceptions = true;
    absl::Duration connect_timeout;
    absl::Duration reply_timeout;
    absl::Duration heartbeat_interval;
    ReconnectOptions reconnect;
    ConnectionOptions connection;
    std::shared_ptr<TransportRegistry> transports;
    std::shared_ptr<ServerSelector> selector;
    Metrics* metrics = nullptr;
    Logger logger;
  };

  // Events of `session`, in order.
  using OnEvent =
      absl::FunctionRef<absl::Status(ServerLink& link, wire::ToClient& event)>;

  // `poller` and `random` outlive this.
  ServerPool(std::vector<Address> servers, Options options, Poller* poller,
             std::mt19937_64* random);
  ServerPool(const ServerPool&) = delete;
  ServerPool& operator=(const ServerPool&) = delete;

  // Links at once, removed ones that have jobs included.
  static constexpr size_t kMaxLinks = 1 << 16;
  static constexpr size_t kMaxFormer = 10000;

  // Of a server that has its link: those of servers(), those with a connection,
  // what Add, Choose and Renewed return.
  ServerLink& link(int server) { return links_[LinkOf(server)]; }
  const ServerLink& link(int server) const { return links_[LinkOf(server)]; }
  bool has_link(int server) const {
    return LinkOf(server) < links_.size() && link(server).number == server;
  }
  // How many there are, used or not.
  size_t link_count() const { return links_.size(); }
  // The address of a server that has its link, or had it; empty: forgotten.
  std::string Name(int server) const;
  // Those that were not removed, in the order in which they came.
  absl::Span<const int> servers() const { return servers_; }
  // The one of these with that address, or -1.
  int Find(absl::string_view address) const;
  // The one that can be asked about a job at that address: one of these, or a
  // removed one whose connection lives. INVALID_ARGUMENT: it was never one of
  // these; FAILED_PRECONDITION: it was removed.
  absl::StatusOr<int> FindToAsk(absl::string_view address) const;
  // Why a removed server without a connection can't be asked.
  static absl::Status RemovedError(absl::string_view name);
  // Adds a server, which is none of them. Returns its number, or -1: there are
  // kMaxLinks.
  int Add(const Address& address);
  // Gives a server, which is not the last of them, nothing more.
  void Remove(int server);
  std::vector<ServerHealth> health() const;

  // The server for the next attempt of a request, whose attempts have failed at
  // `tried` (null: none has). All attempts of a request together cost O(servers
  // + attempts).
  int Choose(const SelectionQuery& query, TriedServers* tried, absl::Time now);
  // What is to be used instead of `server`: the same, unless its connection is
  // too old, or has been and was replaced; or the server was removed, and was
  // added again, or lost its link. -1: it is forgotten.
  int Renewed(int server, absl::Time now);
  // Makes sure that there is a connection, being made at least: commands may
  // be given to its session. Errors as TransportFactory::Create and
  // Transport::Connect.
  absl::Status Open(int server, absl::Time now);
  // Perhaps nobody has read from the connection for a while, as it is idle, or
  // its time has passed: do so (OnReady, then OnTime) before it is used, as the
  // server may have closed it.
  bool NeedsLook(int server, absl::Time now) const;
  // Closes an idle connection that was quiet for longer than the heartbeat
  // interval: what is sent into it might get lost.
  void CloseIfStale(int server, absl::Time now);

  // Handles a ready key: connects, or reads and puts events out. OK also for a
  // key of a connection that is gone. Otherwise the link is lost.
  void OnReady(Poller::Key key, absl::Time now, OnEvent on_event,
               std::vector<LostLink>* lost);
  // Finds the links whose time has come; or looks at one.
  void OnTime(absl::Time now, std::vector<LostLink>* lost);
  void OnTime(int server, absl::Time now, std::vector<LostLink>* lost);
  // Writes what the dirty links have to write, and tells the poller what they
  // wait for.
  void Flush(absl::Time now, std::vector<LostLink>* lost);
  void MarkDirty(int server);
  bool dirty() const { return !dirty_.empty(); }
  // Closes a lost link; its operations come out as orphans.
  void Close(const LostLink& lost, absl::Time now,
             std::vector<Orphan>* orphans);
  // Closes everything.
  void CloseAll();

  // When OnTime must be called at the latest.
  absl::Time next_deadline() const { return deadlines_.next(); }
  // Of all connections, for OnReady.
  std::vector<Poller::Key> keys() const;
  // Bytes waiting to be written.
  size_t output_bytes() const { return output_bytes_; }
  // Something waits to be written, or for a connection.
  bool has_output() const { return output_bytes_ > 0; }

 private:
  // A number is that of a link, and above it how often the link has been given
  // to another server.
  static constexpr int kLinkBits = 16;
  static constexpr int kMaxTurns = (1 << (31 - kLinkBits)) - 1;
  static size_t LinkOf(int server) {
    return static_cast<size_t>(server) & (kMaxLinks - 1);
  }
  int FindName(absl::string_view name) const;
  // The number of one of servers(), not of a link that is used for another one.
  bool IsOne(int server) const {
    return has_link(server) && !link(server).removed;
  }

  // Choosing, in pool_choice.cc.
  ServerCandidate CandidateOf(const ServerLink& link, const TriedServers* tried,
                              TriedServers::Past past, absl::Time now) const;
  // The place of the one that the selector takes.
  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates);
  int ChooseFromAll(const SelectionQuery& query, const TriedServers* tried,
                    absl::Time now);
  int ChooseFromPlan(const SelectionQuery& query, TriedServers* tried,
                     absl::Time now);
  // Makes the plan of those that are to be tried next.
  void BeginRound(TriedServers* tried) const;
  void FillWindow(TriedServers* tried, absl::Time now) const;

  // A link for a server: the one that it had, one that nobody needs, or a new
  // one. Null: there are kMaxLinks.
  ServerLink* TakeLink(const Address& address);
  // Gives the link of another server to this one.
  void Reuse(ServerLink& link, const Address& address);
  void SetRemoved(ServerLink& link, bool removed);
  // After a link has been removed or added, or its connection made or closed.
  void UpdateVacant(ServerLink& link);
  void SetAddress(ServerLink& link, const Address& address);

  absl::Status Connect(int server, absl::Time now);
  void AfterConnect(ServerLink& link, absl::Time now);
  void UpdateDeadline(ServerLink& link, absl::Time now);
  void SetDeadline(ServerLink& link, absl::Time deadline);
  // Counts what it has to write.
  void CountOutput(ServerLink& link);
  void Count(ServerLink& link);
  // A server failed: avoids it for a while, for longer each time.
  void OnFailure(ServerLink& link, const absl::Status& status, absl::Time now);
  void OnAnswer(ServerLink& link);
  // The breaker is open, and this is not the request that may try it.
  bool IsBroken(const ServerLink& link, absl::Time now) const;
  // Ends the connection's objects, after they have been counted.
  void Drop(ServerLink& link);
  void CloseQuietly(int server, absl::string_view why, absl::Time now);

  const Options options_;
  Poller* const poller_;
  std::mt19937_64* const random_;
  std::deque<ServerLink> links_;  // a deque: they stay where they are
  std::vector<int> servers_;
  absl::flat_hash_map<std::string, int> by_name_;  // these, by address
  uint64_t version_ = 0;                           // counts changes of these
  // Links of removed servers without a connection: by address, and those that
  // may be given to another one.
  absl::flat_hash_map<std::string, std::vector<int>> vacant_;
  std::set<size_t> reusable_;
  std::vector<int> dirty_;
  DeadlineQueue<ServerLink> deadlines_;
  size_t output_bytes_ = 0;
  // Servers that have lost their link, in that order.
  absl::flat_hash_map<int, Address> former_;
  std::deque<int> former_order_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_SERVER_POOL_H_
