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

struct EnvelopeOptions {
  // Data without an envelope, as a peer that knows none sends it, is taken as
  // it is, without headers. Otherwise it is an error. Don't set this where the
  // headers decide what a peer may do.
  bool accept_raw = false;
  // Bytes of all headers of one envelope, both ways; up to 65,535.
  size_t max_header_bytes = 8192;
};

class EnvelopeEncoder final : public DataEncoder {
 public:
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
