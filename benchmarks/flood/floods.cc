#include "gearman/benchmarks/flood/floods.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "gearman/benchmarks/compare/side.h"
#include "gearman/benchmarks/flood/handshakes.h"
#include "gearman/benchmarks/flood/peer.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/tests/support/raw_packet.h"

namespace gearman {
namespace benchmarks {
namespace {

using wire::Command;

// The numbers of the state that a flood meets. FloodRequest::scale multiplies
// them.
constexpr int kFunctions = 100000;
constexpr int kFunctionsOfWorker = 10000;
constexpr int kJobs = 300000;
constexpr int kJoined = 500000;
// Handshakes under way at once for each connection of the request.
constexpr int kHandshakes = 40;

// Short commands are sent in batches of kBatch. All connections together have
// at most kWindow commands without an answer, as gearmand keeps all that it has
// read.
constexpr int kBatch = 100;
constexpr int64_t kWindow = 100000;
// kLongWindow: like kWindow, for commands with long answers. kUpdateWindow: the
// most unanswered updates of one job with joined submissions.
constexpr int64_t kLongWindow = 20;
constexpr int64_t kUpdateWindow = 4;
// The most new jobs of a flood in all: they fill the server's memory.
constexpr int64_t kNewJobs = 2000000;

constexpr char kMany[] = "many";  // a function with kJobs jobs

volatile std::sig_atomic_t asked_to_end = 0;

std::string Packet(Command command,
                   const std::vector<std::string>& arguments = {}) {
  return support::RequestPacket(static_cast<uint32_t>(command), arguments);
}

std::string Times(int count, absl::string_view bytes) {
  std::string all;
  for (int i = 0; i < count; ++i) absl::StrAppend(&all, bytes);
  return all;
}

std::string FunctionName(int i) { return absl::StrFormat("function%06d", i); }

class Flood {
 public:
  explicit Flood(const FloodRequest& request)
      : request_(request), set_up_ends_(absl::Now() + request.set_up) {}

  // One function for each kind of flood. It makes the state and gives the
  // connections the commands to repeat.
  void None() {}
  void Grab();
  void Submit();
  void DropUnknown() {
    MakeFunctions();
    RepeatText("drop function absent\r\n", kBatch, kWindow);
  }
  void DropSmall();
  void Status() { ListFunctions("status\r\n"); }
  void PriorityStatus() { ListFunctions("prioritystatus\r\n"); }
  void Workers();
  void ShowJobs() {
    MakeJobs(/*with_uniques=*/false);
    RepeatText("show jobs\r\n", 1, kLongWindow);
  }
  void ShowUniqueJobs() {
    MakeJobs(/*with_uniques=*/true);
    RepeatText("show unique jobs\r\n", 1, kLongWindow);
  }
  void JoinedUpdates();
  void Handshake();

  FloodReport Run();

 private:
  int Scaled(int count) const {
    return std::max(1, static_cast<int>(request_.scale * count));
  }
  // Each connection's share of `total` commands, in batches of `batch`
  // commands.
  int64_t Share(int64_t total, int batch) const {
    return std::max<int64_t>(1, total / batch / request_.connections);
  }
  Peer& AddPeer() {
    peers_.push_back(std::make_unique<Peer>(request_.port));
    polled_.push_back(peers_.back().get());
    return *peers_.back();
  }
  // Sends make(0) to make(count - 1), each of which has one answer, and waits
  // for the answers. `what` names them in the reason for a failure.
  void Exchange(Peer& peer, int count, absl::FunctionRef<std::string(int)> make,
                absl::string_view what);
  // Registers the functions `begin` to `end` - 1 with CAN_DO.
  void Register(Peer& peer, int begin, int end);
  void MakeFunctions();
  void ListFunctions(absl::string_view command) {
    MakeFunctions();
    RepeatText(command, 1, kLongWindow);
  }
  void MakeJobs(bool with_uniques);
  // Adds the connections, each of which repeats batches of `batch` commands.
  void RepeatText(absl::string_view command, int batch, int64_t window) {
    for (int i = 0; i < request_.connections; ++i) {
      Repeat(AddPeer(), Times(batch, command), batch, Share(window, batch));
    }
  }
  void Repeat(Peer& peer, std::string batch, int answers, int64_t window,
              int64_t limit = INT64_MAX);
  int64_t Answers() const;
  int Closed() const;
  // All peers have reached the limits on what they send.
  bool Exhausted() const {
    return !peers_.empty() &&
           std::all_of(peers_.begin(), peers_.end(),
                       [](const auto& peer) { return peer->exhausted(); });
  }
  // Prints the reason and ends the process.
  [[noreturn]] void NotReady(absl::string_view why) const {
    absl::PrintF("not ready: %s\n", why);
    std::fflush(stdout);
    _exit(0);
  }

  const FloodRequest request_;
  const absl::Time set_up_ends_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::unique_ptr<Handshakes> handshakes_;
  std::vector<Polled*> polled_;
};

void Flood::Exchange(Peer& peer, int count,
                     absl::FunctionRef<std::string(int)> make,
                     absl::string_view what) {
  constexpr int kAtOnce = 1000;
  for (int begin = 0; begin < count; begin += kAtOnce) {
    const int end = std::min(count, begin + kAtOnce);
    for (int i = begin; i < end; ++i) peer.Send(make(i));
    const int64_t expected = peer.answers() + end - begin;
    const bool answered = Drive(
        {&peer}, [&] { return peer.closed() || peer.answers() >= expected; },
        set_up_ends_);
    if (peer.closed()) {
      NotReady(absl::StrCat("the server closed the connection of ", what));
    }
    if (peer.refusals() > 0) {
      NotReady(absl::StrCat("the server refused ", what));
    }
    if (!answered) {
      NotReady(absl::StrCat(begin, " of ", count, " ", what, " within ",
                            absl::FormatDuration(request_.set_up)));
    }
  }
}

void Flood::Register(Peer& peer, int begin, int end) {
  for (int i = begin; i < end; ++i) {
    peer.Send(Packet(Command::kCanDo, {FunctionName(i)}));
  }
  // The echo is answered when the server knows all functions.
  Exchange(
      peer, 1, [](int) { return Packet(Command::kEchoReq, {"registered"}); },
      "registered functions");
}

void Flood::MakeFunctions() {
  Exchange(
      AddPeer(), Scaled(kFunctions),
      [](int i) {
        return absl::StrCat("create function ", FunctionName(i), "\r\n");
      },
      "functions");
}

void Flood::MakeJobs(bool with_uniques) {
  Exchange(
      AddPeer(), Scaled(kJobs),
      [with_uniques](int i) {
        return Packet(
            Command::kSubmitJobBg,
            {kMany, with_uniques ? absl::StrFormat("unique%06d", i) : "",
             "payload"});
      },
      "jobs");
}

void Flood::Repeat(Peer& peer, std::string batch, int answers, int64_t window,
                   int64_t limit) {
  Repetition repetition;
  repetition.batch = std::move(batch);
  repetition.window = window;
  repetition.limit = limit;
  const int64_t before = peer.answers();
  repetition.answered = [&peer, answers, before] {
    return (peer.answers() - before) / answers;
  };
  peer.Repeat(std::move(repetition));
}

// The workers have many functions, and there are no jobs.
void Flood::Grab() {
  for (int i = 0; i < request_.connections; ++i) {
    Peer& peer = AddPeer();
    Register(peer, 0, Scaled(kFunctionsOfWorker));
    Repeat(peer, Times(kBatch, Packet(Command::kGrabJob)), kBatch,
           Share(kWindow, kBatch));
  }
}

void Flood::Submit() {
  const std::string batch =
      Times(kBatch, Packet(Command::kSubmitJobBg, {kMany, "", "payload"}));
  for (int i = 0; i < request_.connections; ++i) {
    Repeat(AddPeer(), batch, kBatch, Share(kWindow, kBatch),
           Share(kNewJobs, kBatch));
  }
}

// A function with one job comes and goes, beside a function with many jobs.
void Flood::DropSmall() {
  MakeJobs(/*with_uniques=*/false);
  for (int i = 0; i < request_.connections; ++i) {
    const std::string small = absl::StrCat("small", i);
    const std::string turn =
        absl::StrCat(Packet(Command::kSubmitJobBg, {small, "", "payload"}),
                     "drop function ", small, "\r\n");
    Repeat(AddPeer(), Times(kBatch / 2, turn), kBatch, Share(kWindow, kBatch),
           Share(kNewJobs, kBatch));
  }
}

void Flood::Workers() {
  const int rows = Scaled(kFunctions);
  for (int begin = 0; begin < rows; begin += kFunctionsOfWorker) {
    Register(AddPeer(), begin, std::min(rows, begin + kFunctionsOfWorker));
  }
  RepeatText("workers\r\n", 1, kLongWindow);
}

// For each connection of the request, a worker holds one job that many
// submissions of a client have joined.
void Flood::JoinedUpdates() {
  const int joined = std::max(1, Scaled(kJoined) / request_.connections);
  for (int i = 0; i < request_.connections; ++i) {
    const std::string function = absl::StrCat("joined", i);
    Peer& client = AddPeer();
    Exchange(
        client, joined,
        [&function](int) {
          return Packet(Command::kSubmitJob, {function, "unique", "payload"});
        },
        "joined submissions");
    Peer& worker = AddPeer();
    worker.Send(Packet(Command::kCanDo, {function}));
    Exchange(
        worker, 1, [](int) { return Packet(Command::kGrabJob); },
        "grabbed jobs");
    const std::string handle =
        worker.last_body().substr(0, worker.last_body().find('\0'));
    Repetition repetition;
    repetition.batch = Packet(Command::kWorkStatus, {handle, "1", "2"});
    repetition.window = kUpdateWindow;
    const int64_t before = client.answers();
    repetition.answered = [&client, before, joined] {
      return (client.answers() - before) / joined;
    };
    worker.Repeat(std::move(repetition));
  }
}

void Flood::Handshake() {
  handshakes_ = std::make_unique<Handshakes>(
      request_.tls_port, kHandshakes * request_.connections);
  for (Polled* polled : handshakes_->polled()) polled_.push_back(polled);
}

int64_t Flood::Answers() const {
  int64_t answers = handshakes_ == nullptr ? 0 : handshakes_->answered();
  for (const auto& peer : peers_) answers += peer->answers();
  return answers;
}

int Flood::Closed() const {
  return static_cast<int>(
      std::count_if(peers_.begin(), peers_.end(),
                    [](const auto& peer) { return peer->closed(); }));
}

FloodReport Flood::Run() {
  FloodReport report;
  const int64_t before = Answers();
  report.began = absl::Now();
  Drive(
      polled_, [this] { return asked_to_end != 0 || Exhausted(); },
      report.began + request_.duration);
  report.ended = absl::Now();
  report.answers = Answers() - before;
  report.closed = Closed();
  return report;
}

struct Kind {
  const char* name;
  void (Flood::*set_up)();
};
constexpr Kind kKinds[] = {
    {"none", &Flood::None},
    {"grab", &Flood::Grab},
    {"submit", &Flood::Submit},
    {"drop, unknown", &Flood::DropUnknown},
    {"drop, small", &Flood::DropSmall},
    {"status", &Flood::Status},
    {"prioritystatus", &Flood::PriorityStatus},
    {"workers", &Flood::Workers},
    {"show jobs", &Flood::ShowJobs},
    {"show unique jobs", &Flood::ShowUniqueJobs},
    {"joined updates", &Flood::JoinedUpdates},
    {"handshakes", &Flood::Handshake},
};

}  // namespace

std::vector<std::string> FloodKinds() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

bool NeedsTls(const std::string& kind) { return kind == "handshakes"; }

int RunFlooder(const FloodRequest& request) {
  alarm(static_cast<unsigned>(absl::ToInt64Seconds(
      request.set_up + request.duration + absl::Seconds(30))));
  std::signal(SIGTERM, [](int) { asked_to_end = 1; });
  for (const Kind& kind : kKinds) {
    if (kind.name != request.kind) continue;
    Flood flood(request);
    (flood.*kind.set_up)();
    absl::PrintF("%s\n", kReady);
    std::fflush(stdout);
    const FloodReport report = flood.Run();
    absl::PrintF("%d %d %d %d\n", absl::ToUnixMicros(report.began),
                 absl::ToUnixMicros(report.ended), report.answers,
                 report.closed);
    std::fflush(stdout);
    // The server owns the state, so there is nothing to clean up.
    _exit(0);
  }
  Fail(absl::StrCat("no flood is called ", request.kind));
}

FloodReport ReadReport(const std::string& text) {
  FloodReport report;
  absl::string_view rest = absl::StripSuffix(text, "\n");
  if (absl::ConsumePrefix(&rest, "not ready: ")) {
    report.reason = std::string(rest);
    return report;
  }
  const std::vector<absl::string_view> fields = absl::StrSplit(rest, ' ');
  int64_t began = 0;
  int64_t ended = 0;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[0], &began) ||
      !absl::SimpleAtoi(fields[1], &ended) ||
      !absl::SimpleAtoi(fields[2], &report.answers) ||
      !absl::SimpleAtoi(fields[3], &report.closed)) {
    Fail(absl::StrCat("a flooder printed '", text, "'"));
  }
  report.began = absl::FromUnixMicros(began);
  report.ended = absl::FromUnixMicros(ended);
  return report;
}

}  // namespace benchmarks
}  // namespace gearman
