// AdminLink is the connection to one job server's text port, with the call that
// is under way on it. No function waits. The owner waits on the poller and ends
// a call that takes too long. Not thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_LINK_H_
#define GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_LINK_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/admin/reply_decoder.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/net/connection.h"
#include "gearman/sdk/log.h"
#include "gearman/transports/address.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace internal {

class AdminLink {
 public:
  struct Options {
    Address server;
    admin::ReplyDecoderOptions limits;
    std::shared_ptr<TransportRegistry> transports;
    Logger logger;
    // The poller's keys of its connections: `first_key`, and `key_step` more
    // for each new connection.
    Poller::Key first_key = 1;
    Poller::Key key_step = 1;
  };
  // The end of a call. nullopt: it goes on.
  using Answer = std::optional<absl::StatusOr<admin::Reply>>;

  // `poller` must outlive the link.
  AdminLink(Options options, Poller* poller);
  AdminLink(const AdminLink&) = delete;
  AdminLink& operator=(const AdminLink&) = delete;

  const std::string& server() const { return name_; }
  const Logger& logger() const { return options_.logger; }

  // Begins a call; none is under way. `is_question` means that the command
  // changes nothing, so it may be sent twice. Views in `command` must be valid
  // until the call has ended.
  void Begin(const admin::Command& command, bool is_question);
  // Goes on with the call as far as it can. The caller holds no lock. The
  // errors are those of AdminClient, and INVALID_ARGUMENT if the command can't
  // be encoded.
  Answer GoOn();
  // Ends the call that is under way and closes the connection.
  void GiveUp();
  // Closes the connection if its server has closed it. No call is under way.
  void CheckIdle();

  // Returns the thing that the call waits for: "no connection".
  const char* missing() const;
  // Returns DEADLINE_EXCEEDED. `what` says what is missing.
  absl::Status TooLate(absl::string_view what, absl::Duration timeout) const;

 private:
  Answer Step();
  absl::Status NoMemory() const;
  absl::Status Connect();
  void Send();
  // Reads the bytes that have arrived. Returns true when `reply` is complete.
  absl::StatusOr<bool> Read(admin::Reply* reply);
  // Log at debug level only.
  void LogCommand(const wire::OutputBuffer& encoded) const;
  void LogReply(const admin::Reply& reply) const;

  const Options options_;
  const std::string name_;
  Poller* const poller_;
  Poller::Key next_key_;
  std::unique_ptr<Connection<admin::ReplyDecoder>> connection_;
  // The call.
  admin::Command command_;
  absl::Status encodable_;
  bool is_question_ = false;
  bool kept_ = false;  // its connection was made for an earlier call
  bool sent_ = false;
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_ADMIN_ADMIN_LINK_H_
