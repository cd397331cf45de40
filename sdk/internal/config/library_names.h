// Finds the plugin libraries that a config names. They must be loaded before
// the config is read, because only then the messages of their plugins are
// known.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_LIBRARY_NAMES_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_LIBRARY_NAMES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// The content of `plugin_libraries`. nullopt: it can't be found out, because
// the text has a mistake, which reading the config reports.
std::optional<std::vector<std::string>> LibraryNamesInText(
    absl::string_view text);
std::optional<std::vector<std::string>> LibraryNamesInJson(
    absl::string_view text);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_LIBRARY_NAMES_H_
