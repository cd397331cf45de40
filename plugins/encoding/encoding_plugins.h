// Registers the data encoders that come with the SDK as plugins, with their
// configs (encoding.proto), and makes stacks of registered encoders.
#ifndef GEARMAN_PLUGINS_ENCODING_ENCODING_PLUGINS_H_
#define GEARMAN_PLUGINS_ENCODING_ENCODING_PLUGINS_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/encoding.pb.h"
#include "gearman/plugins/registry.h"

namespace gearman {

// Registers "raw", "envelope", "protobuf", "json" and "aes256gcm". Returns
// ALREADY_EXISTS if one of the names or config types is taken. Any thread may
// call it. (compression_plugins.h registers "zlib" and "zstd". //sdk:encoders
// and //sdk:compression do this with PluginRegistry::Default().)
absl::Status RegisterEncodingPlugins(Registry<DataEncoder>* registry);

// Makes the stack of these names, each with the defaults of its config:
// "json+zlib+aes256gcm". Encoding applies them in this order. Returns
// INVALID_ARGUMENT for an empty name and for a stack that can't be
// (encoder_stack.h), NOT_FOUND, with the known encoders, for a name that is not
// registered, and otherwise the encoder's own error. Any thread may call it.
absl::StatusOr<std::unique_ptr<DataEncoder>> CreateDataEncoder(
    StringView names, const Registry<DataEncoder>& registry);
// Makes the stack that the config describes. The errors are those above. An
// error about a value has the path of its field (plugins/field_error.h).
absl::StatusOr<std::unique_ptr<DataEncoder>> CreateDataEncoder(
    const config::DataEncoding& config, const Registry<DataEncoder>& registry);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_ENCODING_PLUGINS_H_
