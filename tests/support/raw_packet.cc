#include "gearman/tests/support/raw_packet.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace support {
namespace {

std::string BigEndian(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(number >> shift & 0xff));
  }
  return bytes;
}

std::string Join(const std::vector<std::string>& arguments) {
  return absl::StrJoin(arguments, absl::string_view("\0", 1));
}

}  // namespace

std::string RawPacket(absl::string_view magic, uint32_t type,
                      absl::string_view body) {
  return absl::StrCat(magic, BigEndian(type),
                      BigEndian(static_cast<uint32_t>(body.size())), body);
}

std::string RequestPacket(uint32_t type,
                          const std::vector<std::string>& arguments) {
  return RawPacket(absl::string_view("\0REQ", 4), type, Join(arguments));
}

std::string ResponsePacket(uint32_t type,
                           const std::vector<std::string>& arguments) {
  return RawPacket(absl::string_view("\0RES", 4), type, Join(arguments));
}

std::vector<std::string> InPieces(absl::string_view packet, size_t count) {
  std::vector<std::string> pieces;
  const size_t size = packet.size() / count + 1;
  for (size_t at = 0; at < packet.size(); at += size) {
    pieces.push_back(std::string(packet.substr(at, size)));
  }
  return pieces;
}

}  // namespace support
}  // namespace gearman
