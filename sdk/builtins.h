// Builtins: the members of all plugin families that come with the SDK.
//
// If a program links //sdk:builtins, PluginRegistry::Default() has them before
// main begins. RegisterBuiltins fills another registry. A program that should
// not carry them does not link //sdk:builtins: //sdk:client alone brings no
// transport, and its options take plain objects.
#ifndef GEARMAN_SDK_BUILTINS_H_
#define GEARMAN_SDK_BUILTINS_H_

#include "absl/status/status.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {

// Registers these members in `registry`:
//   retry policies        none, immediate, exponential_backoff, budget
//   backoff policies      constant, exponential
//   idempotency policies  standard, strict
//   server selectors      random, round_robin, ordered, unique_hash
//   metrics sinks         in_memory, log, statsd
//   transports            tcp, tls, inproc
// Returns ALREADY_EXISTS if one of them is there. (The default registry has all
// of them.)
absl::Status RegisterBuiltins(PluginRegistry* registry);

}  // namespace gearman

#endif  // GEARMAN_SDK_BUILTINS_H_
