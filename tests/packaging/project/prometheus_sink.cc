// A program that links the sink for Prometheus has it in its config.
#include <iostream>

#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"

int main() {
  const auto config = gearman::Config::FromText(
      R"(metrics { prometheus { listen: "127.0.0.1:0" } })");
  if (!config.ok()) {
    std::cout << config.status() << "\n";
    return 1;
  }
  const auto client = gearman::CreateClient(*config);
  std::cout << client.status() << "\n";
  return client.ok() ? 0 : 1;
}
