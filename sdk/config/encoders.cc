// A program that links this file has the data encoders "raw", "envelope",
// "protobuf", "json" and "aes256gcm".
#include "gearman/plugins/encoding/encoding_plugins.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {
namespace {

const internal::PluginRegistration registration([](PluginRegistry& registry) {
  return RegisterEncodingPlugins(&registry.data_encoders());
});

}  // namespace

// A linker that is told to look for this name takes this file out of a static
// library (cmake/Library.cmake).
extern "C" const char gearman_sdk_encoders;
const char gearman_sdk_encoders = 0;

}  // namespace gearman
