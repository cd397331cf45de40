// A job whose handler fails three times becomes a dead letter. Arguments are
// servers; without them the embedded server is used.
#include <iostream>

#include "absl/synchronization/notification.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_retry.h"
#include "gearman/sdk/worker.h"

absl::Status Resize(const std::vector<std::string>& servers) {
  absl::Notification read;  // handlers use it, so the worker ends before it
  gearman::WorkerOptions options;
  gearman::JobRetryOptions retry_options;
  gearman::ClientOptions& client_options = retry_options.client;
  options.servers = client_options.servers = servers;
  // gearmand 1.1 wakes nobody when the time of a job has come.
  options.regrab_interval = absl::Seconds(1);
  const auto worker = gearman::Worker::Create(options);
  const auto retry = gearman::JobRetry::Create(retry_options);
  if (!worker.ok()) return worker.status();
  if (!retry.ok()) return retry.status();
  gearman::JobRetryPolicy policy;  // three attempts, with growing delays
  policy.dead_letter_task = "resize-failed";
  absl::Status status = (*retry)->Register(
      **worker, "resize",
      [](gearman::JobContext&, const gearman::JobAttempt& attempt) {
        std::cout << "attempt " << attempt.number << "\n";
        return absl::StatusOr<std::string>(absl::NotFoundError("no image"));
      },
      std::move(policy));
  status.Update((*worker)->Register("resize-failed", [&read](auto& context) {
    const auto letter = gearman::ReadDeadLetter(context.job().data());
    if (letter.ok()) std::cout << letter->data << ": " << letter->error << "\n";
    // An earlier run may have left a letter, and each job may run twice.
    if (!read.HasBeenNotified()) read.Notify();
    return std::string();
  }));
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) return status;
  const auto client = gearman::Client::Create(client_options);
  if (!client.ok()) return client.status();
  status = (*client)->Wait((*client)->SubmitBackgroundJob("resize", "cat"));
  if (status.ok()) read.WaitForNotification();
  return status;
}

int main(int argc, char** argv) {
  const absl::Status status = Resize({argv + 1, argv + argc});
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
