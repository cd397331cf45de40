#include "gearman/sdk/plugin_library.h"

#include "absl/strings/str_cat.h"

namespace gearman {

absl::Status RegisterPluginLibrary(absl::string_view library,
                                   GearmanRegisterPlugins entry_point,
                                   PluginRegistry* registry) {
  const auto refused = [&](absl::string_view why) {
    return absl::FailedPreconditionError(
        absl::StrCat("plugin library ", library, ": ", why,
                     "; this program is built for " GEARMAN_PLUGIN_ABI));
  };
  const char* error = nullptr;
  // An entry point that was written without the macro may throw.
  absl::Status status = internal::GuardedCall(
      [&] { error = entry_point(GEARMAN_PLUGIN_ABI, registry); }, refused);
  if (error != nullptr) status = refused(error);
  return status;
}

}  // namespace gearman
