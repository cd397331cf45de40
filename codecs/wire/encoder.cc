#include "gearman/codecs/wire/encoder.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/packets.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace wire {
namespace {

using layout::ArgumentKind;
using layout::kPacket;

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

absl::Status Refuse(Command command, size_t index, absl::string_view argument,
                    absl::string_view why) {
  const CommandInfo& info = *FindCommand(static_cast<uint32_t>(command));
  return absl::InvalidArgumentError(
      absl::StrCat(info.name, ": the ", info.arguments[index], " \"",
                   Shown(argument), "\" (", argument.size(), " bytes) ", why));
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

// Returns why a server can't take the argument. Empty if it can. Servers refuse
// keys that are too long, mix them up or are silent. This is a template so that
// compilers inline it.
template <ArgumentKind kKind>
absl::string_view WhyBad([[maybe_unused]] absl::string_view argument) {
  if constexpr (kKind == layout::kKey) {
    if (argument.size() > kMaxUniqueBytes) {
      return "is too long: a server keeps 63 bytes; shorten it";
    }
  } else if constexpr (kKind == layout::kMilliseconds) {
    if (!IsNumber<uint32_t>(argument)) {
      return "must be a number of milliseconds from 0 to 4294967295, in "
             "decimal digits";
    }
  } else if constexpr (kKind == layout::kEpoch) {
    if (!IsNumber<int64_t>(argument)) {
      return "must be a number of seconds since 1970 from 0 to "
             "9223372036854775807, in decimal digits";
    }
  }
  return "";
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

absl::Status TooLarge(uint32_t type, uint64_t data_bytes) {
  return absl::InvalidArgumentError(
      absl::StrCat(CommandName(type), ": the data of ", data_bytes,
                   " bytes is too large: a packet holds less than 4 GiB"));
}

// Writes the header and returns the address for the arguments; PutData follows.
// Returns null if the packet is too large; `status` then has the error.
char* Begin(Command command, Sender sender, size_t argument_bytes,
            const Payload* data, OutputBuffer& out, absl::Status* status) {
  const size_t data_bytes = data == nullptr ? 0 : data->size();
  const uint64_t body_bytes = uint64_t{argument_bytes} + data_bytes;
  if (body_bytes > std::numeric_limits<uint32_t>::max()) {
    *status = TooLarge(static_cast<uint32_t>(command), data_bytes);
    return nullptr;
  }
  char* const bytes = out.AppendUninitialized(
      kHeaderBytes + argument_bytes + (IsInlined(data) ? data_bytes : 0));
  WriteHeader({sender == Sender::kServer, static_cast<uint32_t>(command),
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
absl::Status Append(Command command, Sender sender,
                    const std::array<absl::string_view, kCount>& arguments,
                    Payload* data, OutputBuffer& out) {
  size_t argument_bytes = kCount == 0 || data != nullptr ? kCount : kCount - 1;
  bool has_nul = false;
  for (const absl::string_view argument : arguments) {
    has_nul |= HasNul(argument);
    argument_bytes += argument.size();
  }
  if constexpr (kCount > 0) {
    if (has_nul) return RefuseNul(command, arguments);
    if (argument_bytes > kMaxArgumentBytes) {
      return RefuseLength(command, arguments, argument_bytes);
    }
  }
  absl::Status status;
  char* bytes = Begin(command, sender, argument_bytes, data, out, &status);
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

// The numbers of the arguments of a row.
template <size_t kRow>
using ArgumentsOf = std::make_index_sequence<kPacket<kRow>.kArguments>;

// Appends the packet that `message` is: that of kRow or of a later row.
template <size_t kRow, typename Message, size_t... kIndex>
absl::Status EncodeFrom(Message& message, Sender sender, OutputBuffer& out,
                        std::index_sequence<kIndex...>) {
  constexpr const auto& row = kPacket<kRow>;
  constexpr size_t kNext = layout::NextRow<Message>(kRow + 1);
  if constexpr (kNext < layout::kPacketCount) {
    if (!row.IsFor(message)) {
      return EncodeFrom<kNext>(message, sender, out, ArgumentsOf<kNext>());
    }
  }
  const std::array<absl::string_view, row.kArguments> arguments = {
      message.*row.arguments[kIndex].member...};
  if constexpr (kGoesTo<Message, ToServer>) {
    size_t index = 0;
    absl::string_view why;
    const bool is_bad =
        ((index = kIndex,
          why = WhyBad<row.arguments[kIndex].kind>(arguments[kIndex]),
          !why.empty()) ||
         ...);
    if (is_bad) {
      return Refuse(row.info.command, index, arguments[index], why);
    }
  }
  if constexpr (!row.kHasData) {
    return Append(row.info.command, sender, arguments, nullptr, out);
  } else if constexpr (std::is_same_v<Message, Error>) {
    Payload text = Payload::View(message.*row.data);
    return Append(row.info.command, sender, arguments, &text, out);
  } else {
    return Append(row.info.command, sender, arguments, &(message.*row.data),
                  out);
  }
}

// Returns what `message` is: the packet of kRow or of a later row.
template <typename Message, size_t kRow = layout::NextRow<Message>(0)>
Command CommandOf(const Message& message) {
  constexpr size_t kNext = layout::NextRow<Message>(kRow + 1);
  if constexpr (kNext < layout::kPacketCount) {
    if (!kPacket<kRow>.IsFor(message)) {
      return CommandOf<Message, kNext>(message);
    }
  }
  return kPacket<kRow>.info.command;
}

}  // namespace

template <typename Message>
absl::Status EncodePacket(Message& message, Sender sender, OutputBuffer& out) {
  constexpr size_t kRow = layout::NextRow<Message>(0);
  if constexpr (!kGoesTo<Message, ToServer>) {
    sender = Sender::kServer;
  } else if constexpr (!kGoesTo<Message, ToClient>) {
    sender = Sender::kWorker;
  }
  return EncodeFrom<kRow>(message, sender, out, ArgumentsOf<kRow>());
}

template absl::Status EncodePacket(CanDo&, Sender, OutputBuffer&);
template absl::Status EncodePacket(CanDoTimeout&, Sender, OutputBuffer&);
template absl::Status EncodePacket(CantDo&, Sender, OutputBuffer&);
template absl::Status EncodePacket(ResetAbilities&, Sender, OutputBuffer&);
template absl::Status EncodePacket(PreSleep&, Sender, OutputBuffer&);
template absl::Status EncodePacket(AllYours&, Sender, OutputBuffer&);
template absl::Status EncodePacket(SetClientId&, Sender, OutputBuffer&);
template absl::Status EncodePacket(GrabJob&, Sender, OutputBuffer&);
template absl::Status EncodePacket(WorkStatus&, Sender, OutputBuffer&);
template absl::Status EncodePacket(WorkComplete&, Sender, OutputBuffer&);
template absl::Status EncodePacket(WorkFail&, Sender, OutputBuffer&);
template absl::Status EncodePacket(WorkException&, Sender, OutputBuffer&);
template absl::Status EncodePacket(WorkData&, Sender, OutputBuffer&);
template absl::Status EncodePacket(WorkWarning&, Sender, OutputBuffer&);
template absl::Status EncodePacket(SubmitJob&, Sender, OutputBuffer&);
template absl::Status EncodePacket(SubmitJobScheduled&, Sender, OutputBuffer&);
template absl::Status EncodePacket(SubmitJobEpoch&, Sender, OutputBuffer&);
template absl::Status EncodePacket(SubmitReduceJob&, Sender, OutputBuffer&);
template absl::Status EncodePacket(GetStatus&, Sender, OutputBuffer&);
template absl::Status EncodePacket(GetStatusUnique&, Sender, OutputBuffer&);
template absl::Status EncodePacket(EchoRequest&, Sender, OutputBuffer&);
template absl::Status EncodePacket(OptionRequest&, Sender, OutputBuffer&);
template absl::Status EncodePacket(EchoResponse&, Sender, OutputBuffer&);
template absl::Status EncodePacket(OptionResponse&, Sender, OutputBuffer&);
template absl::Status EncodePacket(Error&, Sender, OutputBuffer&);
template absl::Status EncodePacket(JobCreated&, Sender, OutputBuffer&);
template absl::Status EncodePacket(StatusResult&, Sender, OutputBuffer&);
template absl::Status EncodePacket(StatusResultUnique&, Sender, OutputBuffer&);
template absl::Status EncodePacket(Noop&, Sender, OutputBuffer&);
template absl::Status EncodePacket(NoJob&, Sender, OutputBuffer&);
template absl::Status EncodePacket(JobAssign&, Sender, OutputBuffer&);

absl::Status AppendPacketWithBody(const OutputBuffer& head,
                                  std::shared_ptr<OutgoingBody> body,
                                  OutputBuffer& out) {
  std::string bytes;
  bytes.reserve(head.size());
  std::array<absl::string_view, 4> pieces;
  const size_t count = head.Gather(absl::MakeSpan(pieces));
  for (size_t i = 0; i < count; ++i) {
    bytes.append(pieces[i].data(), pieces[i].size());
  }
  Header header;
  if (!ReadHeader(bytes.data(), &header)) {
    return absl::InternalError("the head of a packet has no header");
  }
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  if (body->size() > kMost - header.body_bytes) {
    return TooLarge(header.type, body->size());
  }
  header.body_bytes += static_cast<uint32_t>(body->size());
  WriteHeader(header, &bytes[0]);
  out.AppendWithBody(bytes, std::move(body));
  return absl::OkStatus();
}

void EncodeGrabs(const GrabJob& message, int count, OutputBuffer& out) {
  if (count <= 0) return;
  const Header header = {/*response=*/false,
                         static_cast<uint32_t>(CommandOf(message)), 0};
  char* bytes =
      out.AppendUninitialized(kHeaderBytes * static_cast<size_t>(count));
  for (int i = 0; i < count; ++i, bytes += kHeaderBytes) {
    WriteHeader(header, bytes);
  }
}

}  // namespace wire
}  // namespace gearman
