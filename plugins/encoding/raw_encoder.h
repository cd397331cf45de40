// RawEncoder: `raw`, which leaves the data as it is. It is for configs that
// must name an encoder, and stands alone in its stack.
#ifndef GEARMAN_PLUGINS_ENCODING_RAW_ENCODER_H_
#define GEARMAN_PLUGINS_ENCODING_RAW_ENCODER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"

namespace gearman {

class RawEncoder final : public DataEncoder {
 public:
  absl::Status Encode(const DataContext& /*context*/,
                      std::string* /*data*/) const override {
    return absl::OkStatus();
  }
  absl::StatusOr<absl::string_view> Decode(
      const DataContext& /*context*/, absl::string_view data,
      std::string* /*buffer*/) const override {
    return data;
  }
  absl::string_view name() const override { return "raw"; }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_RAW_ENCODER_H_
