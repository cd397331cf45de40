#include "gearman/transports/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

constexpr absl::string_view kForms =
    "an address is HOST, HOST:PORT, [IPV6]:PORT, tcp://HOST:PORT, "
    "tls://HOST:PORT or inproc://NAME";

// The limits of host names in RFC 1123. An underscore is allowed, too, because
// container networks use it.
constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxName = 253;

bool IsDigits(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// Writes the canonical form of an IPv6 address, which may have a zone behind
// '%'. Returns false if `host` is no IPv6 address. Only the system knows which
// zones exist.
bool CanonicalIpv6(absl::string_view host, std::string* canonical) {
  const size_t percent = host.find('%');
  const std::string address(host.substr(0, percent));
  in6_addr bytes;
  char text[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1 ||
      inet_ntop(AF_INET6, &bytes, text, sizeof(text)) == nullptr) {
    return false;
  }
  *canonical = text;
  if (percent == absl::string_view::npos) return true;
  const absl::string_view zone = host.substr(percent + 1);
  absl::StrAppend(canonical, "%", zone);
  return !zone.empty() &&
         std::all_of(zone.begin(), zone.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

// Whether `host` is four numbers from 0 to 255. Resolvers accept other forms,
// too (fewer numbers, octal numbers), but read most of them as an address that
// the user did not mean.
bool IsIpv4(absl::string_view host) {
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  return parts.size() == 4 &&
         std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           int number = 0;
           return IsDigits(part) && part.size() <= 3 &&
                  (part.size() == 1 || part[0] != '0') &&
                  absl::SimpleAtoi(part, &number) && number <= 255;
         });
}

// Whether the last part is a number: a resolver would then read an IPv4
// address.
bool EndsInNumber(absl::string_view host) {
  const absl::string_view last = host.substr(host.rfind('.') + 1);
  return IsDigits(last) ||
         (absl::StartsWithIgnoreCase(last, "0x") &&
          std::all_of(last.begin() + 2, last.end(),
                      [](unsigned char c) { return absl::ascii_isxdigit(c); }));
}

// Returns the fault of a name or an IPv4 address; empty if there is none.
std::string TroubleWithHost(absl::string_view host) {
  if (host.empty()) return "it names no host";
  for (const char c : host) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
        c == '.' || c == '_') {
      continue;
    }
    return absl::StrCat("its host holds '", SafeText(absl::string_view(&c, 1)),
                        "', a character that no host has");
  }
  // A final dot says that a name is complete.
  absl::string_view name = host;
  absl::ConsumeSuffix(&name, ".");
  if (name.size() > kMaxName) {
    return absl::StrCat("its host has ", name.size(),
                        " characters; a name has at most ", kMaxName);
  }
  for (const absl::string_view label : absl::StrSplit(name, '.')) {
    if (label.empty() || label.size() > kMaxLabel || label[0] == '-') {
      return absl::StrCat("each part of a host's name has 1 to ", kMaxLabel,
                          " characters, the first one no '-'");
    }
  }
  if (EndsInNumber(name) && !IsIpv4(host)) {
    return "what ends in a number is an IPv4 address, of four numbers from 0 "
           "to 255";
  }
  return "";
}

absl::Status Invalid(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", SafeText(text), "\" is no address: ", why, "; ", kForms));
}

bool IsHostPortScheme(absl::string_view scheme) {
  return scheme == "tcp" || scheme == "tls";
}

std::string FormatHostPort(const HostPort& host_port) {
  const bool v6 = host_port.host.find(':') != std::string::npos;
  return v6 ? absl::StrCat("[", host_port.host, "]:", host_port.port)
            : absl::StrCat(host_port.host, ":", host_port.port);
}

// Leaves the zone of an IPv6 address as it is, because it is the name of an
// interface.
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
  absl::string_view host = authority;
  absl::string_view port;
  bool has_port = false;
  const size_t colon = authority.find(':');
  const bool bracketed = absl::StartsWith(authority, "[");
  const bool bare_v6 =
      !bracketed && colon != absl::string_view::npos &&
      authority.find(':', colon + 1) != absl::string_view::npos;
  if (bracketed) {
    const size_t close = authority.find(']');
    if (close == absl::string_view::npos) {
      return Invalid(authority, "its '[' is not closed");
    }
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    has_port = !port.empty();
    if (has_port && !absl::ConsumePrefix(&port, ":")) {
      return Invalid(authority, "a port follows ']' by ':'");
    }
  } else if (colon != absl::string_view::npos && !bare_v6) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    has_port = true;
  }
  if (bracketed || bare_v6) {
    if (!CanonicalIpv6(host, &result.host)) {
      return Invalid(authority,
                     bracketed
                         ? "between brackets stands an IPv6 address"
                         : "it is no IPv6 address, and a name has no colon");
    }
  } else {
    const std::string trouble = TroubleWithHost(host);
    if (!trouble.empty()) return Invalid(authority, trouble);
    result.host = std::string(host);
  }
  if (has_port) {
    int number = 0;
    if (!IsDigits(port) || !absl::SimpleAtoi(port, &number) || number > 65535) {
      return Invalid(authority,
                     absl::StrCat("the port \"", SafeText(port),
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
    if (!absl::ascii_isalpha(static_cast<unsigned char>(address.scheme[0]))) {
      return Invalid(text, "a scheme begins with a letter");
    }
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
  if (std::any_of(address.authority.begin(), address.authority.end(),
                  [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
    return Invalid(text, "it holds a control character");
  }
  if (IsHostPortScheme(address.scheme)) {
    const absl::StatusOr<HostPort> host_port = ParseHostPort(address.authority);
    if (!host_port.ok()) return host_port.status();
    address.authority = FormatHostPort(InLowerCase(*host_port));
  }
  return address;
}

}  // namespace gearman
