// A plugin library is a shared object that a config names and that is loaded
// while the program runs. It exports one C function, which gets the host's
// registry and the host's ABI.
//
//   absl::Status RegisterMine(gearman::PluginRegistry& registry) {
//     return registry.retry_policies().Register<MyRetryConfig>("mine", ...);
//   }
//   GEARMAN_PLUGIN_LIBRARY(RegisterMine)
//
// The library must use only the registry that it is given, because
// PluginRegistry::Default() may be a copy in the library itself. A library is
// never unloaded. Any thread may load one.
//
// The library and the program link the SDK in the same way: both with its
// static libraries, or both with one version of its shared library. Protobuf
// takes each .proto file only once per process. Therefore the loader refuses
// two kinds of libraries: one that needs a shared library of the SDK which the
// process has not loaded, and one that has a second copy of a .proto file of
// the process. So a plugin that uses messages of the SDK needs the shared
// library. The loader looks at the file of the library, not at other libraries
// that it needs.
#ifndef GEARMAN_SDK_PLUGIN_LIBRARY_H_
#define GEARMAN_SDK_PLUGIN_LIBRARY_H_

#include <string>

#include "absl/base/config.h"
#include "absl/base/options.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/version.h"
#include "google/protobuf/stubs/common.h"

// This number grows with each change of an interface that plugins implement or
// call.
#define GEARMAN_PLUGIN_ABI_NUMBER 8

// Everything that both sides must agree on: this SDK's number, and the
// libraries whose types cross the border. It is readable, because the message
// that refuses a library shows it.
#define GEARMAN_PLUGIN_ABI \
  "gearman " GEARMAN_INTERNAL_QUOTE(GEARMAN_PLUGIN_ABI_NUMBER)          \
  ", abseil " GEARMAN_INTERNAL_QUOTE(ABSL_LTS_RELEASE_VERSION)          \
  "/" GEARMAN_INTERNAL_QUOTE(ABSL_OPTION_USE_STD_STRING_VIEW)           \
  ", protobuf " GEARMAN_INTERNAL_QUOTE(GOOGLE_PROTOBUF_VERSION)         \
  ", c++ abi " GEARMAN_INTERNAL_QUOTE(__GXX_ABI_VERSION)

// The name of the function, for dlsym, and its type. The function returns null
// on success. Otherwise it returns a text in English that lives until the
// thread calls the function again. If `host_abi` is not the ABI that the
// library was built for, it registers nothing and returns such a text.
#define GEARMAN_PLUGIN_ENTRY_POINT "gearman_register_plugins"
extern "C" typedef const char* (*GearmanRegisterPlugins)(
    const char* host_abi, gearman::PluginRegistry* registry);

namespace gearman {

// Calls a library's entry point. `library` is the name of its file, for
// messages. Returns FAILED_PRECONDITION if the library was built for another
// ABI (the message has both) or if its registration fails.
absl::Status RegisterPluginLibrary(absl::string_view library,
                                   GearmanRegisterPlugins entry_point,
                                   PluginRegistry* registry);

namespace internal {

// The body of the exported function, compiled into the library.
inline const char* RegisterPluginsOnce(
    const char* host_abi, PluginRegistry* registry,
    absl::Status (*register_plugins)(PluginRegistry&)) {
  thread_local std::string error;
  if (absl::string_view(host_abi) != GEARMAN_PLUGIN_ABI) {
    return "built for " GEARMAN_PLUGIN_ABI;
  }
  // An exception must not cross a C function.
  absl::Status status;
  status.Update(GuardedCall([&] { status = register_plugins(*registry); },
                            absl::UnknownError));
  if (status.ok()) return nullptr;
  error = std::string(status.message());
  return error.c_str();
}

}  // namespace internal
}  // namespace gearman

// Exports the entry point, once per library. `function` takes a
// gearman::PluginRegistry& and returns an absl::Status.
#define GEARMAN_PLUGIN_LIBRARY(function)                                \
  extern "C" __attribute__((visibility("default"))) const char*         \
  gearman_register_plugins(const char* host_abi,                        \
                           ::gearman::PluginRegistry* registry) {       \
    return ::gearman::internal::RegisterPluginsOnce(host_abi, registry, \
                                                    (function));        \
  }

#endif  // GEARMAN_SDK_PLUGIN_LIBRARY_H_
