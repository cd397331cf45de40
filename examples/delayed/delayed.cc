// A job that waits at its server until its time has come.
//
//   delayed SECONDS [SERVER]...
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

namespace {

std::string OClock(absl::Time time) {
  return absl::FormatTime("%H:%M:%S", time, absl::LocalTimeZone());
}

absl::Status Run(int seconds, const std::vector<std::string>& servers) {
  const absl::Time due = absl::Now() + absl::Seconds(seconds);
  const std::string unique = absl::StrCat("tea-", absl::ToUnixMicros(due));
  // The handler uses both, so the worker ends before they do.
  absl::Time ran;
  absl::Notification done;
  gearman::WorkerOptions worker_options;
  gearman::ClientOptions client_options;
  worker_options.servers = client_options.servers = servers;
  // gearmand 1.1 wakes nobody when the time of a job has come.
  worker_options.regrab_interval = absl::Seconds(1);
  const auto worker = gearman::Worker::Create(worker_options);
  if (!worker.ok()) return worker.status();
  absl::Status status =
      (*worker)->Register("remind", [&](gearman::JobContext& context) {
        std::cout << OClock(context.started()) << " " << context.job().data()
                  << "\n";
        // An earlier run may have left its job, and each job may run twice.
        if (context.job().unique() == unique && !done.HasBeenNotified()) {
          ran = context.started();
          done.Notify();
        }
        return std::string();
      });
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) return status;
  const auto client = gearman::Client::Create(client_options);
  if (!client.ok()) return client.status();

  gearman::CallOptions options;
  options.unique = unique;
  options.run_at = due;  // such a job is always a background job
  const gearman::JobRequest request =
      (*client)->SubmitJob("remind", "tea is ready", options);
  status = (*client)->Wait(request);
  if (!status.ok()) return status;
  const auto job = (*client)->GetJobStatus(request);
  if (!job.ok()) return job.status();
  std::cout << OClock(absl::Now()) << " accepted, and "
            << (job->running ? "running" : "not running yet") << std::endl;
  done.WaitForNotification();
  std::cout << (ran < due ? "before" : "not before") << " its time\n";
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  int seconds = 0;
  if (argc < 2 || !absl::SimpleAtoi(argv[1], &seconds) || seconds < 0) {
    std::cerr << "usage: delayed SECONDS [SERVER]...\n";
    return 2;
  }
  const absl::Status status = Run(seconds, {argv + 2, argv + argc});
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
