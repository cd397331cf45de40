#include "gearman/tests/conformance/peer.h"

#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/raw_packet.h"
#include "gtest/gtest.h"

namespace gearman {
namespace conformance {
namespace {

constexpr Poller::Key kKey = 1;

// A response's arguments, of which the last runs to the end.
Arguments Split(const wire::CommandInfo& info, absl::string_view body) {
  Arguments arguments;
  const size_t count = info.argument_count + (info.has_data ? 1 : 0);
  while (arguments.size() + 1 < count) {
    const size_t end = body.find('\0');
    arguments.emplace_back(body.substr(0, end));
    body.remove_prefix(std::min(end, body.size() - 1) + 1);
  }
  if (count > 0) arguments.emplace_back(body);
  return arguments;
}

uint32_t BigEndian(absl::string_view bytes) {
  uint32_t number = 0;
  for (int i = 0; i < 4; ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Packet& packet) {
  out << wire::CommandName(static_cast<uint32_t>(packet.command)) << "(";
  const char* separator = "";
  for (const std::string& argument : packet.arguments) {
    out << separator << '"' << absl::CHexEscape(argument.substr(0, 100)) << '"';
    if (argument.size() > 100) out << "... " << argument.size() << " bytes";
    separator = ", ";
  }
  return out << ")";
}

bool HasErrorCode(const Packet& packet, absl::string_view code) {
  return packet.command == wire::Command::kError &&
         packet.arguments.size() == 2 && packet.arguments[0] == code;
}

std::string Request(wire::Command command, const Arguments& arguments) {
  return support::RequestPacket(static_cast<uint32_t>(command), arguments);
}

Peer::Peer(const MakeTransport& make_transport) {
  absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
  if (!poller.ok()) {
    ADD_FAILURE() << poller.status();
    ended_ = true;
    return;
  }
  poller_ = *std::move(poller);
  absl::StatusOr<std::unique_ptr<Transport>> transport =
      make_transport(poller_.get(), kKey);
  if (!transport.ok()) {
    ADD_FAILURE() << transport.status();
    ended_ = true;
    return;
  }
  transport_ = *std::move(transport);
  const absl::Time deadline = poller_->clock()->Now() + support::kBound;
  std::vector<Poller::Key> ready;
  for (;;) {
    const IoResult result = transport_->Connect();
    if (result.done()) break;
    if (!result.would_block() || poller_->clock()->Now() > deadline) {
      ADD_FAILURE() << "can't connect to " << transport_->Describe() << ": "
                    << result.status;
      ended_ = true;
      return;
    }
    EXPECT_TRUE(poller_->Watch(kKey, transport_->interest(false)).ok());
    poller_->Wait(deadline, &ready);
  }
  poller_->RunDeferred();
}

Peer::~Peer() { Close(); }

void Peer::Close() {
  ended_ = true;
  if (transport_ == nullptr) return;
  poller_->Forget(kKey);
  transport_->Close();
  poller_->RunDeferred();
  transport_ = nullptr;
}

void Peer::SendBytes(absl::string_view bytes) {
  if (transport_ == nullptr) return;
  const absl::Time deadline = poller_->clock()->Now() + support::kBound;
  std::vector<Poller::Key> ready;
  while (!bytes.empty()) {
    const IoResult result = transport_->Write({bytes});
    if (result.done()) {
      bytes.remove_prefix(result.bytes);
    } else if (!result.would_block()) {
      return;  // The test will find that the stream has ended.
    } else if (poller_->clock()->Now() > deadline) {
      ADD_FAILURE() << "the server takes no more: " << bytes.size()
                    << " bytes are left";
      return;
    } else {
      EXPECT_TRUE(poller_->Watch(kKey, transport_->interest(true)).ok());
      poller_->Wait(deadline, &ready);
    }
  }
  // A server in this process runs now.
  poller_->RunDeferred();
}

void Peer::Send(wire::Command command, const Arguments& arguments) {
  SendBytes(Request(command, arguments));
}

void Peer::SendAll(const std::vector<Packet>& packets) {
  std::string bytes;
  for (const Packet& packet : packets) {
    bytes += Request(packet.command, packet.arguments);
  }
  SendBytes(bytes);
}

bool Peer::ReadSome(absl::Time deadline) {
  std::array<char, 65536> memory;
  std::vector<Poller::Key> ready;
  while (!ended_) {
    const IoResult result = transport_->Read(absl::MakeSpan(memory));
    if (result.done()) {
      input_.append(memory.data(), result.bytes);
      return true;
    }
    if (!result.would_block()) {
      ended_ = true;
      return false;
    }
    if (poller_->clock()->Now() >= deadline) return false;
    EXPECT_TRUE(poller_->Watch(kKey, transport_->interest(false)).ok());
    poller_->Wait(deadline, &ready);
  }
  return false;
}

bool Peer::Need(size_t bytes) {
  if (input_.size() >= bytes) return true;
  const absl::Time deadline = poller_->clock()->Now() + support::kBound;
  while (input_.size() < bytes) {
    if (ReadSome(deadline)) continue;
    ADD_FAILURE() << (ended_ ? "the stream has ended" : "nothing comes")
                  << " after \"" << absl::CHexEscape(input_.substr(0, 100))
                  << '"';
    return false;
  }
  return true;
}

Packet Peer::Receive() {
  if (!Need(wire::kHeaderBytes)) return Packet();
  const absl::string_view header(input_);
  if (!absl::StartsWith(header, wire::kResponseMagic)) {
    ADD_FAILURE() << "no packet: " << absl::CHexEscape(input_.substr(0, 100));
    return Packet();
  }
  const uint32_t type = BigEndian(header.substr(4));
  const size_t size = BigEndian(header.substr(8));
  const wire::CommandInfo* const info = wire::FindCommand(type);
  if (info == nullptr) {
    ADD_FAILURE() << "unknown packet type " << type;
    return Packet();
  }
  if (!Need(wire::kHeaderBytes + size)) return Packet();
  Packet packet(info->command, Split(*info, absl::string_view(input_).substr(
                                                wire::kHeaderBytes, size)));
  input_.erase(0, wire::kHeaderBytes + size);
  return packet;
}

Packet Peer::Call(wire::Command command, const Arguments& arguments) {
  Send(command, arguments);
  return Receive();
}

std::vector<Packet> Peer::Drain() {
  const Packet barrier(wire::Command::kEchoRes,
                       {absl::StrCat("barrier ", ++barriers_)});
  Send(wire::Command::kEchoReq, barrier.arguments);
  std::vector<Packet> packets;
  for (;;) {
    Packet packet = Receive();
    if (packet == barrier || packet == Packet()) return packets;
    packets.push_back(std::move(packet));
  }
}

std::string Peer::ReceiveLine() {
  size_t end;
  while ((end = input_.find('\n')) == std::string::npos) {
    if (!Need(input_.size() + 1)) return "";
  }
  std::string line = input_.substr(0, end + 1);
  input_.erase(0, end + 1);
  return line;
}

std::string Peer::Ask(absl::string_view line) {
  SendBytes(line);
  return ReceiveLine();
}

std::string Peer::AskList(absl::string_view line) {
  SendBytes(line);
  std::string list;
  for (;;) {
    const std::string next = ReceiveLine();
    list += next;
    if (next == ".\n" || next.empty()) return list;
  }
}

bool Peer::Readable(absl::Duration wait) {
  return !input_.empty() || ReadSome(poller_->clock()->Now() + wait) || ended_;
}

bool Peer::ClosedByServer() {
  const absl::Time deadline = poller_->clock()->Now() + support::kBound;
  while (!ended_ && input_.empty() && poller_->clock()->Now() < deadline) {
    ReadSome(deadline);
  }
  return ended_ && input_.empty();
}

}  // namespace conformance
}  // namespace gearman
