// Many jobs in flight at once, by one thread of the client over one connection:
// first all of them, then a window that moves over a stream of any length.
//
//   in_flight JOBS [SERVER]...
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

namespace {

constexpr size_t kWindow = 100;

absl::StatusOr<int64_t> ToNumber(absl::string_view text) {
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  return absl::InvalidArgumentError(absl::StrCat("no number: ", text));
}

absl::StatusOr<std::string> Square(gearman::JobContext& context) {
  const absl::StatusOr<int64_t> number = ToNumber(context.job().data());
  if (!number.ok()) return number.status();
  return absl::StrCat(*number * *number);
}

absl::Status Add(const absl::StatusOr<std::string>& result, int64_t* sum) {
  if (!result.ok()) return result.status();
  const absl::StatusOr<int64_t> square = ToNumber(*result);
  if (square.ok()) *sum += *square;
  return square.status();
}

// Submits everything in as few writes as possible, and then waits. The results
// come in the order of the jobs.
absl::StatusOr<int64_t> AllAtOnce(gearman::Client& client, int64_t jobs) {
  std::vector<gearman::JobSpec> specs;
  for (int64_t i = 1; i <= jobs; ++i) {
    specs.emplace_back("square", absl::StrCat(i));
  }
  int64_t sum = 0;
  absl::Status status;
  for (const auto& result :
       client.Results(client.SubmitMultipleJobs(std::move(specs)))) {
    status.Update(Add(result, &sum));
  }
  if (!status.ok()) return status;
  return sum;
}

// Submits the next job when the oldest one has ended, so that memory has a
// bound whatever the number of jobs.
absl::StatusOr<int64_t> InAWindow(gearman::Client& client, int64_t jobs) {
  std::deque<gearman::JobRequest> window;
  int64_t sum = 0;
  for (int64_t next = 1; next <= jobs || !window.empty();) {
    if (next <= jobs && window.size() < kWindow) {
      window.push_back(client.SubmitJob("square", absl::StrCat(next++)));
      continue;
    }
    const absl::Status status = Add(client.Result(window.front()), &sum);
    if (!status.ok()) return status;
    window.pop_front();
  }
  return sum;
}

absl::Status Run(int64_t jobs, const std::vector<std::string>& servers) {
  gearman::WorkerOptions worker_options;
  gearman::ClientOptions client_options;
  worker_options.servers = client_options.servers = servers;
  const auto worker = gearman::Worker::Create(worker_options);
  if (!worker.ok()) return worker.status();
  absl::Status status = (*worker)->Register("square", Square);
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) return status;
  const auto client = gearman::Client::Create(client_options);
  if (!client.ok()) return client.status();

  const absl::StatusOr<int64_t> all = AllAtOnce(**client, jobs);
  if (!all.ok()) return all.status();
  std::cout << "all at once: the sum is " << *all << "\n";
  const absl::StatusOr<int64_t> some = InAWindow(**client, jobs);
  if (!some.ok()) return some.status();
  std::cout << kWindow << " at a time: the sum is " << *some << "\n";
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  int64_t jobs = 0;
  if (argc < 2 || !absl::SimpleAtoi(argv[1], &jobs) || jobs < 1) {
    std::cerr << "usage: in_flight JOBS [SERVER]...\n";
    return 2;
  }
  const absl::Status status = Run(jobs, {argv + 2, argv + argc});
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
