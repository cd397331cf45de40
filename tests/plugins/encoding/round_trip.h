// Encodes and decodes with one encoder, and owns what comes of it.
#ifndef GEARMAN_TESTS_PLUGINS_ENCODING_ROUND_TRIP_H_
#define GEARMAN_TESTS_PLUGINS_ENCODING_ROUND_TRIP_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"

namespace gearman {
namespace testing {

inline DataContext RequestOf(absl::string_view task,
                             DataHeaders* headers = nullptr) {
  DataContext context;
  context.task = task;
  context.headers = headers;
  return context;
}

inline absl::StatusOr<std::string> Encoded(
    const DataEncoder& encoder, absl::string_view data,
    const DataContext& context = RequestOf("t")) {
  std::string bytes(data);
  const absl::Status status = EncodeData(encoder, context, &bytes);
  if (!status.ok()) return status;
  return bytes;
}

inline absl::StatusOr<std::string> Decoded(
    const DataEncoder& encoder, absl::string_view bytes,
    const DataContext& context = RequestOf("t")) {
  std::string buffer;
  const absl::StatusOr<absl::string_view> data =
      DecodeData(encoder, context, bytes, &buffer);
  if (!data.ok()) return data.status();
  return std::string(*data);
}

// Data that a compressor makes much smaller, of any size.
inline std::string Repetitive(size_t size) {
  std::string text;
  while (text.size() < size) {
    text += "line " + std::to_string(text.size() % 977) + "\n";
  }
  text.resize(size);
  return text;
}

}  // namespace testing
}  // namespace gearman

#endif  // GEARMAN_TESTS_PLUGINS_ENCODING_ROUND_TRIP_H_
