// FieldError: the error for a bad value in a plugin's config. A plugin's
// factory returns it. The config loader finds the line and column of the field
// by the payload. It is thread-safe.
#ifndef GEARMAN_PLUGINS_FIELD_ERROR_H_
#define GEARMAN_PLUGINS_FIELD_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// The payload with the field's path inside the plugin's config message
// ("max_attempts", "inner.delays[2]").
inline constexpr absl::string_view kFieldPayload = "gearman/field";

// Returns INVALID_ARGUMENT, "max_attempts: 0 is not valid: must be at least 1".
inline absl::Status FieldError(absl::string_view field, absl::string_view value,
                               absl::string_view expected) {
  absl::Status status = absl::InvalidArgumentError(
      absl::StrCat(field, ": ", value, " is not valid: ", expected));
  status.SetPayload(kFieldPayload, absl::Cord(field));
  return status;
}

// Returns the error of a message that lies at `path` in another one, with the
// whole path of its field: "delay.max_delay". Without a field in the error the
// payload is `path`.
inline absl::Status WithinField(absl::string_view path,
                                const absl::Status& status) {
  absl::Status result = status;
  const absl::optional<absl::Cord> field = status.GetPayload(kFieldPayload);
  result.SetPayload(
      kFieldPayload,
      absl::Cord(field.has_value()
                     ? absl::StrCat(path, ".", std::string(*field))
                     : std::string(path)));
  return result;
}

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_FIELD_ERROR_H_
