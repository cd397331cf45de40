// ServerPool holds the servers of a client. Each server has at most one
// connection, with its session. The pool makes connections, moves bytes, and
// knows the state of each server. The session decides what an event means; the
// core decides what a loss means.
//
// Each server has a number, which requests keep. A removed server gets nothing
// new, finishes what it has, and keeps its number. If it is added again after
// its old connection has ended, it gets that number back. A connection that is
// too old is replaced in this way: its server is removed and added again. When
// a removed server has no connection, its link may be given to another server,
// which gets another number. The pool keeps the addresses of the last
// kMaxFormer servers that lost their link so.
//
// An event of one connection costs the same for any number of servers, and a
// timer costs O(log n). Guarded by the client's lock.
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
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/client/client_session.h"
#include "gearman/sdk/internal/client/tried_servers.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/connection.h"
#include "gearman/sdk/internal/net/deadline_queue.h"
#include "gearman/sdk/internal/net/reconnect_delay.h"
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
  // Either both are null or neither is.
  std::unique_ptr<Connection<wire::Decoder<wire::ToClient>>> connection;
  std::unique_ptr<ClientSession> session;
  ServerMetrics* metrics = nullptr;  // null: nothing is counted

  // Counts connections, so that the key of an earlier one is not taken for this
  // one's.
  uint32_t generation = 0;
  // The server is not one of the client's servers any more.
  bool removed = false;
  // The link is in the pool's list of removed servers without a connection.
  bool vacant = false;
  // The circuit breaker: the number of failures without an answer in between,
  // the last failure, and until when the server is avoided.
  int failures = 0;
  absl::Status last_error;
  absl::Time avoid_until = absl::InfinitePast();
  ReconnectDelay delay;
  // Bytes were appended or read since the last Flush.
  bool dirty = false;
  absl::Time connecting_since;
  // While connecting: when the attempt is given up. While replies are due: when
  // the server is taken for dead. While only jobs run (`heartbeat_next`): when
  // to ask for a sign of life. Only ServerPool::SetDeadline changes it.
  absl::Time deadline = absl::InfiniteFuture();
  bool heartbeat_next = false;
  // When an unanswered heartbeat was sent; else InfinitePast.
  absl::Time heartbeat_sent = absl::InfinitePast();
  // When bytes last came, or the connection was made.
  absl::Time last_received = absl::InfinitePast();
  // When the connection is too old to be given anything more.
  absl::Time end_of_life = absl::InfiniteFuture();
  uint64_t replies_seen = 0;
  uint64_t sent_counted = 0;
  uint64_t received_counted = 0;
  // The bytes to be written, as last counted into output_bytes_.
  size_t output_counted = 0;
};

// A connection that has ended.
struct LostLink {
  int server;
  absl::Status status;
  // It was never connected.
  bool connecting;
  ReconnectReason reason;
  // A time limit of the client ended it.
  bool timed_out = false;
  // The client does not need it any more. Nothing is lost, and nothing failed.
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
    wire::DecoderOptions decoder;
    ConnectionOptions connection;
    std::shared_ptr<TransportRegistry> transports;
    std::shared_ptr<ServerSelector> selector;
    Metrics* metrics = nullptr;
    Logger logger;
  };

  // Called for each event of `link`, in order.
  using OnEvent =
      absl::FunctionRef<absl::Status(ServerLink& link, wire::ToClient& event)>;

  // `poller` and `random` must outlive the pool.
  ServerPool(std::vector<Address> servers, Options options, Poller* poller,
             std::mt19937_64* random);
  ServerPool(const ServerPool&) = delete;
  ServerPool& operator=(const ServerPool&) = delete;

  // The most links at one time, including removed ones that have jobs.
  static constexpr size_t kMaxLinks = 1 << 16;
  static constexpr size_t kMaxFormer = 10000;

  // The link of a server that has one. Each of servers() has a link, and so has
  // each server with a connection, and each that Add, Choose or Renewed has
  // returned.
  ServerLink& link(int server) { return links_[LinkOf(server)]; }
  const ServerLink& link(int server) const { return links_[LinkOf(server)]; }
  bool has_link(int server) const {
    return LinkOf(server) < links_.size() && link(server).number == server;
  }
  // The number of links, used or not.
  size_t link_count() const { return links_.size(); }
  // The address of a server that has, or had, a link. Empty: it is forgotten.
  std::string Name(int server) const;
  // The servers that were not removed, in the order in which they were added.
  absl::Span<const int> servers() const { return servers_; }
  // The server with that address among servers(), or -1.
  int Find(absl::string_view address) const;
  // The server that can be asked about a job at that address: one of servers(),
  // or a removed one whose connection lives. INVALID_ARGUMENT: the address
  // can't be parsed, or was never one of this client's servers.
  // FAILED_PRECONDITION: the server was removed.
  absl::StatusOr<int> FindToAsk(absl::string_view address) const;
  // The error for a removed server without a connection, which can't be asked.
  static absl::Status RemovedError(absl::string_view name);
  // Adds a server that is not in servers(). Returns its number, or -1 if there
  // are kMaxLinks links.
  int Add(const Address& address);
  // Removes a server, which gets nothing new. It must not be the last one.
  void Remove(int server);
  std::vector<ServerHealth> health() const;

  // Chooses the server for the next attempt of a request. `tried` are the
  // servers of its failed attempts (null: none has failed). All attempts of a
  // request together cost O(servers + attempts).
  int Choose(const SelectionQuery& query, TriedServers* tried, absl::Time now);
  // Returns the server to use in place of `server`. It is `server` itself,
  // unless its connection is too old or was replaced, or it was removed and
  // then added again or lost its link. -1: the server is forgotten, or there
  // are kMaxLinks links.
  int Renewed(int server, absl::Time now);
  // Makes sure that a connection exists or is being made. Its session then
  // takes commands. Returns errors of TransportFactory::Create and
  // Transport::Connect.
  absl::Status Open(int server, absl::Time now);
  // True if the owner must read from the connection (OnReady, then OnTime)
  // before it is used. It is idle or its deadline has passed, so the server may
  // have closed it.
  bool NeedsLook(int server, absl::Time now) const;
  // Closes an idle connection that was quiet for longer than the heartbeat
  // interval. A packet sent into it might be lost.
  void CloseIfStale(int server, absl::Time now);

  // Handles a ready key: connects, or reads and calls `on_event`. A key of a
  // connection that is gone is ignored. If the connection fails, it is added to
  // `lost`.
  void OnReady(Poller::Key key, absl::Time now, OnEvent on_event,
               std::vector<LostLink>* lost);
  // Handles every link whose deadline has passed, or that of `server`.
  void OnTime(absl::Time now, std::vector<LostLink>* lost);
  void OnTime(int server, absl::Time now, std::vector<LostLink>* lost);
  // Writes the output of the dirty links, and tells the poller which readiness
  // they wait for.
  void Flush(absl::Time now, std::vector<LostLink>* lost);
  void MarkDirty(int server);
  bool dirty() const { return !dirty_.empty(); }
  // Closes a lost link. Its operations are added to `orphans`.
  void Close(const LostLink& lost, absl::Time now,
             std::vector<Orphan>* orphans);
  // Closes all connections.
  void CloseAll();

  // The latest time at which OnTime must be called.
  absl::Time next_deadline() const { return deadlines_.next(); }
  // The keys of all connections, for OnReady.
  std::vector<Poller::Key> keys() const;
  // The number of bytes that wait to be written.
  size_t output_bytes() const { return output_bytes_; }
  // True if output waits for a write or for a connection.
  bool has_output() const { return output_bytes_ > 0; }

 private:
  // The low bits of a number are the index of a link. The high bits count how
  // often the link has been given to another server.
  static constexpr int kLinkBits = 16;
  static constexpr int kMaxTurns = (1 << (31 - kLinkBits)) - 1;
  static size_t LinkOf(int server) {
    return static_cast<size_t>(server) & (kMaxLinks - 1);
  }
  int FindName(absl::string_view name) const;
  // True if `server` is in servers(). Its link may be another server's by now.
  bool IsOne(int server) const {
    return has_link(server) && !link(server).removed;
  }

  // Choosing, in pool_choice.cc.
  ServerCandidate CandidateOf(const ServerLink& link, const TriedServers* tried,
                              TriedServers::Past past, absl::Time now) const;
  // Returns the index of the candidate that the selector takes.
  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates);
  int ChooseFromAll(const SelectionQuery& query, const TriedServers* tried,
                    absl::Time now);
  int ChooseFromPlan(const SelectionQuery& query, TriedServers* tried,
                     absl::Time now);
  // Makes the plan of the servers that are to be tried next.
  void BeginRound(TriedServers* tried) const;
  void FillWindow(TriedServers* tried, absl::Time now) const;

  // Returns a link for a server: the one that it had, one that no server needs,
  // or a new one. Null: there are kMaxLinks.
  ServerLink* TakeLink(const Address& address);
  // Gives the link of another server to the server with this address.
  void Reuse(ServerLink& link, const Address& address);
  void SetRemoved(ServerLink& link, bool removed);
  // Call it after a link was removed or added, or its connection made or
  // closed.
  void UpdateVacant(ServerLink& link);
  void SetAddress(ServerLink& link, const Address& address);

  absl::Status Connect(int server, absl::Time now);
  void AfterConnect(ServerLink& link, absl::Time now);
  void UpdateDeadline(ServerLink& link, absl::Time now);
  void SetDeadline(ServerLink& link, absl::Time deadline);
  // Adds the change in the link's output to output_bytes_.
  void CountOutput(ServerLink& link);
  void Count(ServerLink& link);
  // Counts a failure of a server. It is avoided for a while, each time longer.
  void OnFailure(ServerLink& link, const absl::Status& status, absl::Time now);
  void OnAnswer(ServerLink& link);
  // True if the breaker is open and no attempt may try the server now.
  bool IsBroken(const ServerLink& link, absl::Time now) const;
  // Closes and destroys the connection and its session.
  void Drop(ServerLink& link);
  void CloseQuietly(int server, absl::string_view why, absl::Time now);

  const Options options_;
  Poller* const poller_;
  std::mt19937_64* const random_;
  std::deque<ServerLink> links_;  // a deque, so that links keep their place
  std::vector<int> servers_;
  absl::flat_hash_map<std::string, int> by_name_;  // servers_, by address
  uint64_t version_ = 0;                           // counts changes of servers_
  // The links of removed servers without a connection: their numbers by
  // address, and the indices of those that may be given to another server.
  absl::flat_hash_map<std::string, std::vector<int>> vacant_;
  std::set<size_t> reusable_;
  std::vector<int> dirty_;
  DeadlineQueue<ServerLink> deadlines_;
  size_t output_bytes_ = 0;
  // The servers that have lost their link. former_order_ has them in that
  // order.
  absl::flat_hash_map<int, Address> former_;
  std::deque<int> former_order_;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_SERVER_POOL_H_
