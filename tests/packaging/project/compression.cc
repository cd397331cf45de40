// A program that links the compressors has them in its config.
#include <iostream>
#include <string>

#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/sdk/config.h"

int main() {
  const auto config = gearman::Config::FromText(
      "data_encoders { zlib {} } data_encoders { zstd {} }");
  if (!config.ok()) {
    std::cout << config.status() << "\n";
    return 1;
  }
  const auto encoder = config->ToDataEncoder();
  if (!encoder.ok()) {
    std::cout << encoder.status() << "\n";
    return 1;
  }
  gearman::DataContext context;
  context.task = "t";
  std::string bytes(1000, 'x');
  const absl::Status encoded = gearman::EncodeData(**encoder, context, &bytes);
  std::string buffer;
  const auto data = gearman::DecodeData(**encoder, context, bytes, &buffer);
  if (!encoded.ok() || !data.ok() || *data != std::string(1000, 'x')) {
    std::cout << "encoded: " << encoded << "; decoded: " << data.status()
              << "\n";
    return 1;
  }
  std::cout << "OK\n";
}
