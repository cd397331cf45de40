// The plugin libraries that a config names: they must be loaded before the
// config is read, as the messages of their plugins are known only then.
#ifndef GEARMAN_SDK_INTERNAL_CONFIG_LIBRARY_NAMES_H_
#define GEARMAN_SDK_INTERNAL_CONFIG_LIBRARY_NAMES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// What `plugin_libraries` holds. Empty where the text can't be read that far:
// reading it will tell why.
std::vector<std::string> LibraryNamesInText(absl::string_view text);
std::vector<std::string> LibraryNamesInJson(absl::string_view text);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_CONFIG_LIBRARY_NAMES_H_
