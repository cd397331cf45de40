// ZlibEncoder: `zlib`, one zlib stream (RFC 1950), as Python's zlib.compress
// makes it.
#ifndef GEARMAN_PLUGINS_ENCODING_ZLIB_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_ZLIB_ENCODER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"

namespace gearman {

// The settings of a ZlibEncoder.
struct ZlibOptions {
  // The level of compression, from 0 (stored) to 9 (smallest).
  int level = 6;
  // The most decompressed bytes of one payload.
  size_t max_decoded_bytes = kDefaultMaxDecodedBytes;
};

class ZlibEncoder final : public DataEncoder {
 public:
  // Makes an encoder. Returns INVALID_ARGUMENT (a FieldError) for a level that
  // zlib does not have.
  static absl::StatusOr<std::unique_ptr<ZlibEncoder>> Create(
      ZlibOptions options = {});

  absl::Status Encode(const DataContext& context,
                      std::string* data) const override;
  absl::StatusOr<absl::string_view> Decode(const DataContext& context,
                                           absl::string_view data,
                                           std::string* buffer) const override;
  absl::string_view name() const override { return "zlib"; }

 private:
  explicit ZlibEncoder(ZlibOptions options) : options_(options) {}

  const ZlibOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_ZLIB_ENCODER_H_
