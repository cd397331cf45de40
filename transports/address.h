// Address: where a server listens, as users write it.
//
//   tcp://host:port   host:port   host   [::1]:4730   tls://host:port
//   inproc://name     unix:///path      (any scheme with a factory)
//
// An address without a scheme is tcp. The port defaults to 4730. A host is a
// name of letters, digits, '-', '_' and dots, four numbers (IPv4), or an IPv6
// address. An IPv6 address may have a zone, and stands in brackets if a port
// follows: [fe80::1%eth0]:4730.
#ifndef GEARMAN_TRANSPORTS_ADDRESS_H_
#define GEARMAN_TRANSPORTS_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// The port of a server whose address names none.
inline constexpr uint16_t kDefaultPort = 4730;

struct Address {
  std::string scheme;     // "tcp", in lower case
  std::string authority;  // everything behind "://"

  // "scheme://authority". It is canonical for tcp and tls: the host in lower
  // case, an IPv6 address in its shortest form and in brackets, and the port
  // always shown. ParseAddress reads it as the same address.
  std::string ToString() const;

  friend bool operator==(const Address& a, const Address& b) {
    return a.scheme == b.scheme && a.authority == b.authority;
  }
};

// The parts of the authority of a tcp or tls address.
struct HostPort {
  std::string host;              // without brackets
  uint16_t port = kDefaultPort;  // from 0 to 65535
};

// Parses an address. INVALID_ARGUMENT has the text and says what would be
// right.
absl::StatusOr<Address> ParseAddress(absl::string_view text);
// Parses "host:port", "host", "[v6]:port" or a bare v6 address.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view authority);

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_ADDRESS_H_
