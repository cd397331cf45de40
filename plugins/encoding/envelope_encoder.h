// EnvelopeEncoder: `envelope`, which puts headers before the data: content
// type, trace context, attempt, and others of the program (DataHeaders).
#ifndef GEARMAN_PLUGINS_ENCODING_ENVELOPE_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_ENVELOPE_ENCODER_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"

namespace gearman {

// The settings of an EnvelopeEncoder.
struct EnvelopeOptions {
  // Whether Decode accepts data without an envelope, which then has no headers.
  // If false, such data is an error. Leave it false where the headers decide
  // what a peer may do.
  bool accept_raw = false;
  // The most bytes of all headers of one envelope, for Encode and Decode; up to
  // 65,535.
  size_t max_header_bytes = 8192;
};

class EnvelopeEncoder final : public DataEncoder {
 public:
  // The most headers of one envelope, and the most bytes of them.
  static constexpr size_t kMostHeaders = 64;
  static constexpr size_t kMostHeaderBytes = 65535;

  // A larger max_header_bytes counts as 65,535.
  explicit EnvelopeEncoder(EnvelopeOptions options = {}) : options_(options) {}

  // Copies the data once, to make room for the headers. Returns
  // INVALID_ARGUMENT for a header that can't be sent, with its name.
  absl::Status Encode(const DataContext& context,
                      std::string* data) const override;
  // Copies no data.
  absl::StatusOr<absl::string_view> Decode(const DataContext& context,
                                           absl::string_view data,
                                           std::string* buffer) const override;
  absl::string_view name() const override { return "envelope"; }

 private:
  const EnvelopeOptions options_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_ENVELOPE_ENCODER_H_
