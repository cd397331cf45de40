// A client of this SDK, with default options.
//
//   our_client PORT TASK UNIQUE < payload
//
// Prints what it hears, each on a line, as libgearman_client.cc does.
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"

namespace gearman {
namespace {

void Heard(absl::string_view kind, absl::string_view bytes) {
  std::cout << kind << " " << absl::BytesToHexString(bytes) << std::endl;
}

int Run(const std::string& port, const std::string& task,
        const std::string& unique) {
  ClientOptions options;
  options.servers = {absl::StrCat("tcp://127.0.0.1:", port)};
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(std::move(options));
  if (!client.ok()) {
    std::cerr << client.status() << std::endl;
    return 1;
  }
  JobSpec spec(task, {std::istreambuf_iterator<char>(std::cin), {}});
  spec.options.unique = unique;
  const JobRequest request = (*client)->SubmitJob(spec);
  const absl::Status status =
      (*client)->Wait(request, absl::InfiniteDuration());
  for (const std::string& data : request.data_updates()) Heard("data", data);
  for (const std::string& warning : request.warning_updates()) {
    Heard("warning", warning);
  }
  const JobStatus progress = request.job_status();
  if (progress.denominator != 0) {
    Heard("status",
          absl::StrCat(progress.numerator, "/", progress.denominator));
  }
  if (request.exception().has_value()) {
    Heard("exception", *request.exception());
  } else if (status.ok()) {
    Heard("complete", *request.result());
  } else if (status.code() == absl::StatusCode::kAborted) {
    Heard("fail", "");
  } else {
    Heard("error", status.message());
  }
  return 0;
}

}  // namespace
}  // namespace gearman

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return gearman::Run(argv[1], argv[2], argv[3]);
}
