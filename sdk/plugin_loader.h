// Loads plugin libraries (sdk/plugin_library.h): shared objects that a config
// names. Any thread may load one.
#ifndef GEARMAN_SDK_PLUGIN_LOADER_H_
#define GEARMAN_SDK_PLUGIN_LOADER_H_

#include <string>

#include "absl/status/status.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {

// Loads the shared object `path`, as dlopen finds it: a name without a slash is
// searched for in the system's library folders. Then lets the library register
// its plugins with `registry`. The library stays loaded until the process ends.
// A library that `registry` has loaded already is left alone. If another thread
// is loading the same library, this function waits for it; therefore a library
// must not load itself.
//
// Returns NOT_FOUND, with the system's message, if the library can't be loaded.
// Returns FAILED_PRECONDITION if it is no plugin library, if it was built for
// another version (the message has both), if its registration fails, or if it
// brings a second copy of the SDK or of a .proto file that the process has
// (sdk/plugin_library.h). In the last case nothing is loaded.
absl::Status LoadPluginLibrary(const std::string& path,
                               PluginRegistry* registry);

}  // namespace gearman

#endif  // GEARMAN_SDK_PLUGIN_LOADER_H_
