// ClientLinkSession is the session of a client's Link: ClientSession, which
// knows no time, with the two times of a connection. While replies are due, it
// tells when the server is taken for dead. While only jobs run, it tells when
// to ask the server for a sign of life (a heartbeat).
//
// It is pure: the time and the connection's news come in, and a heartbeat is
// appended to the output. Guarded by the client's lock.
#ifndef GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_LINK_SESSION_H_
#define GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_LINK_SESSION_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/client/client_session.h"
#include "gearman/sdk/internal/client/effects.h"
#include "gearman/sdk/internal/metrics/metrics.h"
#include "gearman/sdk/internal/net/link.h"
#include "gearman/sdk/internal/net/server.h"

namespace gearman {
namespace internal {

class ClientLinkSession;
using ClientLink = Link<ClientLinkSession>;

class ClientLinkSession final : public ClientSession {
 public:
  using Receiver = wire::ToClient;

  struct Options {
    EffectSink* sink = nullptr;  // it must be set, and outlive the session
    std::string task_prefix;
    bool exceptions = true;
    absl::Duration reply_timeout;
    absl::Duration heartbeat_interval;
  };

  // `options`, `output` and `link` must outlive the session. `on_unused`: see
  // ClientSession.
  ClientLinkSession(const Options* options, wire::OutputBuffer* output,
                    ClientLink* link, std::function<void()> on_unused);

  ClientLink& link() const { return link_; }

  // The functions that link.h wants of a session.
  bool OnReceived(absl::Time now);
  void OnProgress(absl::Time now);
  // UNAVAILABLE: no reply has come within reply_timeout.
  absl::Status OnTime(absl::Time now);
  absl::Time next_deadline() const { return deadline_; }
  void OnConnected(absl::Time now);
  void Settle(absl::Time now);
  void Retire() {}
  bool MayEnd(absl::Time now) const {
    static_cast<void>(now);
    return unused();
  }

  // True if no byte has come for the heartbeat interval and nobody waits for
  // one. A packet sent into such a connection might be lost.
  bool stale(absl::Time now) const {
    return unused() && now - last_received_ >= options_.heartbeat_interval;
  }

 private:
  // The meaning of deadline_.
  enum class Due : unsigned char { kNothing, kReply, kHeartbeat };

  const Options& options_;
  ClientLink& link_;
  Due due_ = Due::kNothing;
  absl::Time deadline_ = absl::InfiniteFuture();
  // When bytes last came, or the connection was made.
  absl::Time last_received_ = absl::InfinitePast();
  // When an unanswered heartbeat was sent; else InfinitePast.
  absl::Time heartbeat_sent_ = absl::InfinitePast();
  uint64_t replies_seen_ = 0;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CLIENT_CLIENT_LINK_SESSION_H_
