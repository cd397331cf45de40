// EncoderStack: several encoders as one, such as "json+zlib+aes256gcm".
// Encoding applies them in this order, and decoding in the reverse order.
#ifndef GEARMAN_PLUGINS_ENCODING_ENCODER_STACK_H_
#define GEARMAN_PLUGINS_ENCODING_ENCODER_STACK_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"

namespace gearman {

class EncoderStack final : public DataEncoder {
 public:
  // The most encoders in one stack.
  static constexpr size_t kMostEncoders = 16;

  // Shares the ownership of the encoders. Returns INVALID_ARGUMENT if there is
  // none or more than kMostEncoders, if one is null, or if one that takes
  // Protobuf messages is not the first.
  static absl::StatusOr<std::unique_ptr<EncoderStack>> Create(
      std::vector<std::shared_ptr<const DataEncoder>> encoders);

  absl::Status Encode(const DataContext& context,
                      std::string* data) const override;
  absl::StatusOr<absl::string_view> Decode(const DataContext& context,
                                           absl::string_view data,
                                           std::string* buffer) const override;
  const MessageFormat* message_format() const override {
    return encoders_.front()->message_format();
  }
  absl::string_view name() const override { return name_; }

 private:
  EncoderStack(std::vector<std::shared_ptr<const DataEncoder>> encoders,
               std::string name)
      : encoders_(std::move(encoders)), name_(std::move(name)) {}

  const std::vector<std::shared_ptr<const DataEncoder>> encoders_;
  const std::string name_;
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_ENCODER_STACK_H_
