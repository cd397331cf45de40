#include "gearman/transports/address.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace gearman {
namespace {

constexpr absl::string_view kForms =
    "an address is HOST, HOST:PORT, [IPV6]:PORT, tcp://HOST:PORT, "
    "tls://HOST:PORT or inproc://NAME";

// An IPv6 address, perhaps with a zone behind '%'. What it means is the
// system's to say.
bool IsIpv6(absl::string_view host) {
  const size_t percent = host.find('%');
  const absl::string_view address = host.substr(0, percent);
  const absl::string_view zone =
      percent == absl::string_view::npos ? "" : host.substr(percent + 1);
  return absl::StrContains(address, ':') &&
         std::all_of(address.begin(), address.end(),
                     [](unsigned char c) {
                       return absl::ascii_isxdigit(c) || c == ':' || c == '.';
                     }) &&
         std::all_of(zone.begin(), zone.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

absl::Status Invalid(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", absl::CHexEscape(text), "\" is no address: ", why, "; ", kForms));
}

bool IsHostPortScheme(absl::string_view scheme) {
  return scheme == "tcp" || scheme == "tls";
}

std::string FormatHostPort(const HostPort& host_port) {
  const bool v6 = host_port.host.find(':') != std::string::npos;
  return v6 ? absl::StrCat("[", host_port.host, "]:", host_port.port)
            : absl::StrCat(host_port.host, ":", host_port.port);
}

// Up to an IPv6 address's zone, which is the name of an interface.
HostPort InLowerCase(HostPort host_port) {
  const size_t end = std::min(host_port.host.find('%'), host_port.host.size());
  std::transform(host_port.host.begin(),
                 host_port.host.begin() + static_cast<std::ptrdiff_t>(end),
                 host_port.host.begin(), absl::ascii_tolower);
  return host_port;
}

}  // namespace

std::string Address::ToString() const {
  return absl::StrCat(scheme, "://", authority);
}

absl::StatusOr<HostPort> ParseHostPort(absl::string_view authority) {
  HostPort result;
  absl::string_view port;
  bool has_port = false;
  if (!authority.empty() && authority[0] == '[') {
    const size_t close = authority.find(']');
    if (close == absl::string_view::npos) {
      return Invalid(authority, "its '[' is not closed");
    }
    result.host = std::string(authority.substr(1, close - 1));
    const absl::string_view rest = authority.substr(close + 1);
    if (!rest.empty()) {
      if (rest[0] != ':')
        return Invalid(authority, "a port follows ']' by ':'");
      port = rest.substr(1);
      has_port = true;
    }
  } else {
    const size_t colon = authority.find(':');
    const bool bare_v6 =
        colon != absl::string_view::npos &&
        authority.find(':', colon + 1) != absl::string_view::npos;
    if (bare_v6 || colon == absl::string_view::npos) {
      result.host = std::string(authority);
    } else {
      result.host = std::string(authority.substr(0, colon));
      port = authority.substr(colon + 1);
      has_port = true;
    }
  }
  if (result.host.empty()) return Invalid(authority, "it names no host");
  for (const char c : result.host) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c)) ||
        absl::ascii_iscntrl(static_cast<unsigned char>(c)) || c == '/') {
      return Invalid(authority, "its host holds a character no host has");
    }
  }
  if (absl::StrContains(result.host, ':') && !IsIpv6(result.host)) {
    return Invalid(authority, "it is no IPv6 address, and a name has no colon");
  }
  if (has_port) {
    int number = 0;
    if (!absl::SimpleAtoi(port, &number) || number < 0 || number > 65535) {
      return Invalid(authority,
                     absl::StrCat("the port \"", absl::CHexEscape(port),
                                  "\" is no number from 0 to 65535"));
    }
    result.port = static_cast<uint16_t>(number);
  }
  return result;
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  if (trimmed.empty()) return Invalid(text, "it is empty");
  Address address;
  const size_t separator = trimmed.find("://");
  if (separator == absl::string_view::npos) {
    address.scheme = "tcp";
    address.authority = std::string(trimmed);
  } else {
    address.scheme = absl::AsciiStrToLower(trimmed.substr(0, separator));
    address.authority = std::string(trimmed.substr(separator + 3));
    if (address.scheme.empty()) return Invalid(text, "its scheme is empty");
    for (const char c : address.scheme) {
      if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '+' &&
          c != '-' && c != '.') {
        return Invalid(text, "its scheme holds a character no scheme has");
      }
    }
    if (address.authority.empty()) {
      return Invalid(text, "nothing follows \"://\"");
    }
  }
  if (IsHostPortScheme(address.scheme)) {
    const absl::StatusOr<HostPort> host_port = ParseHostPort(address.authority);
    if (!host_port.ok()) return host_port.status();
    address.authority = FormatHostPort(InLowerCase(*host_port));
  }
  return address;
}

}  // namespace gearman
