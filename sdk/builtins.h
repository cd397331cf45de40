// Builtins: every member of every plugin family that comes with the SDK.
//
// Linking //sdk:builtins fills PluginRegistry::Default() with them before main;
// nothing need be called. A registry of your own is filled by RegisterBuiltins.
// What a program should not carry it does not link: //sdk:client alone brings
// no transport, and its options take plain objects.
#ifndef GEARMAN_SDK_BUILTINS_H_
#define GEARMAN_SDK_BUILTINS_H_

#include "absl/status/status.h"
#include "gearman/sdk/plugin_registry.h"

namespace gearman {

// Registers, in `registry`:
//   retry policies        none, immediate, exponential_backoff, budget
//   backoff policies      constant, exponential
//   idempotency policies  standard, strict
//   server selectors      random, round_robin, ordered, unique_hash
//   metrics sinks         in_memory
//   transports            tcp, tls, inproc
// ALREADY_EXISTS when one is there (the default registry has them all).
absl::Status RegisterBuiltins(PluginRegistry* registry);

}  // namespace gearman

#endif  // GEARMAN_SDK_BUILTINS_H_
