// Finds the plugin libraries that a config names. They must be loaded before
// the config is read, because only then the messages of their plugins are
// known.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_LIBRARY_NAMES_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_LIBRARY_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// The content of `plugin_libraries`. Empty if the text can't be parsed so far.
// Reading the config then reports the error.
std::vector<std::string> LibraryNamesInText(absl::string_view text);
std::vector<std::string> LibraryNamesInJson(absl::string_view text);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_LIBRARY_NAMES_H_
