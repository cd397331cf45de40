#include "gearman/benchmarks/compare/crowd.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace benchmarks {
namespace {

// Jobs that are submitted by one write.
constexpr int kBatch = 1000;
// The function of the jobs that wait. No worker of the measurement does it.
constexpr char kWaiting[] = "waiting";

// Waits until the server has read everything that was sent over the socket.
void AwaitEcho(BareSocket* socket) {
  std::string packet;
  AppendHeader(kEchoReq, 0, &packet);
  bool answered = false;
  const auto on_packet = [&answered](uint32_t type, absl::string_view) {
    if (type == kEchoRes) answered = true;
  };
  socket->Send(packet, on_packet);
  while (!answered) socket->Receive(on_packet);
}

void Register(int functions, BareSocket* socket) {
  std::string packets;
  for (int i = 0; i < functions; ++i) {
    const std::string name = absl::StrCat("function ", i);
    AppendHeader(kCanDo, name.size(), &packets);
    packets += name;
  }
  socket->Send(packets, [](uint32_t, absl::string_view) {});
  AwaitEcho(socket);
}

void Queue(int jobs, int payload_bytes, BareSocket* socket) {
  const std::string payload(static_cast<size_t>(payload_bytes), 'q');
  std::string packets;
  for (int i = 0; i < kBatch; ++i) {
    AppendSubmit(kSubmitJobBg, kWaiting, payload, &packets);
  }
  const size_t packet = packets.size() / kBatch;
  for (int left = jobs; left > 0;) {
    const int count = std::min(left, kBatch);
    packets.resize(packet * static_cast<size_t>(count));
    int accepted = 0;
    const auto on_packet = [&accepted](uint32_t type, absl::string_view) {
      if (type == kJobCreated) ++accepted;
    };
    socket->Send(packets, on_packet);
    while (accepted < count) socket->Receive(on_packet);
    left -= count;
  }
}

}  // namespace

Crowd::Crowd(uint16_t port, const Workload& workload) {
  for (int i = 0; i < workload.idle_connections; ++i) {
    sockets_.emplace_back(port);
    // An embedded server may close a connection that sends nothing.
    AwaitEcho(&sockets_.back());
  }
  // The server may limit the functions of a connection.
  constexpr int kOfEach = 10'000;
  for (int left = workload.functions; left > 0; left -= kOfEach) {
    sockets_.emplace_back(port);
    Register(std::min(left, kOfEach), &sockets_.back());
  }
  if (workload.queued > 0) {
    sockets_.emplace_back(port);
    Queue(workload.queued, workload.payload_bytes, &sockets_.back());
  }
}

}  // namespace benchmarks
}  // namespace gearman
