// A worker whose result is a file, and a client that writes it to standard
// output as it arrives. Worker and client hold a few parts of 256 KiB of it;
// the job server between them holds the whole.
//
//   streaming FILE [SERVER]...
#include <ios>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/sdk/body_source.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

absl::Status Stream(const std::string& path,
                    const std::vector<std::string>& servers) {
  gearman::WorkerOptions worker_options;
  gearman::ClientOptions client_options;
  worker_options.servers = client_options.servers = servers;
  const auto worker = gearman::Worker::Create(worker_options);
  if (!worker.ok()) return worker.status();
  absl::Status status = (*worker)->Register(
      "file", [&](gearman::JobContext& context) -> absl::StatusOr<std::string> {
        auto file = gearman::FileBody(path);
        if (!file.ok()) return file.status();
        context.SetBody(*std::move(file));
        return std::string();
      });
  if (status.ok()) status = (*worker)->Start();
  if (!status.ok()) return status;
  const auto client = gearman::Client::Create(client_options);
  if (!client.ok()) return client.status();
  gearman::JobSpec spec("file", "");
  spec.options.callbacks.on_piece = [](const gearman::JobRequest&,
                                       const gearman::DataPiece& piece) {
    std::cout.write(piece.bytes.data(),
                    static_cast<std::streamsize>(piece.bytes.size()));
  };
  return (*client)->Wait((*client)->SubmitJob(std::move(spec)));
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const absl::Status status = Stream(argv[1], {argv + 2, argv + argc});
  std::cout.flush();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() && std::cout ? 0 : 1;
}
