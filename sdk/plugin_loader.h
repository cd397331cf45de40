// Loads plugin libraries (sdk/plugin_library.h): shared objects that are named
// in a config. Thread-safe.
#ifndef GEARMAN_SDK_PLUGIN_LOADER_H_
#define GEARMAN_SDK_PLUGIN_LOADER_H_

#include <string>

#include "absl/status/status.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {

// Loads the shared object `path`, as dlopen finds it (a name without a slash
// is searched for where the system's libraries are), and has it register its
// plugins with `registry`. It stays loaded for ever; one that `registry` has
// loaded already is left alone, and one that another thread is loading is
// waited for. (So a library must not load itself.)
// NOT_FOUND: it can't be loaded, with the system's words; FAILED_PRECONDITION:
// it is no plugin library, it was built for another version (both are named),
// or what its registering said.
absl::Status LoadPluginLibrary(const std::string& path,
                               PluginRegistry* registry);

}  // namespace gearman

#endif  // GEARMAN_SDK_PLUGIN_LOADER_H_
