#include "gearman/transports/transport_factory.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace gearman {

absl::StatusOr<std::unique_ptr<Listener>> TransportFactory::Listen(
    const Address& address, Poller*, Poller::Key) {
  return absl::UnimplementedError(absl::StrCat(
      "nothing can listen on ", address.ToString(), ": the transport of ",
      address.scheme, "://", " is for clients only"));
}

absl::Status TransportFactory::Check(const Address& /*address*/) {
  return absl::OkStatus();
}

}  // namespace gearman
