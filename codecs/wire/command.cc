#include "gearman/codecs/wire/command.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>
#include <variant>

#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/packet_row.h"
#include "gearman/codecs/wire/packets.h"

namespace gearman {
namespace wire {
namespace {

using layout::kPacket;
using layout::MessageOf;

// --- what the compiler proves of the rows

// Returns the bytes of the members that a row names, with their padding.
template <typename Message, size_t kCount, typename Data,
          typename... Conditions>
constexpr size_t NamedBytes(
    const layout::Row<Message, kCount, Data, Conditions...>& /*row*/) {
  size_t bytes = (sizeof(Conditions::kValue) + ... + 0);
  bytes = (bytes + alignof(Message) - 1) / alignof(Message) * alignof(Message);
  bytes += kCount * sizeof(absl::string_view);
  if constexpr (!std::is_null_pointer_v<Data>) {
    bytes += sizeof(std::declval<Message&>().*std::declval<Data>());
  }
  return bytes;
}

// Whether one of the rows of a message names each of its members.
template <typename Message, size_t... kRow>
constexpr bool IsComplete(std::index_sequence<kRow...>) {
  return std::is_empty_v<Message> ||
         ((std::is_same_v<MessageOf<kRow>, Message> &&
           NamedBytes(kPacket<kRow>) == sizeof(Message)) ||
          ...);
}

template <size_t kRow>
constexpr bool IsProved() {
  using Message = MessageOf<kRow>;
  constexpr CommandInfo info = kPacket<kRow>.info;
  static_assert(static_cast<size_t>(info.command) == kRow + 1,
                "rows are in the order of their numbers");
  static_assert(info.to_server() == kGoesTo<Message, ToServer> &&
                    info.server_to_client == kGoesTo<Message, ToClient> &&
                    info.server_to_worker == kGoesTo<Message, ToWorker>,
                "the directions of a packet are those of its message");
  static_assert(IsComplete<Message>(layout::Rows()),
                "no member of a message is forgotten");
  return true;
}

template <typename... Messages>
constexpr bool HaveRows(const std::variant<Messages...>* /*receiver*/) {
  return ((!kIsPacket<Messages> ||
           layout::NextRow<Messages>(0) < layout::kPacketCount) &&
          ...);
}
static_assert(HaveRows(static_cast<const ToServer*>(nullptr)) &&
                  HaveRows(static_cast<const ToClient*>(nullptr)) &&
                  HaveRows(static_cast<const ToWorker*>(nullptr)),
              "each message has a row");

template <size_t... kRow>
constexpr std::array<CommandInfo, sizeof...(kRow)> InfosOf(
    std::index_sequence<kRow...>) {
  static_assert((IsProved<kRow>() && ...));
  return {kPacket<kRow>.info...};
}
constexpr auto kCommands = InfosOf(layout::Rows());
static_assert(kCommands.size() == kLastCommand, "one row for each number");

void WriteNumber(uint32_t value, char* out) {
  out[0] = static_cast<char>(value >> 24);
  out[1] = static_cast<char>(value >> 16);
  out[2] = static_cast<char>(value >> 8);
  out[3] = static_cast<char>(value);
}

uint32_t ReadNumber(const char* bytes) {
  // Written without a loop, because compilers then make one load of it.
  const auto byte = [bytes](int i) {
    return uint32_t{static_cast<unsigned char>(bytes[i])};
  };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

}  // namespace

absl::Span<const CommandInfo> Commands() { return kCommands; }

const CommandInfo* FindCommand(uint32_t number) {
  if (number == 0 || number > kLastCommand) return nullptr;
  return &kCommands[number - 1];
}

absl::string_view CommandName(uint32_t number) {
  const CommandInfo* info = FindCommand(number);
  return info == nullptr ? absl::string_view("UNKNOWN") : info->name;
}

void WriteHeader(const Header& header, char* out) {
  const absl::string_view magic =
      header.response ? kResponseMagic : kRequestMagic;
  std::memcpy(out, magic.data(), 4);
  WriteNumber(header.type, out + 4);
  WriteNumber(header.body_bytes, out + 8);
}

bool ReadHeader(const char* bytes, Header* header) {
  if (std::memcmp(bytes, kRequestMagic.data(), 4) == 0) {
    header->response = false;
  } else if (std::memcmp(bytes, kResponseMagic.data(), 4) == 0) {
    header->response = true;
  } else {
    return false;
  }
  header->type = ReadNumber(bytes + 4);
  header->body_bytes = ReadNumber(bytes + 8);
  return true;
}

}  // namespace wire
}  // namespace gearman
