// Records every function that one job calls in a client, and every function
// that one job calls in a worker. tools/calls builds this program with
// -finstrument-functions, runs it, and counts what it prints.
//
// The server is a thread of this program that speaks the protocol over real
// TCP. It answers a submission with JOB_CREATED and WORK_COMPLETE in one write,
// and it answers each grab with a job. So each job makes the same calls. Only
// the thread of the client, or of the worker, is recorded, after a warm-up.
//
// The output has one line for each event: "job KIND" begins a job, "phase NAME"
// a part of it, "> ADDRESS" is a call and "< ADDRESS" its return. An address is
// the function's address in the program's file.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/raw_packet.h"
#include "gearman/transports/tcp/tcp_transport.h"
#include "gearman/transports/transport_registry.h"

#define GEARMAN_NOT_RECORDED __attribute__((no_instrument_function))

extern "C" {
// The linker's name for the address at which the program's file is loaded.
extern const char __executable_start;
GEARMAN_NOT_RECORDED void __cyg_profile_func_enter(void* function, void* site);
GEARMAN_NOT_RECORDED void __cyg_profile_func_exit(void* function, void* site);
}

namespace gearman {
namespace {

struct Event {
  char kind;  // '>' or '<'; 'j' and 'p' for a job and a phase
  const void* function;
  const char* name;
};

// Room for all events is there before the first, so that recording allocates
// nothing.
constexpr size_t kMaxEvents = 1'000'000;
Event g_events[kMaxEvents];
size_t g_event_count = 0;
// True on the thread that is recorded, while it is.
thread_local bool t_recording = false;

GEARMAN_NOT_RECORDED void Record(const Event& event) {
  if (g_event_count < kMaxEvents) g_events[g_event_count++] = event;
}

}  // namespace
}  // namespace gearman

void __cyg_profile_func_enter(void* function, void* /*site*/) {
  if (gearman::t_recording) gearman::Record({'>', function, nullptr});
}

void __cyg_profile_func_exit(void* function, void* /*site*/) {
  if (gearman::t_recording) gearman::Record({'<', function, nullptr});
}

namespace gearman {
namespace {

constexpr int kWarmUpJobs = 300;
constexpr int kRecordedJobs = 9;
constexpr char kTask[] = "resize";
constexpr char kPayload[] = "0123456789abcdef";

// Numbers of packets (docs/protocol.md).
constexpr uint32_t kSubmitJob = 7;
constexpr uint32_t kJobCreated = 8;
constexpr uint32_t kGrabJob = 9;
constexpr uint32_t kJobAssign = 11;
constexpr uint32_t kWorkComplete = 13;
constexpr uint32_t kEchoRequest = 16;
constexpr uint32_t kEchoReply = 17;
constexpr uint32_t kOptionRequest = 26;
constexpr uint32_t kOptionReply = 27;
constexpr uint32_t kGrabJobUniq = 30;
constexpr uint32_t kJobAssignUniq = 31;
constexpr uint32_t kGrabJobAll = 39;
constexpr uint32_t kJobAssignAll = 40;

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "calls: %s\n", status.ToString().c_str());
  std::exit(1);
}

uint32_t TypeOf(absl::string_view packet) {
  uint32_t type = 0;
  for (const char byte : packet.substr(4, 4)) {
    type = type << 8 | static_cast<unsigned char>(byte);
  }
  return type;
}

// The server's answer to a packet of a client or worker; empty: none.
std::string AnswerTo(absl::string_view packet) {
  constexpr char kHandle[] = "H:calls:1";
  constexpr size_t kHeader = 12;
  const std::string body(packet.substr(kHeader));
  switch (TypeOf(packet)) {
    case kSubmitJob:
      return support::ResponsePacket(kJobCreated, {kHandle}) +
             support::ResponsePacket(kWorkComplete, {kHandle, kPayload});
    case kGrabJob:
      return support::ResponsePacket(kJobAssign, {kHandle, kTask, kPayload});
    case kGrabJobUniq:
      return support::ResponsePacket(kJobAssignUniq,
                                     {kHandle, kTask, "unique", kPayload});
    case kGrabJobAll:
      return support::ResponsePacket(kJobAssignAll,
                                     {kHandle, kTask, "unique", "", kPayload});
    case kEchoRequest:
      return support::ResponsePacket(kEchoReply, {body});
    case kOptionRequest:
      return support::ResponsePacket(kOptionReply, {body});
    default:
      return "";
  }
}

// Answers one connection until its peer closes it.
class Server {
 public:
  Server() : thread_([this] { Serve(); }) {}
  ~Server() { thread_.join(); }

  std::string address() const { return listener_.address(); }

 private:
  void Serve() {
    absl::StatusOr<support::RawConnection> connection = listener_.Accept();
    Check(connection.status());
    for (;;) {
      const absl::StatusOr<std::string> packet = connection->ReceivePacket();
      if (!packet.ok()) return;
      const std::string answer = AnswerTo(*packet);
      // The peer has closed if this fails; the next read says so.
      if (!answer.empty()) connection->Send(answer).IgnoreError();
    }
  }

  support::RawListener listener_;
  std::thread thread_;
};

std::shared_ptr<TransportRegistry> TcpOnly() {
  auto transports = std::make_shared<TransportRegistry>();
  Check(transports->Register("tcp", std::make_shared<TcpTransportFactory>()));
  return transports;
}

void RunClient() {
  Server server;
  ClientOptions options;
  options.servers = {server.address()};
  options.transports = TcpOnly();
  options.drive_mode = DriveMode::kCallerOnly;  // one thread does everything
  auto client = Client::Create(std::move(options));
  Check(client.status());
  for (int i = 0; i < kWarmUpJobs + kRecordedJobs; ++i) {
    std::string payload = kPayload;
    const bool recorded = i >= kWarmUpJobs;
    if (recorded) {
      Record({'j', nullptr, "client"});
      Record({'p', nullptr, "down"});
    }
    t_recording = recorded;
    const JobRequest request = (*client)->SubmitJob(kTask, std::move(payload));
    if (recorded) Record({'p', nullptr, "up"});
    const absl::Status status = (*client)->Wait(request);
    const auto result = request.TakeResult();
    t_recording = false;
    Check(status);
    if (!result.has_value() || *result != kPayload) {
      Check(absl::InternalError("the client got another result"));
    }
  }
}

// A worker's job begins when the handler before it is entered and ends when
// its own handler is: the answer of one job and the arrival of the next.
void RunWorker() {
  Server server;
  WorkerOptions options;
  options.servers = {server.address()};
  options.transports = TcpOnly();
  // One job at a time: with prefetch a turn of the worker has parts of several.
  options.prefetch.max_jobs = 0;
  auto worker = Worker::Create(std::move(options));
  Check(worker.status());
  int jobs = 0;
  Check((*worker)->Register(kTask,
                            [&](JobContext&) -> absl::StatusOr<std::string> {
                              t_recording = false;
                              ++jobs;
                              if (jobs > kWarmUpJobs + kRecordedJobs) {
                                (*worker)->Stop();
                                return std::string();
                              }
                              std::string result = kPayload;
                              if (jobs > kWarmUpJobs) {
                                Record({'j', nullptr, "worker"});
                                Record({'p', nullptr, "job"});
                                t_recording = true;
                              }
                              return result;
                            }));
  Check((*worker)->Run());
}

int Main() {
  RunClient();
  RunWorker();
  bool any_call = false;
  for (size_t i = 0; i < g_event_count; ++i) {
    any_call = any_call || g_events[i].kind == '>';
  }
  if (g_event_count == kMaxEvents || !any_call) {
    std::fprintf(stderr, any_call ? "calls: too many events\n"
                                  : "calls: build it with tools/calls\n");
    return 1;
  }
  const char* const start = &__executable_start;
  for (size_t i = 0; i < g_event_count; ++i) {
    const Event& event = g_events[i];
    if (event.kind == 'j') {
      std::printf("job %s\n", event.name);
    } else if (event.kind == 'p') {
      std::printf("phase %s\n", event.name);
    } else {
      std::printf("%c %tx\n", event.kind,
                  static_cast<const char*>(event.function) - start);
    }
  }
  return 0;
}

}  // namespace
}  // namespace gearman

int main() { return gearman::Main(); }
