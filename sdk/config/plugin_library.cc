#include "gearman/sdk/plugin_library.h"

#include "absl/strings/str_cat.h"

namespace gearman {

absl::Status RegisterPluginLibrary(absl::string_view library,
                                   GearmanRegisterPlugins entry_point,
                                   PluginRegistry* registry) {
  const char* const error = entry_point(GEARMAN_PLUGIN_ABI, registry);
  if (error == nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("plugin library ", library, ": ", error,
                   "; this program is built for " GEARMAN_PLUGIN_ABI));
}

}  // namespace gearman
