#include "gearman/sdk/embedded/job_server.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gearman/sdk/embedded/server_core.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/process_memory.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace {

// "H:" and the host's name, as far as it fits, like gearmand's default.
std::string DefaultHandlePrefix() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return "H:localhost";
  return absl::StrCat("H:", absl::string_view(host.data()))
      .substr(0, embedded::kMaxHandlePrefixBytes);
}

}  // namespace

absl::StatusOr<std::unique_ptr<JobServer>> JobServer::Create(
    JobServerOptions options) {
  if (options.job_handle_prefix.empty()) {
    options.job_handle_prefix = DefaultHandlePrefix();
  }
  if (options.job_handle_prefix.size() > embedded::kMaxHandlePrefixBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("job_handle_prefix has ", options.job_handle_prefix.size(),
                     " bytes; a handle holds at most ",
                     embedded::kMaxHandlePrefixBytes, " beside its number"));
  }
  absl::Status listable =
      CheckListable("job_handle_prefix", options.job_handle_prefix);
  if (!listable.ok()) return listable;
  if (options.max_packet_bytes < wire::kHeaderBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_packet_bytes (", options.max_packet_bytes,
                     ") is less than a packet's header has, ",
                     wire::kHeaderBytes, ": every packet would be refused"));
  }
  if (options.pipe_bytes == 0 || options.output_mark == 0) {
    return absl::InvalidArgumentError(
        "pipe_bytes and output_mark must be at least 1: nothing would ever be "
        "sent");
  }
  if (options.max_output_bytes < options.output_mark) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_output_bytes (", options.max_output_bytes,
                     ") is less than output_mark (", options.output_mark, ")"));
  }
  if (options.packet_timeout <= absl::ZeroDuration() ||
      options.output_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        "packet_timeout and output_timeout must be more than 0: every "
        "connection would be closed");
  }
  if (options.max_queue_memory == kShareOfMemory) {
    options.max_queue_memory = ProcessMemory() / 2;
  }
  if (options.max_connection_memory == kShareOfMemory) {
    options.max_connection_memory = ProcessMemory() / 4;
  }
  options.max_packet_bytes =
      PacketLimit(options.max_packet_bytes, options.max_connection_memory);
  if (options.transports == nullptr) {
    options.transports = TransportRegistry::Default();
  }
  if (options.network == nullptr) options.network = InprocNetwork::Default();
  if (options.clock == nullptr) {
    options.clock =
        options.poller != nullptr ? options.poller->clock() : Clock::Real();
  }
  return std::unique_ptr<JobServer>(
      new JobServer(embedded::ServerCore::Create(std::move(options))));
}

JobServer::JobServer(std::shared_ptr<embedded::ServerCore> core)
    : core_(std::move(core)) {}

JobServer::~JobServer() { core_->Stop(); }

absl::StatusOr<std::string> JobServer::Listen(StringView address) {
  return core_->Listen(address);
}

std::vector<std::string> JobServer::addresses() const {
  return core_->addresses();
}

void JobServer::Stop() { core_->Stop(); }

absl::Status JobServer::RunOnce(absl::Time deadline) {
  return core_->RunOnce(deadline);
}

size_t JobServer::connections() const { return core_->connections(); }

size_t JobServer::jobs() const { return core_->jobs(); }

}  // namespace gearman
