// Each packet of the table, from the table: there and back, for each receiver.
// The bytes that are written by hand are in messages.cc and encoder_test.cc.
#include "gearman/codecs/wire/packets.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/decoder.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/codecs/wire/packet_row.h"
#include "gearman/tests/codecs/wire/messages.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

using layout::ArgumentKind;
using layout::kPacket;
using layout::MessageOf;
using support::RequestPacket;
using support::ResponsePacket;

template <size_t kRow>
using Row = std::integral_constant<size_t, kRow>;

template <typename Use, size_t... kRow>
void ForEachRow(const Use& use, std::index_sequence<kRow...>) {
  (use(Row<kRow>()), ...);
}

// Calls `use(Row<n>())` for each row that is a packet.
template <typename Use>
void ForEachPacket(const Use& use) {
  ForEachRow(
      [&use](auto row) {
        if constexpr (kIsPacket<MessageOf<row>>) {
          SCOPED_TRACE(kPacket<row>.info.name);
          use(row);
        }
      },
      layout::Rows());
}

constexpr absl::string_view kData("\0data\0", 6);

// An argument that a server takes, another one for each.
std::string ArgumentFor(ArgumentKind kind, absl::string_view name) {
  switch (kind) {
    case layout::kMilliseconds:
      return "4294967295";
    case layout::kEpoch:
      return "9223372036854775807";
    case layout::kText:
    case layout::kKey:
    case layout::kNumber:
      break;
  }
  return absl::StrCat("the ", name);
}

template <size_t kRow>
std::vector<std::string> ArgumentsFor() {
  std::vector<std::string> arguments;
  for (const auto& argument : kPacket<kRow>.arguments) {
    arguments.push_back(ArgumentFor(argument.kind, argument.name));
  }
  return arguments;
}

void SetData(absl::string_view data, Payload* member) {
  *member = Payload::View(data);
}
void SetData(absl::string_view data, absl::string_view* member) {
  *member = data;
}
absl::string_view DataOf(const Payload& member) { return member.view(); }
absl::string_view DataOf(absl::string_view member) { return member; }

// Returns the message with these arguments, which must outlive it.
template <size_t kRow>
MessageOf<kRow> Message(const std::vector<std::string>& arguments) {
  MessageOf<kRow> message;
  kPacket<kRow>.SetConditions(message);
  for (size_t i = 0; i < arguments.size(); ++i) {
    message.*kPacket<kRow>.arguments[i].member = arguments[i];
  }
  if constexpr (kPacket<kRow>.kHasData) {
    SetData(kData, &(message.*kPacket<kRow>.data));
  }
  return message;
}

// The packet, apart from encoder and decoder.
template <size_t kRow>
std::string PacketOf(std::vector<std::string> arguments, bool response) {
  const auto type = static_cast<uint32_t>(kPacket<kRow>.info.command);
  if (kPacket<kRow>.kHasData) arguments.emplace_back(kData);
  return response ? ResponsePacket(type, arguments)
                  : RequestPacket(type, arguments);
}

// The status of encoding as `sender` does; `packet` gets the bytes.
template <typename Message>
absl::Status EncodeAs(Sender sender, Message message, std::string* packet) {
  OutputBuffer out;
  absl::Status status = Encode(std::move(message), out, sender);
  *packet = Drain(out);
  return status;
}

TEST(PacketsTest, AreEncodedAsTheirRowsSay) {
  ForEachPacket([](auto row) {
    using Sent = MessageOf<row>;
    const std::vector<std::string> arguments = ArgumentsFor<row>();
    for (const Sender sender : {Sender::kWorker, Sender::kServer}) {
      const bool response =
          !kGoesTo<Sent, ToServer> ||
          (kGoesTo<Sent, ToClient> && sender == Sender::kServer);
      std::string packet;
      const absl::Status status =
          EncodeAs(sender, Message<row>(arguments), &packet);
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(packet, (PacketOf<row>(arguments, response)));
    }
  });
}

// Whether the receiver gets what the row says, in pieces of at most `chunk`.
template <typename Receiver, size_t kRow>
void ExpectDecoded(size_t chunk) {
  if constexpr (kGoesTo<MessageOf<kRow>, Receiver>) {
    const std::vector<std::string> arguments = ArgumentsFor<kRow>();
    constexpr bool kResponse = !std::is_same_v<Receiver, ToServer>;
    const std::string packet = PacketOf<kRow>(arguments, kResponse);
    Decoder<Receiver> decoder;
    Receiver event;
    int events = 0;
    Feed(decoder, packet + packet, chunk, &event, [&] {
      ++events;
      const auto* const message = std::get_if<MessageOf<kRow>>(&event);
      ASSERT_NE(message, nullptr);
      EXPECT_TRUE(kPacket<kRow>.IsFor(*message));
      for (size_t i = 0; i < arguments.size(); ++i) {
        EXPECT_EQ(message->*kPacket<kRow>.arguments[i].member, arguments[i]);
      }
      if constexpr (kPacket<kRow>.kHasData) {
        EXPECT_EQ(DataOf(message->*kPacket<kRow>.data), kData);
      }
      // Members without an argument are empty.
      EXPECT_EQ(Describe(event), Describe(Receiver(Message<kRow>(arguments))));
      OutputBuffer out;
      EXPECT_TRUE(EncodeTo(event, out).ok());
      EXPECT_EQ(Drain(out), packet);
    });
    EXPECT_EQ(events, 2) << decoder.error();
  }
}

TEST(PacketsTest, AreDecodedAsTheirRowsSay) {
  ForEachPacket([](auto row) {
    for (const size_t chunk : {size_t{1}, size_t{7}, size_t{1000}}) {
      ExpectDecoded<ToServer, row>(chunk);
      ExpectDecoded<ToClient, row>(chunk);
      ExpectDecoded<ToWorker, row>(chunk);
    }
  });
}

// An event that has held every other message before.
TEST(PacketsTest, LeaveNothingInTheEventForTheNext) {
  std::string stream;
  std::vector<std::string> expected;
  const std::vector<Example<ToWorker>> examples = Examples<ToWorker>();
  for (const Example<ToWorker>& first : examples) {
    for (const Example<ToWorker>& next : examples) {
      absl::StrAppend(&stream, first.packet, next.packet);
      expected.push_back(Describe(first.message));
      expected.push_back(Describe(next.message));
    }
  }
  EXPECT_EQ(Decode<ToWorker>(stream).messages, expected);
}

// Trap 3.
TEST(PacketsTest, NoArgumentMayHoldANul) {
  ForEachPacket([](auto row) {
    for (size_t i = 0; i < kPacket<row>.kArguments; ++i) {
      std::vector<std::string> arguments = ArgumentsFor<row>();
      arguments[i] = std::string("1\0", 2);
      std::string packet;
      const absl::Status status =
          EncodeAs(Sender::kServer, Message<row>(arguments), &packet);
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_TRUE(absl::StartsWith(
          status.message(), absl::StrCat(kPacket<row>.info.name, ": the ",
                                         kPacket<row>.arguments[i].name,
                                         " \"1\\x00\" (2 bytes)")))
          << status;
      EXPECT_EQ(packet, "");
    }
  });
}

TEST(PacketsTest, KeysToServersHaveAtMost63Bytes) {
  ForEachPacket([](auto row) {
    for (size_t i = 0; i < kPacket<row>.kArguments; ++i) {
      if (kPacket<row>.arguments[i].kind != layout::kKey) continue;
      std::vector<std::string> arguments = ArgumentsFor<row>();
      std::string packet;
      arguments[i] = std::string(63, 'k');
      EXPECT_TRUE(
          EncodeAs(Sender::kWorker, Message<row>(arguments), &packet).ok());
      arguments[i].push_back('k');
      const absl::Status status =
          EncodeAs(Sender::kWorker, Message<row>(arguments), &packet);
      EXPECT_EQ(status.ok(), (!kGoesTo<MessageOf<row>, ToServer>)) << status;
    }
  });
}

// Sends a last argument with `behind` behind it. A key or a number is read with
// `left` behind it, any other argument as it is.
template <typename Receiver, size_t kRow>
void ExpectLastArgumentCut(absl::string_view behind, absl::string_view left) {
  if constexpr (kGoesTo<MessageOf<kRow>, Receiver>) {
    std::vector<std::string> arguments = ArgumentsFor<kRow>();
    absl::StrAppend(&arguments.back(), behind);
    constexpr auto kLast = kPacket<kRow>.arguments.back();
    constexpr bool kResponse = !std::is_same_v<Receiver, ToServer>;
    Decoder<Receiver> decoder;
    Receiver event;
    int events = 0;
    Feed(decoder, PacketOf<kRow>(arguments, kResponse), 1000, &event, [&] {
      ++events;
      const absl::string_view got =
          std::get<MessageOf<kRow>>(event).*kLast.member;
      const bool cut =
          kLast.kind == layout::kKey || kLast.kind == layout::kNumber;
      EXPECT_EQ(got, absl::StrCat(ArgumentFor(kLast.kind, kLast.name),
                                  cut ? left : behind));
    });
    EXPECT_EQ(events, 1) << decoder.error();
  }
}

// Trap 21.
TEST(PacketsTest, TheLastKeyOrNumberEndsAtItsNul) {
  const absl::string_view nuls("\0\0", 2);
  const absl::string_view more("\0x", 2);
  ForEachPacket([&](auto row) {
    if constexpr (!kPacket<row>.kHasData && kPacket<row>.kArguments > 0) {
      ExpectLastArgumentCut<ToServer, row>(nuls, "");
      ExpectLastArgumentCut<ToServer, row>(more, "");
      ExpectLastArgumentCut<ToClient, row>(nuls, "");
      ExpectLastArgumentCut<ToClient, row>(more, more);
      ExpectLastArgumentCut<ToWorker, row>(nuls, "");
    }
  });
}

}  // namespace
}  // namespace wire
}  // namespace gearman
