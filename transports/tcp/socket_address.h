// SocketAddress: an IPv4 or IPv6 address and port, in the kernel's form.
#ifndef GEARMAN_TRANSPORTS_TCP_SOCKET_ADDRESS_H_
#define GEARMAN_TRANSPORTS_TCP_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

struct SocketAddress {
  sockaddr_storage storage = {};  // the kernel's form
  socklen_t length = 0;           // the bytes of `storage` that are used

  // The family: AF_INET or AF_INET6.
  int family() const { return storage.ss_family; }
  // Return the address for a system call.
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  // The port, in the byte order of this machine.
  uint16_t port() const;
  // The host without the port: "127.0.0.1", "::1".
  std::string HostText() const;

  // Returns the address of a numeric host; nullopt for a name.
  static std::optional<SocketAddress> FromNumeric(const std::string& host,
                                                  uint16_t port);
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_TCP_SOCKET_ADDRESS_H_
