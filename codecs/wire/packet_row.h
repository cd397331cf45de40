// The parts of the rows in packets.h.
#ifndef GEARMAN_CODECS_WIRE_PACKET_ROW_H_
#define GEARMAN_CODECS_WIRE_PACKET_ROW_H_

#include <array>
#include <cstddef>
#include <type_traits>

#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/command.h"

namespace gearman {
namespace wire {
namespace layout {

// The directions of a packet, and whether no server has ever implemented it.
enum Way : unsigned {
  kClientToServer = 1,
  kWorkerToServer = 2,
  kServerToClient = 4,
  kServerToWorker = 8,
  kBothToServer = kClientToServer | kWorkerToServer,
  kServerToBoth = kServerToClient | kServerToWorker,
  kForwarded = kWorkerToServer | kServerToClient,
  kNeverImplemented = 16,
};

// The meaning of an argument. The encoder checks what goes to a server. The
// decoder passes on what has come, except that a last argument without data
// behind it, which may hold NULs by the framing, is cut where the kind says so.
enum ArgumentKind : unsigned char {
  kText,          // any bytes but NUL
  kKey,           // a unique or a handle: at most 63 bytes; cut at its NUL
  kNumber,        // a number as its sender writes it, any text; cut at its NUL
  kMilliseconds,  // decimal digits, at most 4294967295
  kEpoch,         // seconds since 1970: decimal digits, within int64
};

template <typename Message>
struct Argument {
  absl::string_view name;
  absl::string_view Message::*member = nullptr;
  ArgumentKind kind = kText;
};

// Tells the packets of one message apart: this packet is the one whose members
// have these values.
template <auto kTheMember, auto kTheValue>
struct When {
  static constexpr auto kMember = kTheMember;
  static constexpr auto kValue = kTheValue;
};

// The message of the number that no packet uses.
struct NoMessage {};

// `Data` is a pointer to the member that is the data, or std::nullptr_t.
template <typename TheMessage, size_t kCount, typename Data,
          typename... Conditions>
struct Row {
  using Message = TheMessage;
  static constexpr size_t kArguments = kCount;
  static constexpr bool kHasData = !std::is_null_pointer_v<Data>;

  // Whether `message` is sent as this packet.
  static bool IsFor([[maybe_unused]] const Message &message) {
    return ((message.*Conditions::kMember == Conditions::kValue) && ...);
  }
  // Makes it so.
  static void SetConditions([[maybe_unused]] Message &message) {
    ((message.*Conditions::kMember = Conditions::kValue), ...);
  }

  // Whether the last argument has no data behind it and is cut at its NUL.
  constexpr bool EndsInCutArgument() const {
    if constexpr (kHasData || kCount == 0) return false;
    return arguments.back().kind == kKey || arguments.back().kind == kNumber;
  }

  CommandInfo info;
  std::array<Argument<Message>, kCount> arguments;
  Data data;
};

constexpr CommandInfo InfoOf(Command command, absl::string_view name,
                             unsigned way, bool has_data) {
  return CommandInfo{command,
                     name,
                     (way & kClientToServer) != 0,
                     (way & kWorkerToServer) != 0,
                     (way & kServerToClient) != 0,
                     (way & kServerToWorker) != 0,
                     {},
                     0,
                     has_data,
                     (way & kNeverImplemented) != 0};
}

// Returns the row of a packet without arguments. `data` is a pointer to a
// member, or absent.
template <typename Message, typename... Conditions,
          typename Data = std::nullptr_t>
constexpr auto Packet(Command command, absl::string_view name, unsigned way,
                      Data data = nullptr) {
  using Result = Row<Message, 0, Data, Conditions...>;
  return Result{InfoOf(command, name, way, Result::kHasData), {}, data};
}

// Returns the row of a packet with `arguments`.
template <typename Message, typename... Conditions, size_t kCount,
          typename Data = std::nullptr_t>
constexpr auto Packet(Command command, absl::string_view name, unsigned way,
                      const Argument<Message> (&arguments)[kCount],
                      Data data = nullptr) {
  using Result = Row<Message, kCount, Data, Conditions...>;
  Result row{InfoOf(command, name, way, Result::kHasData), {}, data};
  for (const Argument<Message> &argument : arguments) {
    row.arguments[row.info.argument_count] = argument;
    row.info.arguments[row.info.argument_count++] = argument.name;
  }
  return row;
}

}  // namespace layout
}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_PACKET_ROW_H_
