// Has a text reversed: reverse_client, reverse_client_cb, reverse_client_bg and
// reverse_client_epoch of gearmand.
//
//   reverse_client [--verbose] [--count=N] [TEXT]
//   reverse_client --tasks=N [--verbose] [TEXT]         with callbacks
//   reverse_client --background [--wait] [--verbose] [TEXT]
//   reverse_client --epoch=SECONDS [--verbose] [TEXT]   later, and waits for it
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/examples/gearmand/flags.h"
#include "gearman/sdk/client.h"

ABSL_FLAG(bool, verbose, false, "print results and statuses");
ABSL_FLAG(uint32_t, count, 1, "how many times to submit the job");
ABSL_FLAG(uint32_t, tasks, 0, "submit so many jobs at once, with callbacks");
ABSL_FLAG(bool, background, false, "submit a background job");
ABSL_FLAG(bool, wait, false, "with --background: wait until it is gone");
ABSL_FLAG(int, epoch, -1, "submit a job that runs in so many seconds");

namespace {

using gearman::JobRequest;

constexpr char kTask[] = "reverse";

void Print(absl::string_view text) {
  if (absl::GetFlag(FLAGS_verbose)) std::cout << text << std::flush;
}

void PrintProgress(const JobRequest& request,
                   const gearman::JobStatus& status) {
  std::clog << "Status: " << request.handle() << " (" << status.numerator << "/"
            << status.denominator << ")\n";
}

absl::Status OneByOne(gearman::Client& client, const std::string& text) {
  gearman::CallOptions options;
  options.callbacks.on_data = [](const JobRequest&, gearman::StringView data) {
    Print(data);
  };
  options.callbacks.on_status = PrintProgress;
  for (uint32_t i = 0; i < absl::GetFlag(FLAGS_count); ++i) {
    const auto result = client.Run(kTask, text, options);
    if (!result.ok()) return result.status();
    Print(*result);
  }
  return absl::OkStatus();
}

absl::Status AllAtOnce(gearman::Client& client, const std::string& text) {
  gearman::JobSpec spec(kTask, text);
  gearman::JobCallbacks& callbacks = spec.options.callbacks;
  callbacks.on_accepted = [](const JobRequest& request) {
    Print(absl::StrCat("Created: ", request.handle(), "\n"));
  };
  callbacks.on_data = [](const JobRequest& request, gearman::StringView data) {
    Print(absl::StrCat("Data: ", request.handle(), " ", data, "\n"));
  };
  callbacks.on_status = PrintProgress;
  callbacks.on_complete = [](const JobRequest& request) {
    if (request.status().ok()) {
      Print(absl::StrCat("Completed: ", request.handle(), " ",
                         request.result_view(), "\n"));
    } else {
      std::cerr << "Failed: " << request.handle() << "\n";
    }
  };
  return client.WaitUntilJobsCompleted(client.SubmitMultipleJobs(
      std::vector<gearman::JobSpec>(absl::GetFlag(FLAGS_tasks), spec)));
}

// Asks until the server no longer knows the job, and prints what has changed.
absl::Status Watch(gearman::Client& client, const JobRequest& request) {
  std::string last;
  for (;;) {
    const absl::StatusOr<gearman::JobStatus> status =
        client.GetJobStatus(request);
    if (!status.ok()) return status.status();
    std::string line = absl::StrCat(
        "Known=", status->known ? "true" : "false",
        ", Running=", status->running ? "true" : "false",
        ", Complete=", status->numerator, "/", status->denominator, "\n");
    if (line != last) Print(line);
    if (!status->known) return absl::OkStatus();
    last = std::move(line);
    absl::SleepFor(absl::Milliseconds(100));
  }
}

absl::Status InBackground(gearman::Client& client, const std::string& text,
                          int epoch) {
  gearman::CallOptions options;
  if (epoch >= 0) options.run_at = absl::Now() + absl::Seconds(epoch);
  const JobRequest request = client.SubmitBackgroundJob(kTask, text, options);
  const absl::Status status = client.Wait(request);
  if (!status.ok()) return status;
  if (epoch < 0 && !absl::GetFlag(FLAGS_wait)) return absl::OkStatus();
  Print(absl::StrCat("Background Job Handle=", request.handle(), "\n"));
  return Watch(client, request);
}

absl::Status Reverse(const std::vector<std::string>& arguments) {
  const absl::StatusOr<std::string> text = gearmand_examples::Text(arguments);
  if (!text.ok()) return text.status();
  gearman::ClientOptions options;
  options.servers = {gearmand_examples::Server()};
  options.timeout = gearmand_examples::Timeout();
  const auto client = gearman::Client::Create(std::move(options));
  if (!client.ok()) return client.status();
  const int epoch = absl::GetFlag(FLAGS_epoch);
  if (epoch >= 0 || absl::GetFlag(FLAGS_background)) {
    return InBackground(**client, *text, epoch);
  }
  return absl::GetFlag(FLAGS_tasks) > 0 ? AllAtOnce(**client, *text)
                                        : OneByOne(**client, *text);
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Reverse(gearmand_examples::ParseArguments(
      "reverse_client [--verbose] [--tasks=N | --background [--wait] | "
      "--epoch=SECONDS] [TEXT]",
      argc, argv));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
