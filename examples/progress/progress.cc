// A worker tells more than a result: data, warnings and progress come before
// the end of its job. The client hears of each by a callback; then it takes the
// reports that a request without callbacks has kept.
//
//   progress [SERVER]...
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

namespace {

constexpr char kPictures[] = "cat.jpg\nnotes.txt\ndog.jpg";

absl::StatusOr<std::string> Shrink(gearman::JobContext& context) {
  const std::vector<std::string> names =
      absl::StrSplit(context.job().data(), '\n');
  int64_t seen = 0;
  int64_t made = 0;
  for (const std::string& name : names) {
    absl::Status sent;
    if (absl::EndsWith(name, ".jpg")) {
      sent = context.SendData(absl::StrCat("small ", name));
      ++made;
    } else {
      sent = context.SendWarning(absl::StrCat(name, " is no picture"));
    }
    // CANCELLED: nobody needs the job any more, as when the worker stops.
    if (!sent.ok()) return sent;
    sent = context.SendStatus(++seen, static_cast<int64_t>(names.size()));
    if (!sent.ok()) return sent;
  }
  return absl::StrCat(made, " pictures");
}

// The callbacks run while this thread waits, on this thread.
absl::Status AsTheyCome(gearman::Client& client) {
  gearman::CallOptions options;
  options.callbacks.on_accepted = [](const gearman::JobRequest&) {
    std::cout << "accepted\n";
  };
  options.callbacks.on_data = [](const gearman::JobRequest&,
                                 gearman::StringView data) {
    std::cout << "data: " << data << "\n";
  };
  options.callbacks.on_warning = [](const gearman::JobRequest&,
                                    gearman::StringView warning) {
    std::cout << "warning: " << warning << "\n";
  };
  options.callbacks.on_status = [](const gearman::JobRequest&,
                                   const gearman::JobStatus& status) {
    std::cout << "progress: " << status.numerator << " of "
              << status.denominator << "\n";
  };
  const auto result = client.Run("shrink", kPictures, options);
  if (!result.ok()) return result.status();
  std::cout << "result: " << *result << "\n";
  return absl::OkStatus();
}

absl::Status KeptInTheRequest(gearman::Client& client) {
  const gearman::JobRequest request = client.SubmitJob("shrink", kPictures);
  const auto result = client.Result(request);
  if (!result.ok()) return result.status();
  std::cout << "kept:";
  while (const auto update = request.TakeUpdate()) {
    switch (update->kind) {
      case gearman::JobUpdate::Kind::kData:
      case gearman::JobUpdate::Kind::kWarning:
        std::cout << " [" << update->data << "]";
        break;
      case gearman::JobUpdate::Kind::kStatus:
        std::cout << " " << update->numerator << "/" << update->denominator;
        break;
    }
  }
  std::cout << "\n";
  return absl::OkStatus();
}

absl::Status Run(const std::vector<std::string>& servers) {
  gearman::WorkerOptions worker_options;
  gearman::ClientOptions client_options;
  worker_options.servers = client_options.servers = servers;
  const auto worker = gearman::Worker::Create(worker_options);
  if (!worker.ok()) return worker.status();
  absl::Status status = (*worker)->Register("shrink", Shrink);
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) return status;
  const auto client = gearman::Client::Create(client_options);
  if (!client.ok()) return client.status();
  status = AsTheyCome(**client);
  return status.ok() ? KeptInTheRequest(**client) : status;
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Run({argv + 1, argv + argc});
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
