#include "gearman/plugins/encoding/compression_plugins.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>

#include "absl/status/statusor.h"
#include "gearman/plugins/encoding/encoding.pb.h"
#include "gearman/plugins/encoding/encoding_fields.h"
#include "gearman/plugins/encoding/zlib_encoder.h"
#include "gearman/plugins/encoding/zstd_encoder.h"

namespace gearman {
namespace {

// Makes the encoder of a config with a level and a limit.
template <typename Encoder, typename Options, typename Config>
absl::StatusOr<std::unique_ptr<DataEncoder>> Make(const Config& config) {
  Options options;
  if (config.has_level()) {
    // The encoder refuses numbers like these.
    options.level = static_cast<int>(
        std::min<uint32_t>(config.level(), std::numeric_limits<int>::max()));
  }
  absl::Status status = internal::ReadMaxBytes(
      "max_decoded_bytes", config.has_max_decoded_bytes(),
      config.max_decoded_bytes(), &options.max_decoded_bytes);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<Encoder>> encoder = Encoder::Create(options);
  if (!encoder.ok()) return encoder.status();
  return *std::move(encoder);
}

}  // namespace

absl::Status RegisterCompressionPlugins(Registry<DataEncoder>* registry) {
  absl::Status status = registry->Register<config::ZlibEncoder>(
      "zlib", Make<ZlibEncoder, ZlibOptions, config::ZlibEncoder>);
  status.Update(registry->Register<config::ZstdEncoder>(
      "zstd", Make<ZstdEncoder, ZstdOptions, config::ZstdEncoder>));
  return status;
}

}  // namespace gearman
