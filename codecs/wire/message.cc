#include "gearman/codecs/wire/message.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace gearman {
namespace wire {

absl::string_view TooLargePacket::argument(absl::string_view name) const {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (info->arguments[i] == name) return arguments[i];
  }
  return absl::string_view();
}

std::string TooLargePacket::Describe() const {
  return absl::StrCat("a ", info->name, " packet of ", packet_bytes,
                      " bytes is larger than ", max_packet_bytes,
                      " bytes (max_packet_bytes)");
}

}  // namespace wire
}  // namespace gearman
