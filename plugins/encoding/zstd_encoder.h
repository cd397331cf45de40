// ZstdEncoder: `zstd`, one Zstandard frame (RFC 8878), as `zstd` at a terminal
// makes it.
#ifndef GEARMAN_PLUGINS_ENCODING_ZSTD_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_ZSTD_ENCODER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"

namespace gearman {

// The settings of a ZstdEncoder.
struct ZstdOptions {
  // The level of compression, from 1 (fastest) to 19 (smallest).
  int level = 3;
  // The most decompressed bytes of one payload. The window of a frame takes
  // memory, so a frame with a larger window than this is also refused. A window
  // of up to 8 MiB is always accepted, and one above 128 MiB never.
  size_t max_decoded_bytes = kDefaultMaxDecodedBytes;
};

class ZstdEncoder final : public DataEncoder {
 public:
  // Makes an encoder. Returns INVALID_ARGUMENT (a FieldError) for a level that
  // is not from 1 to 19.
  static absl::StatusOr<std::unique_ptr<ZstdEncoder>> Create(
      ZstdOptions options = {});

  // Adds a checksum, so that changed bytes are noticed.
  absl::Status Encode(const DataContext& context,
                      std::string* data) const override;
  absl::StatusOr<absl::string_view> Decode(const DataContext& context,
                                           absl::string_view data,
                                           std::string* buffer) const override;
  absl::string_view name() const override { return "zstd"; }

 private:
  explicit ZstdEncoder(ZstdOptions options) : options_(options) {}

  const ZstdOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_ZSTD_ENCODER_H_
