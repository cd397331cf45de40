// The packets of the binary protocol, as data. Encoder, decoder, logging and
// tests read this table.
//
// Source: docs/protocol.md, section "Packets".
#ifndef GEARMAN_CODECS_WIRE_COMMAND_H_
#define GEARMAN_CODECS_WIRE_COMMAND_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/base/cpp17.h"

namespace gearman {
namespace wire {

// Every packet begins with magic, type and size of the body: 4 bytes each,
// numbers in big-endian order.
inline constexpr size_t kHeaderBytes = 12;
inline constexpr absl::string_view kRequestMagic("\0REQ", 4);
inline constexpr absl::string_view kResponseMagic("\0RES", 4);

// The longest keys that a server accepts. With longer ones gearmand closes the
// connection, is silent, or mixes arguments up.
inline constexpr size_t kMaxUniqueBytes = 63;
inline constexpr size_t kMaxHandleBytes = 63;
// All arguments before the data, including their separators. With the header
// they must fit a receive buffer of 8,192 bytes.
inline constexpr size_t kMaxArgumentBytes = 8180;

// The names and numbers of the protocol.
enum class Command : uint32_t {
  kCanDo = 1,
  kCantDo = 2,
  kResetAbilities = 3,
  kPreSleep = 4,
  kUnused5 = 5,
  kNoop = 6,
  kSubmitJob = 7,
  kJobCreated = 8,
  kGrabJob = 9,
  kNoJob = 10,
  kJobAssign = 11,
  kWorkStatus = 12,
  kWorkComplete = 13,
  kWorkFail = 14,
  kGetStatus = 15,
  kEchoReq = 16,
  kEchoRes = 17,
  kSubmitJobBg = 18,
  kError = 19,
  kStatusRes = 20,
  kSubmitJobHigh = 21,
  kSetClientId = 22,
  kCanDoTimeout = 23,
  kAllYours = 24,
  kWorkException = 25,
  kOptionReq = 26,
  kOptionRes = 27,
  kWorkData = 28,
  kWorkWarning = 29,
  kGrabJobUniq = 30,
  kJobAssignUniq = 31,
  kSubmitJobHighBg = 32,
  kSubmitJobLow = 33,
  kSubmitJobLowBg = 34,
  kSubmitJobSched = 35,
  kSubmitJobEpoch = 36,
  kSubmitReduceJob = 37,
  kSubmitReduceJobBackground = 38,
  kGrabJobAll = 39,
  kJobAssignAll = 40,
  kGetStatusUnique = 41,
  kStatusResUnique = 42,
};
inline constexpr uint32_t kLastCommand = 42;

struct CommandInfo {
  Command command;
  absl::string_view name;
  // The directions in which the packet may travel.
  bool client_to_server;
  bool worker_to_server;
  bool server_to_client;
  bool server_to_worker;
  // The arguments before the data, in order. The first `argument_count` are in
  // use.
  std::array<absl::string_view, 8> arguments;
  size_t argument_count;
  // Whether an opaque last argument follows: any bytes, or none.
  bool has_data;
  // No server has ever implemented the packet (or the number is unused).
  bool never_implemented;

  constexpr bool to_server() const {
    return client_to_server || worker_to_server;
  }
  // The number of arguments that end in a NUL: all of them, except a last one
  // without data behind it.
  constexpr size_t separators() const {
    return has_data || argument_count == 0 ? argument_count
                                           : argument_count - 1;
  }
};

// Returns all packets in the order of their numbers, from 1.
absl::Span<const CommandInfo> Commands();
// Returns the packet of a number, or null for 0 and every number beyond 42.
const CommandInfo* FindCommand(uint32_t number);
// Returns "SUBMIT_JOB", for example, or "UNKNOWN" for a number without a
// packet.
absl::string_view CommandName(uint32_t number);

// A packet's header.
struct Header {
  bool response = false;  // whether the magic is that of a response
  uint32_t type = 0;
  uint32_t body_bytes = 0;
};
// Writes kHeaderBytes bytes to `out`.
void WriteHeader(const Header& header, char* out);
// Reads kHeaderBytes bytes. Returns false if there is neither magic.
bool ReadHeader(const char* bytes, Header* header);

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_COMMAND_H_
