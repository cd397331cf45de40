// Sends a text to a job server, which sends it back: echo_client and
// echo_worker of gearmand. (Clients and workers send the same packet. A worker
// of this SDK does so by itself while it is idle.)
//
//   echo [--host=HOST] [--port=PORT] [TEXT]
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/examples/gearmand/flags.h"
#include "gearman/sdk/client.h"

namespace {

absl::Status Echo(const std::vector<std::string>& arguments) {
  const absl::StatusOr<std::string> text = gearmand_examples::Text(arguments);
  if (!text.ok()) return text.status();
  gearman::ClientOptions options;
  options.servers = {gearmand_examples::Server()};
  const auto client = gearman::Client::Create(std::move(options));
  if (!client.ok()) return client.status();
  const auto reply = (*client)->Echo(*text, "", gearmand_examples::Timeout());
  if (!reply.ok()) return reply.status();
  std::cout << reply->data << std::flush;
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Echo(gearmand_examples::ParseArguments(
      "echo [--host=HOST] [--port=PORT] [TEXT]", argc, argv));
  if (!status.ok()) std::cerr << status.message() << "\n";
  return status.ok() ? 0 : 1;
}
