// The program of shout_libgearman.cc with this SDK. In addition, the worker ends
// orderly on SIGTERM and connects to a lost server again, both say why a job
// failed, and nothing has to be freed. The time limit is that of each job, its
// wait behind the others included, and an empty word is shouted, too.
//
//   shout worker HOST PORT
//   shout client HOST PORT WORD...
#include <cctype>
#include <iostream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_signals.h"

absl::StatusOr<std::string> Shout(gearman::JobContext& context) {
  std::string text(context.job().data());
  if (text.find_first_of("0123456789") != std::string::npos) {
    return absl::InvalidArgumentError("digits can't be shouted");
  }
  for (char& letter : text) {
    letter =
        static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return text;
}

absl::Status RunWorker(const std::string& server) {
  gearman::WorkerOptions options;
  options.servers = {server};
  const auto worker = gearman::Worker::Create(options);
  if (!worker.ok()) return worker.status();
  absl::Status status = (*worker)->Register("shout", Shout);
  if (!status.ok()) return status;
  const auto signals =
      gearman::WorkerSignals::Create({worker->get()}, absl::Seconds(30));
  if (!signals.ok()) return signals.status();
  return (*worker)->Run();
}

absl::Status RunClient(const std::string& server,
                       const std::vector<std::string>& words) {
  gearman::ClientOptions options;
  options.servers = {server};
  options.timeout = absl::Seconds(10);
  const auto client = gearman::Client::Create(options);
  if (!client.ok()) return client.status();
  std::vector<gearman::JobSpec> jobs;
  for (const std::string& word : words) jobs.emplace_back("shout", word);
  const auto results =
      (*client)->Results((*client)->SubmitMultipleJobs(std::move(jobs)));
  absl::Status status;
  for (size_t i = 0; i < words.size(); ++i) {
    std::cout << words[i] << ": " << results[i].value_or("failed") << "\n";
    status.Update(results[i].status());
  }
  return status;
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string server = std::string(argv[2]) + ":" + argv[3];
  const absl::Status status = argv[1][0] == 'w'
                                  ? RunWorker(server)
                                  : RunClient(server, {argv + 4, argv + argc});
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
