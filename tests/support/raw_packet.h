// Packets of the binary protocol made by hand, apart from the SDK's encoder, so
// that a test does not check the encoder with itself, and can make wrong ones.
#ifndef GEARMAN_TESTS_SUPPORT_RAW_PACKET_H_
#define GEARMAN_TESTS_SUPPORT_RAW_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gearman {
namespace support {

// Any 4 bytes, type and body.
std::string RawPacket(absl::string_view magic, uint32_t type,
                      absl::string_view body);
// Returns a packet of a client or worker: magic \0REQ, arguments joined by
// NULs.
std::string RequestPacket(uint32_t type,
                          const std::vector<std::string>& arguments = {});
// Returns a packet of a server: magic \0RES.
std::string ResponsePacket(uint32_t type,
                           const std::vector<std::string>& arguments = {});

// A packet in so many pieces of nearly the same size.
std::vector<std::string> InPieces(absl::string_view packet, size_t count);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_RAW_PACKET_H_
