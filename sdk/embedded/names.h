// The check of names that peers choose and lists show: those of functions and
// of workers.
#ifndef GEARMAN_SDK_EMBEDDED_NAMES_H_
#define GEARMAN_SDK_EMBEDDED_NAMES_H_

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace embedded {

// False: the name holds a control character. The text protocol's lists escape
// nothing, so a line feed or a tab would forge rows and columns.
inline bool MayBeListed(absl::string_view name) {
  return std::none_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_NAMES_H_
