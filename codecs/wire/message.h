// One struct per packet of the binary protocol, for both ends: the encoder
// takes them, and the decoder returns them.
//
// The string_view members of a decoded message are valid until the decoder's
// next Prepare. `data` is a Payload that can be moved out. For encoding, every
// view must live until Encode returns (the output buffer keeps an owned or
// shared Payload alive).
//
// The three variants at the end define which packets may travel in which
// direction. A packet in a forbidden direction can't be expressed, and the
// compiler checks that the visitor of a session handles every packet.
//
// A new packet takes a number in command.h, a row in packets.h and a row in
// docs/protocol.md. A new message also takes a struct and its places in the
// variants here, and a line at the end of encoder.cc. Encoder, decoder, command
// table and tests follow. command.cc proves while it is compiled that the rows
// agree with this file; without the line in encoder.cc programs do not link.
//
// Source: docs/protocol.md, section "Packets".
#ifndef GEARMAN_CODECS_WIRE_MESSAGE_H_
#define GEARMAN_CODECS_WIRE_MESSAGE_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/priority.h"
#include "gearman/codecs/wire/command.h"

namespace gearman {
namespace wire {

// --- worker to server -------------------------------------------------------
struct CanDo {  // CAN_DO
  absl::string_view function;
};
struct CanDoTimeout {  // CAN_DO_TIMEOUT; milliseconds as decimal text
  absl::string_view function;
  absl::string_view timeout_ms;
};
struct CantDo {  // CANT_DO
  absl::string_view function;
};
struct ResetAbilities {};  // RESET_ABILITIES
struct PreSleep {};        // PRE_SLEEP
struct AllYours {};        // ALL_YOURS, which no server implements
struct SetClientId {       // SET_CLIENT_ID
  absl::string_view id;
};
enum class GrabKind : unsigned char { kPlain, kUnique, kAll };
struct GrabJob {  // GRAB_JOB, GRAB_JOB_UNIQ, GRAB_JOB_ALL
  GrabKind kind = GrabKind::kPlain;
};

// --- worker to server to client ---------------------------------------------
struct WorkStatus {  // WORK_STATUS; the numbers are the worker's text
  absl::string_view handle;
  absl::string_view numerator;
  absl::string_view denominator;
};
struct WorkComplete {  // WORK_COMPLETE
  absl::string_view handle;
  Payload data;
};
struct WorkFail {  // WORK_FAIL
  absl::string_view handle;
};
struct WorkException {  // WORK_EXCEPTION
  absl::string_view handle;
  Payload data;
};
struct WorkData {  // WORK_DATA
  absl::string_view handle;
  Payload data;
};
struct WorkWarning {  // WORK_WARNING
  absl::string_view handle;
  Payload data;
};

// --- client to server -------------------------------------------------------
// SUBMIT_JOB, _BG, _HIGH, _HIGH_BG, _LOW, _LOW_BG
struct SubmitJob {
  Priority priority = Priority::kNone;
  bool background = false;
  absl::string_view function;
  absl::string_view unique;
  Payload data;
};
struct SubmitJobScheduled {  // SUBMIT_JOB_SCHED, which no server implements
  absl::string_view function;
  absl::string_view unique;
  absl::string_view minute;
  absl::string_view hour;
  absl::string_view day_of_month;
  absl::string_view month;
  absl::string_view day_of_week;
  Payload data;
};
struct SubmitJobEpoch {  // SUBMIT_JOB_EPOCH; seconds as decimal text
  absl::string_view function;
  absl::string_view unique;
  absl::string_view epoch;
  Payload data;
};
// SUBMIT_REDUCE_JOB, SUBMIT_REDUCE_JOB_BACKGROUND. gearmand needs the argument
// after the reducer, but ignores it.
struct SubmitReduceJob {
  bool background = false;
  absl::string_view function;
  absl::string_view unique;
  absl::string_view reducer;
  absl::string_view unused;
  Payload data;
};
struct GetStatus {  // GET_STATUS
  absl::string_view handle;
};
struct GetStatusUnique {  // GET_STATUS_UNIQUE
  absl::string_view unique;
};

// --- client or worker to server ---------------------------------------------
struct EchoRequest {  // ECHO_REQ
  Payload data;
};
struct OptionRequest {  // OPTION_REQ
  absl::string_view option;
};

// --- server to client or worker ---------------------------------------------
struct EchoResponse {  // ECHO_RES
  Payload data;
};
struct OptionResponse {  // OPTION_RES
  absl::string_view option;
};
struct Error {  // ERROR; `text` may hold NULs; 4,096 bytes of it are decoded
  absl::string_view code;
  absl::string_view text;
};

// --- server to client -------------------------------------------------------
struct JobCreated {  // JOB_CREATED
  absl::string_view handle;
};
struct StatusResult {  // STATUS_RES; known and running are "0" or "1"
  absl::string_view handle;
  absl::string_view known;
  absl::string_view running;
  absl::string_view numerator;
  absl::string_view denominator;
};
struct StatusResultUnique {  // STATUS_RES_UNIQUE
  absl::string_view unique;
  absl::string_view known;
  absl::string_view running;
  absl::string_view numerator;
  absl::string_view denominator;
  absl::string_view client_count;  // waiting foreground clients
};

// --- server to worker -------------------------------------------------------
struct Noop {};   // NOOP
struct NoJob {};  // NO_JOB
// JOB_ASSIGN (kPlain), JOB_ASSIGN_UNIQ (kUnique), JOB_ASSIGN_ALL (kAll).
// `unique` is empty for kPlain, `reducer` for all but kAll.
struct JobAssign {
  GrabKind kind = GrabKind::kPlain;
  absl::string_view handle;
  absl::string_view function;
  absl::string_view unique;
  absl::string_view reducer;
  Payload data;
};

// A packet that the server must answer with ERROR `code` while the connection
// stays good (docs/protocol.md, section "Bad input"): response magic, or a
// command that only the server may send. Never encoded.
struct RefusedPacket {
  absl::string_view code;
  absl::string_view text;
};

// A known packet whose payload is too large for this receiver. The decoder
// returns it when the arguments have arrived, and skips the payload, which may
// still be on its way or may never come. Never encoded.
struct TooLargePacket {
  const CommandInfo* info = nullptr;
  // The arguments that `info` names, in the same order.
  absl::Span<const absl::string_view> arguments;
  // Bytes of the whole packet, including its header, and the limit that it
  // exceeds.
  uint64_t packet_bytes = 0;
  uint64_t max_packet_bytes = 0;

  // Returns the argument that `info` calls `name`. Empty if the packet has no
  // such argument.
  absl::string_view argument(absl::string_view name) const;
  // Returns a text for messages: "a WORK_COMPLETE packet of 70000017 bytes is
  // larger than 67108864 bytes (max_packet_bytes)".
  std::string Describe() const;
};

// A packet of a client whose payload passes in pieces has begun. Its pieces
// follow, and no other event comes before the last of them. Never encoded.
struct PayloadBegins {
  const CommandInfo* info = nullptr;
  absl::string_view argument;  // the first argument of the packet
  uint64_t size = 0;           // of the payload; more than 0
};
// The next bytes of that payload, at least one. Never encoded.
struct PayloadPiece {
  absl::string_view bytes;
  uint64_t left = 0;  // bytes of the payload behind this piece
};

// The protocol events that the decoder of each receiver returns.
using ToClient =
    std::variant<JobCreated, WorkComplete, WorkData, WorkStatus, WorkWarning,
                 WorkFail, WorkException, StatusResult, StatusResultUnique,
                 EchoResponse, OptionResponse, Error, TooLargePacket,
                 PayloadBegins, PayloadPiece>;
using ToWorker = std::variant<JobAssign, NoJob, Noop, EchoResponse,
                              OptionResponse, Error, TooLargePacket>;
using ToServer =
    std::variant<SubmitJob, GrabJob, WorkComplete, PreSleep, WorkData,
                 WorkStatus, WorkWarning, WorkFail, WorkException, GetStatus,
                 GetStatusUnique, EchoRequest, OptionRequest, CanDo,
                 CanDoTimeout, CantDo, ResetAbilities, SetClientId,
                 SubmitJobEpoch, SubmitReduceJob, SubmitJobScheduled, AllYours,
                 RefusedPacket, TooLargePacket>;

// Whether `Receiver` may get `Message`.
template <typename Message, typename Receiver>
inline constexpr bool kGoesTo = false;
template <typename Message, typename... Messages>
inline constexpr bool kGoesTo<Message, std::variant<Messages...>> =
    (std::is_same_v<Message, Messages> || ...);
// Whether `Message` can be encoded.
template <typename Message>
inline constexpr bool kIsPacket =
    !std::is_same_v<Message, RefusedPacket> &&
    !std::is_same_v<Message, TooLargePacket> &&
    !std::is_same_v<Message, PayloadBegins> &&
    !std::is_same_v<Message, PayloadPiece> &&
    (kGoesTo<Message, ToServer> || kGoesTo<Message, ToClient> ||
     kGoesTo<Message, ToWorker>);

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_MESSAGE_H_
