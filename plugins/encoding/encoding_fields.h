// Reads the fields that configs of several encoders share. Internal.
#ifndef GEARMAN_PLUGINS_ENCODING_ENCODING_FIELDS_H_
#define GEARMAN_PLUGINS_ENCODING_ENCODING_FIELDS_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/field_error.h"

namespace gearman {
namespace internal {

// Writes a limit that is set to *value, or returns the field's fault.
inline absl::Status ReadMaxBytes(absl::string_view field, bool set,
                                 uint64_t number, size_t* value) {
  if (!set) return absl::OkStatus();
  if (number < 1 || number > std::numeric_limits<size_t>::max()) {
    return FieldError(field, absl::StrCat(number), "it must be at least 1");
  }
  *value = static_cast<size_t>(number);
  return absl::OkStatus();
}

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_ENCODING_FIELDS_H_
