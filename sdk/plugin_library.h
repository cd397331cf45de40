// What a plugin library (a shared object, named in a config and loaded while
// the program runs) exports: one C function that is given the host's registry
// and the host's ABI.
//
//   absl::Status RegisterMine(gearman::PluginRegistry& registry) {
//     return registry.retry_policies().Register<MyRetryConfig>("mine", ...);
//   }
//   GEARMAN_PLUGIN_LIBRARY(RegisterMine)
//
// The registry passed in is the only one to use: PluginRegistry::Default() may
// be a copy of the library's own. A library is never unloaded. Thread-safe.
#ifndef GEARMAN_SDK_PLUGIN_LIBRARY_H_
#define GEARMAN_SDK_PLUGIN_LIBRARY_H_

#include <string>

#include "absl/base/config.h"
#include "absl/base/options.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/sdk/plugin_registry.h"
#include "google/protobuf/stubs/common.h"

// Grows with each change of an interface that plugins implement or call.
#define GEARMAN_PLUGIN_ABI_NUMBER 5

#define GEARMAN_INTERNAL_QUOTE(x) GEARMAN_INTERNAL_QUOTE2(x)
#define GEARMAN_INTERNAL_QUOTE2(x) #x

// All that both sides must agree on, readable in the message that refuses a
// library: our number, and the libraries whose types cross the border.
#define GEARMAN_PLUGIN_ABI \
  "gearman " GEARMAN_INTERNAL_QUOTE(GEARMAN_PLUGIN_ABI_NUMBER)          \
  ", abseil " GEARMAN_INTERNAL_QUOTE(ABSL_LTS_RELEASE_VERSION)          \
  "/" GEARMAN_INTERNAL_QUOTE(ABSL_OPTION_USE_STD_STRING_VIEW)           \
  ", protobuf " GEARMAN_INTERNAL_QUOTE(GOOGLE_PROTOBUF_VERSION)         \
  ", c++ abi " GEARMAN_INTERNAL_QUOTE(__GXX_ABI_VERSION)

// The function's name, for dlsym, and its type. It returns null when all went
// well, else a text in English that lives until the thread calls it again. It
// touches nothing when `host_abi` is not its own.
#define GEARMAN_PLUGIN_ENTRY_POINT "gearman_register_plugins"
extern "C" typedef const char* (*GearmanRegisterPlugins)(
    const char* host_abi, gearman::PluginRegistry* registry);

namespace gearman {

// Calls a library's entry point. `library` is its file's name, for messages.
// FAILED_PRECONDITION: built for another ABI (both are named), or what its
// registering said.
absl::Status RegisterPluginLibrary(absl::string_view library,
                                   GearmanRegisterPlugins entry_point,
                                   PluginRegistry* registry);

namespace internal {

// What the exported function does, compiled into the library.
inline const char* RegisterPluginsOnce(
    const char* host_abi, PluginRegistry* registry,
    absl::Status (*register_plugins)(PluginRegistry&)) {
  thread_local std::string error;
  if (absl::string_view(host_abi) != GEARMAN_PLUGIN_ABI) {
    return "built for " GEARMAN_PLUGIN_ABI;
  }
  // Nothing may be thrown through a C function.
  absl::Status status;
  status.Update(GuardedCall([&] { status = register_plugins(*registry); },
                            absl::UnknownError));
  if (status.ok()) return nullptr;
  error = std::string(status.message());
  return error.c_str();
}

}  // namespace internal
}  // namespace gearman

// Exports the entry point; `function` takes a gearman::PluginRegistry& and
// returns an absl::Status. Once per library.
#define GEARMAN_PLUGIN_LIBRARY(function)                                \
  extern "C" __attribute__((visibility("default"))) const char*         \
  gearman_register_plugins(const char* host_abi,                        \
                           ::gearman::PluginRegistry* registry) {       \
    return ::gearman::internal::RegisterPluginsOnce(host_abi, registry, \
                                                    (function));        \
  }

#endif  // GEARMAN_SDK_PLUGIN_LIBRARY_H_
