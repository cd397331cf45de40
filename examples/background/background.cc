// A background job in three processes: one submits it and ends, another one
// does it, and a third one asks how far it is.
//
//   background submit SERVER STEPS  prints the job's id
//   background work SERVER          works until SIGTERM or SIGINT
//   background status ID            asks once
//   background watch ID             asks until the job is gone
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_id.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_signals.h"

namespace {

constexpr absl::Duration kStep = absl::Milliseconds(200);
constexpr absl::Duration kPause = absl::Milliseconds(50);

absl::StatusOr<std::unique_ptr<gearman::Client>> ClientOf(
    const std::string& server) {
  gearman::ClientOptions options;
  options.servers = {server};
  return gearman::Client::Create(std::move(options));
}

absl::Status Submit(const std::string& server, const std::string& steps) {
  const auto client = ClientOf(server);
  if (!client.ok()) return client.status();
  const gearman::JobRequest request =
      (*client)->SubmitBackgroundJob("bake", steps);
  // A background request is complete when a server has accepted it.
  const absl::Status status = (*client)->Wait(request);
  if (status.ok()) std::cout << request.id().ToString() << "\n";
  return status;
}

absl::StatusOr<std::string> Bake(gearman::JobContext& context) {
  int64_t steps = 0;
  if (!absl::SimpleAtoi(context.job().data(), &steps)) {
    return absl::InvalidArgumentError("the payload is no number of steps");
  }
  for (int64_t step = 1; step <= steps; ++step) {
    // The work of one step; true: nobody needs the rest.
    if (context.stop_token().WaitFor(kStep)) {
      return gearman::JobFailed("the worker was told to stop");
    }
    const absl::Status sent = context.SendStatus(step, steps);
    if (!sent.ok()) return sent;
  }
  std::cout << "baked in " << steps << " steps" << std::endl;
  return "";  // no client gets the result of a background job
}

absl::Status Work(const std::string& server) {
  gearman::WorkerOptions options;
  options.servers = {server};
  const auto worker = gearman::Worker::Create(std::move(options));
  if (!worker.ok()) return worker.status();
  const absl::Status status = (*worker)->Register("bake", Bake);
  if (!status.ok()) return status;
  const auto signals =
      gearman::WorkerSignals::Create({worker->get()}, absl::Seconds(1));
  if (!signals.ok()) return signals.status();
  return (*worker)->Run();
}

std::string Describe(const gearman::JobStatus& status) {
  // A server forgets a job that has ended, and keeps no result of it.
  if (!status.known) return "unknown: ended, or never there";
  if (!status.running) return "queued";
  if (status.denominator == 0) return "running";
  return absl::StrCat("running: ", status.numerator, " of ",
                      status.denominator);
}

// The id has the server's address, so nothing else is needed.
absl::Status Status(const std::string& text, bool watch) {
  const absl::StatusOr<gearman::JobId> id = gearman::JobId::Parse(text);
  if (!id.ok()) return id.status();
  const auto client = ClientOf(id->server);
  if (!client.ok()) return client.status();
  std::string last;
  for (;;) {
    const absl::StatusOr<gearman::JobStatus> status =
        (*client)->GetJobStatus(*id);
    if (!status.ok()) return status.status();
    std::string now = Describe(*status);
    if (now != last) std::cout << now << std::endl;
    if (!watch || !status->known) return absl::OkStatus();
    last = std::move(now);
    absl::SleepFor(kPause);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 2 ? argv[1] : "";
  absl::Status status;
  if (command == "submit" && argc == 4) {
    status = Submit(argv[2], argv[3]);
  } else if (command == "work" && argc == 3) {
    status = Work(argv[2]);
  } else if ((command == "status" || command == "watch") && argc == 3) {
    status = Status(argv[2], command == "watch");
  } else {
    std::cerr << "usage: background submit SERVER STEPS | work SERVER | "
                 "status ID | watch ID\n";
    return 2;
  }
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
