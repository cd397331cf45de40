// Registers the compressors as plugins. This is a separate file so that a
// program that does not use them links neither zlib nor zstd.
#ifndef GEARMAN_PLUGINS_ENCODING_COMPRESSION_PLUGINS_H_
#define GEARMAN_PLUGINS_ENCODING_COMPRESSION_PLUGINS_H_

#include "absl/status/status.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/registry.h"

namespace gearman {

// Registers "zlib" and "zstd". Returns ALREADY_EXISTS if one of them is
// registered. (//sdk:compression does this with PluginRegistry::Default().)
absl::Status RegisterCompressionPlugins(Registry<DataEncoder>* registry);

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_ENCODING_COMPRESSION_PLUGINS_H_
