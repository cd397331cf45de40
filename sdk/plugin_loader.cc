#include "gearman/sdk/plugin_loader.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "gearman/sdk/plugin_library.h"

namespace gearman {
namespace {

absl::string_view LastError() {
  const char* const error = dlerror();
  return error == nullptr ? "unknown error" : error;
}

}  // namespace

absl::Status LoadPluginLibrary(const std::string& path,
                               PluginRegistry* registry) {
  // An empty name would mean this program.
  if (path.empty()) {
    return absl::NotFoundError("a plugin library needs a name");
  }
  // All symbols now: what is missing must not end the program later.
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("plugin library ", path, ": ", LastError()));
  }
  void* const entry_point = dlsym(library, GEARMAN_PLUGIN_ENTRY_POINT);
  if (entry_point == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "plugin library ", path, ": is none: it has no function ",
        GEARMAN_PLUGIN_ENTRY_POINT, " (see GEARMAN_PLUGIN_LIBRARY)"));
  }
  if (registry->HasLibrary(library)) return absl::OkStatus();
  absl::Status status = RegisterPluginLibrary(
      path, reinterpret_cast<GearmanRegisterPlugins>(entry_point), registry);
  if (status.ok()) registry->AddLibrary(library);
  return status;
}

}  // namespace gearman
