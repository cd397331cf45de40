// Reverses the bytes of its jobs: reverse_worker of gearmand.
//
//   reverse_worker [--chunk] [--status] [--unique] [--noverbose] [--count=N]
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/examples/gearmand/flags.h"
#include "gearman/examples/gearmand/serve.h"
#include "gearman/sdk/worker.h"

ABSL_FLAG(std::string, identifier, "", "the worker's name at the server");
ABSL_FLAG(bool, chunk, false, "send the result byte by byte, as data");
ABSL_FLAG(bool, status, false, "send progress");
ABSL_FLAG(bool, unique, false, "print the job's unique, too");
ABSL_FLAG(bool, verbose, true, "print each job");

namespace {

absl::Status SendProgress(gearman::JobContext& context, size_t done) {
  if (!absl::GetFlag(FLAGS_status)) return absl::OkStatus();
  return context.SendStatus(static_cast<int64_t>(done),
                            static_cast<int64_t>(context.job().data().size()));
}

absl::StatusOr<std::string> Reverse(gearman::JobContext& context) {
  const gearman::Job& job = context.job();
  std::string reversed(job.data().rbegin(), job.data().rend());
  if (absl::GetFlag(FLAGS_verbose)) {
    std::cout << "Job=" << job.handle();
    if (absl::GetFlag(FLAGS_unique)) std::cout << " Unique=" << job.unique();
    std::cout << " Received=" << job.data().size() << " Reversed=" << reversed
              << std::endl;
  }
  absl::Status status = SendProgress(context, 0);
  if (absl::GetFlag(FLAGS_chunk)) {
    for (size_t i = 0; i < reversed.size() && status.ok(); ++i) {
      status = context.SendData(reversed.substr(i, 1));
      if (status.ok()) status = SendProgress(context, i + 1);
    }
    reversed.clear();
  } else if (status.ok()) {
    status = SendProgress(context, reversed.size());
  }
  if (!status.ok()) return status;
  return reversed;
}

}  // namespace

int main(int argc, char** argv) {
  gearmand_examples::ParseArguments(
      "reverse_worker [--chunk] [--status] [--count=N]", argc, argv);
  const absl::Status status = gearmand_examples::Serve(
      "reverse", Reverse, absl::GetFlag(FLAGS_identifier));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
