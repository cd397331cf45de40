// A program that links the data encoders has them in its config, and by name.
#include <iostream>

#include "gearman/sdk/config.h"

int main() {
  const auto config = gearman::Config::FromText(
      "data_encoders { envelope {} } data_encoders { raw {} }");
  if (!config.ok()) {
    std::cout << config.status() << "\n";
    return 1;
  }
  const auto encoder = config->ToDataEncoder();
  std::cout << encoder.status() << "\n";
  return encoder.ok() ? 0 : 1;
}
