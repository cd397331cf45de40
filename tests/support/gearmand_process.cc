#include "gearman/tests/support/gearmand_process.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gearman/tests/support/process_counts.h"
#include "gearman/tests/support/raw_connection.h"
#include "gearman/tests/support/subprocess.h"
#include "gearman/tests/support/wait_for.h"
#include "gtest/gtest.h"

namespace gearman {
namespace support {
namespace {

// Debian's, unless the environment names another one.
const char* Program() {
  const char* const named = getenv("GEARMAND");
  return named == nullptr || *named == '\0' ? "/usr/sbin/gearmand" : named;
}

bool EveryThreadIsStopped(pid_t pid) {
  const std::vector<ThreadState> threads = ThreadsOf(pid);
  return !threads.empty() &&
         std::all_of(threads.begin(), threads.end(),
                     [](const auto& thread) { return thread.state == 'T'; });
}

}  // namespace

GearmandProcess::GearmandProcess(std::vector<std::string> options)
    : options_(std::move(options)) {
  const absl::Status started = Start();
  EXPECT_TRUE(started.ok()) << started;
}

GearmandProcess::~GearmandProcess() {
  Kill();
  if (::testing::Test::HasFailure()) {
    fprintf(stderr, "Log of gearmand on port %d:\n%s\n", port(), log().c_str());
  }
}

std::string GearmandProcess::address() const {
  return absl::StrCat("tcp://", host(), ":", port());
}

absl::Status GearmandProcess::Start() {
  SubprocessOptions options;
  options.argv = {Program(), absl::StrCat("--listen=", host()),
                  absl::StrCat("--port=", port()), "--log-file=stderr"};
  // INFO is the least that announces that it listens.
  const bool announces = std::none_of(
      options_.begin(), options_.end(),
      [](const auto& option) { return absl::StartsWith(option, "--verbose"); });
  if (announces) options.argv.push_back("--verbose=INFO");
  options.argv.insert(options.argv.end(), options_.begin(), options_.end());
  absl::StatusOr<std::unique_ptr<Subprocess>> process =
      Subprocess::Start(std::move(options));
  if (!process.ok()) return process.status();
  process_ = *std::move(process);
  // A build with TLS can't be asked without it.
  const bool ssl =
      std::find(options_.begin(), options_.end(), "--ssl") != options_.end();
  absl::Status status;
  if (announces) {
    status = process_->WaitForErrorOutput("Listening on ");
    // gearmand listens a moment before it serves.
    if (status.ok() && !ssl) status = LearnVersion();
  } else {
    WaitFor([this, &status] {
      status = LearnVersion();
      return status.ok() || !process_->running();
    });
  }
  if (!status.ok()) Kill();
  return status;
}

absl::Status GearmandProcess::LearnVersion() {
  const absl::StatusOr<std::vector<std::string>> reply = Admin("version");
  if (!reply.ok()) return reply.status();
  absl::string_view version = reply->front();
  absl::ConsumePrefix(&version, "OK ");
  const std::vector<absl::string_view> parts = absl::StrSplit(version, '.');
  if (parts.size() < 2 || !absl::SimpleAtoi(parts.front(), &major_version_)) {
    major_version_ = std::numeric_limits<int>::max();
  }
  return absl::OkStatus();
}

absl::Status GearmandProcess::Stop() {
  if (!ok()) return absl::FailedPreconditionError("gearmand does not run");
  process_->Signal(SIGTERM);
  const absl::StatusOr<ExitStatus> end = process_->Wait();
  if (!end.ok()) return end.status();
  if (end->ok()) return absl::OkStatus();
  return absl::UnknownError(
      absl::StrCat("gearmand ended with ", end->ToString()));
}

void GearmandProcess::Kill() {
  if (process_ == nullptr) return;
  process_->Kill();
  const absl::StatusOr<ExitStatus> end = process_->Wait();
  EXPECT_TRUE(end.ok()) << end.status();
}

void GearmandProcess::Signal(int signal) {
  if (process_ == nullptr) return;
  process_->Signal(signal);
  // The threads of gearmand stop one after the other, and some may still
  // answer.
  if (signal == SIGSTOP) {
    EXPECT_TRUE(WaitFor([this] { return EveryThreadIsStopped(pid()); }));
  }
}

absl::StatusOr<ExitStatus> GearmandProcess::WaitForEnd(absl::Duration bound) {
  if (process_ == nullptr) return absl::FailedPreconditionError("not started");
  return process_->Wait(bound);
}

absl::Status GearmandProcess::Restart() {
  if (ok()) {
    const absl::Status stopped = Stop();
    if (!stopped.ok()) return stopped;
  }
  earlier_logs_ = log();
  process_ = nullptr;
  return Start();
}

absl::StatusOr<std::vector<std::string>> GearmandProcess::Admin(
    absl::string_view command) {
  absl::StatusOr<RawConnection> connection = RawConnection::Connect(port());
  if (!connection.ok()) return connection.status();
  // CRLF: 1.1.20 drops the last byte of `create function F` before a bare LF.
  const absl::Status sent = connection->Send(absl::StrCat(command, "\r\n"));
  if (!sent.ok()) return sent;
  const bool list = absl::StartsWith(command, "show ") || command == "status" ||
                    command == "prioritystatus" || command == "workers";
  std::vector<std::string> lines;
  for (;;) {
    const absl::StatusOr<std::string> line = connection->ReceiveLine();
    if (!line.ok()) return line.status();
    if (list && *line == ".\n") return lines;
    const absl::string_view text = absl::StripSuffix(*line, "\n");
    lines.emplace_back(absl::StripSuffix(text, "\r"));
    if (!list || absl::StartsWith(text, "ERR ")) return lines;
  }
}

std::string GearmandProcess::log() const {
  return process_ == nullptr
             ? earlier_logs_
             : absl::StrCat(earlier_logs_, process_->error_output());
}

}  // namespace support
}  // namespace gearman
