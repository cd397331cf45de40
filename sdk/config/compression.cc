// A program that links this file has the data encoders "zlib" and "zstd".
#include "gearman/plugins/encoding/compression_plugins.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {
namespace {

const internal::PluginRegistration registration([](PluginRegistry& registry) {
  return RegisterCompressionPlugins(&registry.data_encoders());
});

}  // namespace

// A linker that is told to look for this name takes this file out of a static
// library (cmake/Library.cmake).
extern "C" const char gearman_sdk_compression;
const char gearman_sdk_compression = 0;

}  // namespace gearman
