#include "gearman/benchmarks/compare/crowd.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace gearman {
namespace benchmarks {
namespace {

// Jobs that are submitted by one write.
constexpr int kBatch = 1000;
// The function of the jobs that wait. No worker of the measurement does it.
constexpr char kWaiting[] = "waiting";

// Thousands of connections that are idle need little memory.
constexpr size_t kInputBytes = 4096;

// Sends packets, and waits until the server has read them.
void SendAndAwait(std::string packets, BareSocket* socket) {
  AppendHeader(kEchoReq, 0, &packets);
  socket->SendCounting(packets, kEchoRes);
  socket->AwaitCount(1, kEchoRes);
}

void Register(int functions, BareSocket* socket) {
  std::string packets;
  for (int i = 0; i < functions; ++i) {
    const std::string name = absl::StrCat("function ", i);
    AppendHeader(kCanDo, name.size(), &packets);
    packets += name;
  }
  SendAndAwait(std::move(packets), socket);
}

void Queue(int jobs, int payload_bytes, BareSocket* socket) {
  const std::string payload(static_cast<size_t>(payload_bytes), 'q');
  std::string packets;
  for (int i = 0; i < kBatch; ++i) {
    AppendSubmit(kSubmitJobBg, kWaiting, payload, &packets);
  }
  const size_t packet = packets.size() / kBatch;
  for (int left = jobs; left > 0; left -= kBatch) {
    const int count = std::min(left, kBatch);
    packets.resize(packet * static_cast<size_t>(count));
    socket->SendCounting(packets, kJobCreated);
    socket->AwaitCount(count, kJobCreated);
  }
}

}  // namespace

Crowd::Crowd(uint16_t port, const Workload& workload) {
  for (int i = 0; i < workload.idle_connections; ++i) {
    sockets_.emplace_back(port, kInputBytes);
    // An embedded server may close a connection that sends nothing.
    SendAndAwait("", &sockets_.back());
  }
  // The server may limit the functions of a connection.
  constexpr int kOfEach = 10'000;
  for (int left = workload.functions; left > 0; left -= kOfEach) {
    sockets_.emplace_back(port, kInputBytes);
    Register(std::min(left, kOfEach), &sockets_.back());
  }
  if (workload.queued > 0) {
    sockets_.emplace_back(port);
    Queue(workload.queued, workload.payload_bytes, &sockets_.back());
  }
}

}  // namespace benchmarks
}  // namespace gearman
