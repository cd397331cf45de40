// Base64Encoder ("base64"): bytes as text, for peers that change other bytes.
#ifndef GEARMAN_EXAMPLES_PLUGINS_BASE64_ENCODER_H_
#define GEARMAN_EXAMPLES_PLUGINS_BASE64_ENCODER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"

namespace acme {

class Base64Encoder : public gearman::DataEncoder {
 public:
  absl::Status Encode(const gearman::DataContext& context,
                      std::string* data) const override;
  absl::StatusOr<absl::string_view> Decode(const gearman::DataContext& context,
                                           absl::string_view data,
                                           std::string* buffer) const override;
  absl::string_view name() const override { return "base64"; }
};

}  // namespace acme

#endif  // GEARMAN_EXAMPLES_PLUGINS_BASE64_ENCODER_H_
