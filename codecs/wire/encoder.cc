#include "gearman/codecs/wire/encoder.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace wire {
namespace {

bool HasNul(absl::string_view bytes) {
  return !bytes.empty() &&
         std::memchr(bytes.data(), '\0', bytes.size()) != nullptr;
}

// Returns an argument for an error: whole if it is short, otherwise its
// beginning.
std::string Shown(absl::string_view argument) {
  constexpr size_t kShown = 64;
  return SafeText(argument, kShown);
}

absl::string_view ArgumentName(Command command, size_t index) {
  return FindCommand(static_cast<uint32_t>(command))->arguments[index];
}

absl::Status Refuse(Command command, size_t index, absl::string_view argument,
                    absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(CommandName(static_cast<uint32_t>(command)), ": the ",
                   ArgumentName(command, index), " \"", Shown(argument), "\" (",
                   argument.size(), " bytes) ", why));
}

// Checks uniques and handles. Servers refuse keys of more than 63 bytes, mix
// them up or are silent.
absl::Status CheckKey(Command command, size_t index, absl::string_view key) {
  if (key.size() <= kMaxUniqueBytes) return absl::OkStatus();
  return Refuse(command, index, key,
                "is too long: a server keeps 63 bytes; shorten it");
}

absl::Status RefuseNul(Command command,
                       absl::Span<const absl::string_view> arguments) {
  size_t index = 0;
  while (!HasNul(arguments[index])) ++index;
  return Refuse(command, index, arguments[index],
                "holds a NUL byte, which would end it: only data may");
}

absl::Status RefuseLength(Command command,
                          absl::Span<const absl::string_view> arguments,
                          size_t argument_bytes) {
  size_t longest = 0;
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i].size() > arguments[longest].size()) longest = i;
  }
  return Refuse(command, longest, arguments[longest],
                absl::StrCat("is too long: all arguments before the data "
                             "together are ",
                             argument_bytes, " bytes, a server takes ",
                             kMaxArgumentBytes, "; shorten it"));
}

// Small data goes into the same piece as the arguments, with one check for room
// and one copy.
bool IsInlined(const Payload* data) {
  return data == nullptr || data->size() < OutputBuffer::kExternalBytes;
}

// Writes the header and returns the address for the arguments; PutData follows.
// Returns null if the packet is too large; `status` then has the error.
char* Begin(Command command, bool response, size_t argument_bytes,
            const Payload* data, OutputBuffer& out, absl::Status* status) {
  const size_t data_bytes = data == nullptr ? 0 : data->size();
  const uint64_t body_bytes = uint64_t{argument_bytes} + data_bytes;
  if (body_bytes > std::numeric_limits<uint32_t>::max()) {
    *status = absl::InvalidArgumentError(absl::StrCat(
        CommandName(static_cast<uint32_t>(command)), ": the data of ",
        data_bytes, " bytes is too large: a packet holds less than 4 GiB"));
    return nullptr;
  }
  char* const bytes = out.AppendUninitialized(
      kHeaderBytes + argument_bytes + (IsInlined(data) ? data_bytes : 0));
  WriteHeader({response, static_cast<uint32_t>(command),
               static_cast<uint32_t>(body_bytes)},
              bytes);
  return bytes + kHeaderBytes;
}

void PutData(Payload* data, char* bytes, OutputBuffer& out) {
  if (data == nullptr) return;
  if (!IsInlined(data)) return out.AppendPayload(std::move(*data));
  const absl::string_view view = data->view();
  if (!view.empty()) std::memcpy(bytes, view.data(), view.size());
}

// Appends a packet. All arguments end in a NUL, except a last one without data
// behind it. If `data` is null, the last argument runs to the end of the body.
// This is a template so that compilers unroll the loops over the few arguments.
template <size_t kCount>
absl::Status Append(Command command, bool response,
                    const absl::string_view (&arguments)[kCount], Payload* data,
                    OutputBuffer& out) {
  size_t argument_bytes = data == nullptr ? kCount - 1 : kCount;
  bool has_nul = false;
  for (const absl::string_view argument : arguments) {
    has_nul |= HasNul(argument);
    argument_bytes += argument.size();
  }
  if (has_nul) return RefuseNul(command, arguments);
  if (argument_bytes > kMaxArgumentBytes) {
    return RefuseLength(command, arguments, argument_bytes);
  }
  absl::Status status;
  char* bytes = Begin(command, response, argument_bytes, data, out, &status);
  if (bytes == nullptr) return status;
  for (size_t i = 0; i < kCount; ++i) {
    if (!arguments[i].empty()) {
      std::memcpy(bytes, arguments[i].data(), arguments[i].size());
    }
    bytes += arguments[i].size();
    if (i + 1 < kCount || data != nullptr) *bytes++ = '\0';
  }
  PutData(data, bytes, out);
  return status;
}

// Stands for the arguments of a packet that has none.
struct NoArguments {};
absl::Status Append(Command command, bool response, NoArguments /*arguments*/,
                    Payload* data, OutputBuffer& out) {
  absl::Status status;
  char* const bytes = Begin(command, response, 0, data, out, &status);
  if (bytes != nullptr) PutData(data, bytes, out);
  return status;
}

template <size_t kCount>
absl::Status AppendRequest(Command command,
                           const absl::string_view (&arguments)[kCount],
                           Payload* data, OutputBuffer& out) {
  return Append(command, /*response=*/false, arguments, data, out);
}
absl::Status AppendRequest(Command command, NoArguments arguments,
                           Payload* data, OutputBuffer& out) {
  return Append(command, /*response=*/false, arguments, data, out);
}

template <size_t kCount>
absl::Status AppendResponse(Command command,
                            const absl::string_view (&arguments)[kCount],
                            Payload* data, OutputBuffer& out) {
  return Append(command, /*response=*/true, arguments, data, out);
}
absl::Status AppendResponse(Command command, NoArguments arguments,
                            Payload* data, OutputBuffer& out) {
  return Append(command, /*response=*/true, arguments, data, out);
}

Command SubmitCommand(Priority priority, bool background) {
  switch (priority) {
    case Priority::kNone:
      break;
    case Priority::kLow:
      return background ? Command::kSubmitJobLowBg : Command::kSubmitJobLow;
    case Priority::kHigh:
      return background ? Command::kSubmitJobHighBg : Command::kSubmitJobHigh;
  }
  return background ? Command::kSubmitJobBg : Command::kSubmitJob;
}

// Whether servers parse the text as a number without harm: only digits, and no
// more of them than `Number` can have (gearmand counts zeros, too).
template <typename Number>
bool IsNumber(absl::string_view text) {
  if (text.empty() || text.size() > std::numeric_limits<Number>::digits10 + 1) {
    return false;
  }
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  Number number;
  return absl::SimpleAtoi(text, &number);
}

}  // namespace

// --- to the server -----------------------------------------------------------

absl::Status Encode(const CanDo& message, OutputBuffer& out) {
  return AppendRequest(Command::kCanDo, {message.function}, nullptr, out);
}

absl::Status Encode(const CanDoTimeout& message, OutputBuffer& out) {
  if (!IsNumber<uint32_t>(message.timeout_ms)) {
    return Refuse(Command::kCanDoTimeout, 1, message.timeout_ms,
                  "must be a number of milliseconds from 0 to 4294967295, in "
                  "decimal digits");
  }
  return AppendRequest(Command::kCanDoTimeout,
                       {message.function, message.timeout_ms}, nullptr, out);
}

absl::Status Encode(const CantDo& message, OutputBuffer& out) {
  return AppendRequest(Command::kCantDo, {message.function}, nullptr, out);
}

absl::Status Encode(const ResetAbilities&, OutputBuffer& out) {
  return AppendRequest(Command::kResetAbilities, {}, nullptr, out);
}

absl::Status Encode(const PreSleep&, OutputBuffer& out) {
  return AppendRequest(Command::kPreSleep, {}, nullptr, out);
}

absl::Status Encode(const AllYours&, OutputBuffer& out) {
  return AppendRequest(Command::kAllYours, {}, nullptr, out);
}

absl::Status Encode(const SetClientId& message, OutputBuffer& out) {
  return AppendRequest(Command::kSetClientId, {message.id}, nullptr, out);
}

absl::Status Encode(const GrabJob& message, OutputBuffer& out) {
  EncodeGrabs(message, 1, out);
  return absl::OkStatus();
}

void EncodeGrabs(const GrabJob& message, int count, OutputBuffer& out) {
  if (count <= 0) return;
  const Command command = message.kind == GrabKind::kPlain ? Command::kGrabJob
                          : message.kind == GrabKind::kUnique
                              ? Command::kGrabJobUniq
                              : Command::kGrabJobAll;
  const Header header = {/*response=*/false, static_cast<uint32_t>(command), 0};
  char* bytes =
      out.AppendUninitialized(kHeaderBytes * static_cast<size_t>(count));
  for (int i = 0; i < count; ++i, bytes += kHeaderBytes) {
    WriteHeader(header, bytes);
  }
}

absl::Status Encode(SubmitJob message, OutputBuffer& out) {
  const Command command = SubmitCommand(message.priority, message.background);
  absl::Status status = CheckKey(command, 1, message.unique);
  if (!status.ok()) return status;
  return AppendRequest(command, {message.function, message.unique},
                       &message.data, out);
}

absl::Status Encode(SubmitJobScheduled message, OutputBuffer& out) {
  absl::Status status = CheckKey(Command::kSubmitJobSched, 1, message.unique);
  if (!status.ok()) return status;
  return AppendRequest(
      Command::kSubmitJobSched,
      {message.function, message.unique, message.minute, message.hour,
       message.day_of_month, message.month, message.day_of_week},
      &message.data, out);
}

absl::Status Encode(SubmitJobEpoch message, OutputBuffer& out) {
  absl::Status status = CheckKey(Command::kSubmitJobEpoch, 1, message.unique);
  if (!status.ok()) return status;
  if (!IsNumber<int64_t>(message.epoch)) {
    return Refuse(Command::kSubmitJobEpoch, 2, message.epoch,
                  "must be a number of seconds since 1970 from 0 to "
                  "9223372036854775807, in decimal digits");
  }
  return AppendRequest(Command::kSubmitJobEpoch,
                       {message.function, message.unique, message.epoch},
                       &message.data, out);
}

absl::Status Encode(SubmitReduceJob message, OutputBuffer& out) {
  const Command command = message.background
                              ? Command::kSubmitReduceJobBackground
                              : Command::kSubmitReduceJob;
  absl::Status status = CheckKey(command, 1, message.unique);
  if (!status.ok()) return status;
  return AppendRequest(
      command,
      {message.function, message.unique, message.reducer, message.unused},
      &message.data, out);
}

absl::Status Encode(const GetStatus& message, OutputBuffer& out) {
  absl::Status status = CheckKey(Command::kGetStatus, 0, message.handle);
  if (!status.ok()) return status;
  return AppendRequest(Command::kGetStatus, {message.handle}, nullptr, out);
}

absl::Status Encode(const GetStatusUnique& message, OutputBuffer& out) {
  absl::Status status = CheckKey(Command::kGetStatusUnique, 0, message.unique);
  if (!status.ok()) return status;
  return AppendRequest(Command::kGetStatusUnique, {message.unique}, nullptr,
                       out);
}

absl::Status Encode(EchoRequest message, OutputBuffer& out) {
  return AppendRequest(Command::kEchoReq, {}, &message.data, out);
}

absl::Status Encode(const OptionRequest& message, OutputBuffer& out) {
  return AppendRequest(Command::kOptionReq, {message.option}, nullptr, out);
}

// --- both ways ---------------------------------------------------------------

absl::Status Encode(const WorkStatus& message, OutputBuffer& out,
                    Sender sender) {
  absl::Status status = CheckKey(Command::kWorkStatus, 0, message.handle);
  if (!status.ok()) return status;
  return Append(Command::kWorkStatus, sender == Sender::kServer,
                {message.handle, message.numerator, message.denominator},
                nullptr, out);
}

absl::Status Encode(WorkComplete message, OutputBuffer& out, Sender sender) {
  absl::Status status = CheckKey(Command::kWorkComplete, 0, message.handle);
  if (!status.ok()) return status;
  return Append(Command::kWorkComplete, sender == Sender::kServer,
                {message.handle}, &message.data, out);
}

absl::Status Encode(const WorkFail& message, OutputBuffer& out, Sender sender) {
  absl::Status status = CheckKey(Command::kWorkFail, 0, message.handle);
  if (!status.ok()) return status;
  return Append(Command::kWorkFail, sender == Sender::kServer, {message.handle},
                nullptr, out);
}

absl::Status Encode(WorkException message, OutputBuffer& out, Sender sender) {
  absl::Status status = CheckKey(Command::kWorkException, 0, message.handle);
  if (!status.ok()) return status;
  return Append(Command::kWorkException, sender == Sender::kServer,
                {message.handle}, &message.data, out);
}

absl::Status Encode(WorkData message, OutputBuffer& out, Sender sender) {
  absl::Status status = CheckKey(Command::kWorkData, 0, message.handle);
  if (!status.ok()) return status;
  return Append(Command::kWorkData, sender == Sender::kServer, {message.handle},
                &message.data, out);
}

absl::Status Encode(WorkWarning message, OutputBuffer& out, Sender sender) {
  absl::Status status = CheckKey(Command::kWorkWarning, 0, message.handle);
  if (!status.ok()) return status;
  return Append(Command::kWorkWarning, sender == Sender::kServer,
                {message.handle}, &message.data, out);
}

// --- from the server ---------------------------------------------------------

absl::Status Encode(EchoResponse message, OutputBuffer& out) {
  return AppendResponse(Command::kEchoRes, {}, &message.data, out);
}

absl::Status Encode(const OptionResponse& message, OutputBuffer& out) {
  return AppendResponse(Command::kOptionRes, {message.option}, nullptr, out);
}

absl::Status Encode(const Error& message, OutputBuffer& out) {
  Payload text = Payload::View(message.text);
  return AppendResponse(Command::kError, {message.code}, &text, out);
}

absl::Status Encode(const JobCreated& message, OutputBuffer& out) {
  return AppendResponse(Command::kJobCreated, {message.handle}, nullptr, out);
}

absl::Status Encode(const StatusResult& message, OutputBuffer& out) {
  return AppendResponse(Command::kStatusRes,
                        {message.handle, message.known, message.running,
                         message.numerator, message.denominator},
                        nullptr, out);
}

absl::Status Encode(const StatusResultUnique& message, OutputBuffer& out) {
  return AppendResponse(
      Command::kStatusResUnique,
      {message.unique, message.known, message.running, message.numerator,
       message.denominator, message.client_count},
      nullptr, out);
}

absl::Status Encode(const Noop&, OutputBuffer& out) {
  return AppendResponse(Command::kNoop, {}, nullptr, out);
}

absl::Status Encode(const NoJob&, OutputBuffer& out) {
  return AppendResponse(Command::kNoJob, {}, nullptr, out);
}

absl::Status Encode(JobAssign message, OutputBuffer& out) {
  switch (message.kind) {
    case GrabKind::kPlain:
      break;
    case GrabKind::kUnique:
      return AppendResponse(Command::kJobAssignUniq,
                            {message.handle, message.function, message.unique},
                            &message.data, out);
    case GrabKind::kAll:
      return AppendResponse(
          Command::kJobAssignAll,
          {message.handle, message.function, message.unique, message.reducer},
          &message.data, out);
  }
  return AppendResponse(Command::kJobAssign, {message.handle, message.function},
                        &message.data, out);
}

}  // namespace wire
}  // namespace gearman
