// The programs of python-gearman, with this SDK. docs/guide/python_gearman.md
// shows each function beside the calls of python-gearman that it stands for.
//
//   python_gearman worker HOST:PORT
//   python_gearman client HOST:PORT
//   python_gearman admin HOST:PORT
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_signals.h"

namespace {

absl::StatusOr<std::string> Reverse(gearman::JobContext& context) {
  const std::string_view data = context.job().data();
  return std::string(data.rbegin(), data.rend());
}

absl::StatusOr<std::string> ReverseInFlight(gearman::JobContext& context) {
  const std::string_view data = context.job().data();
  const auto size = static_cast<int64_t>(data.size());
  for (int64_t i = 0; i < size; ++i) {
    absl::Status status = context.SendData(std::string(1, data[size - 1 - i]));
    if (status.ok()) status = context.SendStatus(i + 1, size);
    if (!status.ok()) return status;
  }
  return "";
}

absl::Status Work(const std::string& server) {
  gearman::WorkerOptions options;
  options.servers = {server};
  options.client_id = "reverser";
  options.after_poll = [](bool /*any_activity*/) {
    return gearman::Proceed::kContinue;
  };
  options.after_job = [](const gearman::JobReport& report) {
    std::cerr << report.job.task() << ": " << report.status << "\n";
    return gearman::Proceed::kContinue;
  };
  const auto worker = gearman::Worker::Create(options);
  if (!worker.ok()) return worker.status();
  absl::Status status = (*worker)->Register("reverse", Reverse);
  if (status.ok()) {
    status = (*worker)->Register("reverse_in_flight", ReverseInFlight);
  }
  if (!status.ok()) return status;
  const auto signals = gearman::WorkerSignals::Create({worker->get()});
  if (!signals.ok()) return signals.status();
  return (*worker)->Run();
}

void CheckRequest(const gearman::JobRequest& request) {
  if (request.complete()) {
    std::cout << request.task()
              << " finished: " << gearman::JobStateName(request.state()) << " "
              << request.result().value_or("") << "\n";
  } else if (request.timed_out()) {
    std::cout << request.task() << " timed out\n";
  } else {
    std::cout << request.task() << ": " << request.status() << "\n";
  }
}

// submit_job, for the result and in the background
absl::Status SubmitOne(gearman::Client& client) {
  const gearman::JobRequest request = client.SubmitJob("reverse", "hello");
  client.Wait(request).IgnoreError();  // CheckRequest says how it ended
  CheckRequest(request);

  gearman::CallOptions high;
  high.priority = gearman::Priority::kHigh;
  const gearman::JobRequest background =
      client.SubmitBackgroundJob("reverse", "later", high);
  const absl::Status status = client.Wait(background);
  CheckRequest(background);
  return status;
}

// submit_multiple_jobs(wait_until_complete=False), wait_until_jobs_completed,
// and the updates that have come
absl::Status SubmitMany(gearman::Client& client) {
  std::vector<gearman::JobSpec> jobs;
  jobs.emplace_back("reverse", "one");
  jobs.emplace_back("reverse_in_flight", "two");
  const std::vector<gearman::JobRequest> requests =
      client.SubmitMultipleJobs(std::move(jobs));
  // ... other work ...
  const absl::Status status =
      client.WaitUntilJobsCompleted(requests, absl::Seconds(5));
  for (const gearman::JobRequest& request : requests) {
    CheckRequest(request);
    while (const auto data = request.TakeDataUpdate()) std::cout << *data;
  }
  std::cout << "\n";
  return status;
}

// submit_multiple_requests for those whose connection failed
absl::Status SubmitAgain(gearman::Client& client,
                         const std::vector<gearman::JobRequest>& requests) {
  std::vector<gearman::JobRequest> lost;
  for (const gearman::JobRequest& request : requests) {
    if (request.state() == gearman::JobState::kUnknown) lost.push_back(request);
  }
  absl::Status status = client.SubmitMultipleRequests(lost);
  if (status.ok()) status = client.WaitUntilJobsCompleted(lost);
  return status;
}

// get_job_status
absl::Status AskForStatus(gearman::Client& client) {
  const gearman::JobRequest request =
      client.SubmitBackgroundJob("no_worker", "");
  absl::Status status = client.WaitUntilJobsAccepted({request});
  if (!status.ok()) return status;
  const absl::StatusOr<gearman::JobStatus> job = client.GetJobStatus(request);
  if (!job.ok()) return job.status();
  std::cout << "known " << job->known << ", running " << job->running << "\n";
  return absl::OkStatus();
}

absl::Status RunClient(const std::string& server) {
  gearman::ClientOptions options;
  options.servers = {server};
  options.max_connection_attempts = 1;  // max_retries=0
  const auto client = gearman::Client::Create(options);
  if (!client.ok()) return client.status();
  absl::Status status = SubmitOne(**client);
  status.Update(SubmitMany(**client));
  status.Update(SubmitAgain(
      **client, {gearman::JobRequest(gearman::JobSpec("reverse", "again"))}));
  status.Update(AskForStatus(**client));
  return status;
}

// get_version, get_status, get_workers, ping_server
absl::Status Administer(const std::string& server) {
  gearman::AdminClientOptions options;
  options.server = server;
  const auto admin = gearman::AdminClient::Create(options);
  if (!admin.ok()) return admin.status();
  const auto version = (*admin)->GetVersion();
  if (!version.ok()) return version.status();
  std::cout << "version " << *version << "\n";
  const auto functions = (*admin)->GetStatus();
  if (!functions.ok()) return functions.status();
  for (const gearman::FunctionStatus& row : *functions) {
    std::cout << row.function << ": " << row.total - row.running << " queued, "
              << row.running << " running, " << row.workers << " workers\n";
  }
  const auto workers = (*admin)->GetWorkers();
  if (!workers.ok()) return workers.status();
  for (const gearman::ConnectedWorker& row : *workers) {
    if (!row.functions.empty()) std::cout << row.id << " works\n";
  }

  gearman::ClientOptions client_options;
  client_options.servers = {server};
  const auto client = gearman::Client::Create(client_options);
  if (!client.ok()) return client.status();
  const auto echo = (*client)->Echo();
  if (!echo.ok()) return echo.status();
  std::cerr << "answers in " << echo->round_trip_time << "\n";
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string role = argv[1];
  const absl::Status status = role == "worker"   ? Work(argv[2])
                              : role == "client" ? RunClient(argv[2])
                                                 : Administer(argv[2]);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
