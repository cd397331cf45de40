// PluginRegistry: the registries of all plugin families, and the macros that
// fill the default one.
//
//   // in my_retry.cc, in a cc_library with alwayslink = True
//   GEARMAN_REGISTER_RETRY_POLICY("mine", acme::MyRetryConfig,
//                                 [](const acme::MyRetryConfig& config) {
//                                   return std::make_unique<MyRetry>(config);
//                                 });
//
// A program uses Default(), or makes a PluginRegistry and fills it with
// RegisterBuiltins (sdk/builtins.h) and its own plugins. The registry is
// thread-safe. Each family's registry lives as long as the PluginRegistry; the
// default one lives until the process ends.
#ifndef GEARMAN_SDK_PLUGIN_REGISTRY_H_
#define GEARMAN_SDK_PLUGIN_REGISTRY_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/registry.h"
#include "gearman/plugins/retry/backoff_policy.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/process/per_process.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {

class PluginRegistry {
 public:
  // Makes empty registries. With `transports`, shares the address schemes of
  // another PluginRegistry.
  PluginRegistry();
  explicit PluginRegistry(std::shared_ptr<TransportRegistry> transports);

  PluginRegistry(const PluginRegistry&) = delete;
  PluginRegistry& operator=(const PluginRegistry&) = delete;
  virtual ~PluginRegistry();

  // The registry of each family. It lives as long as this object.
  Registry<RetryPolicy>& retry_policies() { return retry_policies_; }
  const Registry<RetryPolicy>& retry_policies() const {
    return retry_policies_;
  }
  Registry<BackoffPolicy>& backoff_policies() { return backoff_policies_; }
  const Registry<BackoffPolicy>& backoff_policies() const {
    return backoff_policies_;
  }
  Registry<IdempotencyPolicy>& idempotency_policies() {
    return idempotency_policies_;
  }
  const Registry<IdempotencyPolicy>& idempotency_policies() const {
    return idempotency_policies_;
  }
  Registry<ServerSelector>& server_selectors() { return server_selectors_; }
  const Registry<ServerSelector>& server_selectors() const {
    return server_selectors_;
  }
  Registry<MetricsSink>& metrics_sinks() { return metrics_sinks_; }
  const Registry<MetricsSink>& metrics_sinks() const { return metrics_sinks_; }
  Registry<DataEncoder>& data_encoders() { return data_encoders_; }
  const Registry<DataEncoder>& data_encoders() const { return data_encoders_; }
  // Transports, by address scheme. They have no configs of their own.
  const std::shared_ptr<TransportRegistry>& transports() const {
    return transports_;
  }

  // Returns the names of the config messages of all families, sorted: the types
  // that an Any may hold.
  virtual std::vector<std::string> config_types() const;

  // Returns the first error of a registration by macro. Such a registration
  // runs before main, where no caller can get the error. Config reports it.
  virtual absl::Status registration_error() const;
  // The shared objects whose plugins this registry has, by their dlopen handles
  // (sdk/plugin_loader.h).
  virtual bool HasLibrary(const void* handle) const;
  virtual void AddLibrary(const void* handle);

  // Keeps `status` for registration_error if it is the first error.
  virtual void NoteRegistration(const absl::Status& status);

  // Returns the registry of the process. It has the plugins that are linked
  // into the program: the SDK's own if //sdk:builtins is linked, and those that
  // registered themselves by macro. (In a plugin's shared object this may be
  // another registry: use the one that the entry point gets.)
  static PluginRegistry& Default();

 private:
  Registry<RetryPolicy> retry_policies_;
  Registry<BackoffPolicy> backoff_policies_;
  Registry<IdempotencyPolicy> idempotency_policies_;
  Registry<ServerSelector> server_selectors_;
  Registry<MetricsSink> metrics_sinks_;
  Registry<DataEncoder> data_encoders_;
  const std::shared_ptr<TransportRegistry> transports_;
  mutable ProcessMutex mutex_;
  absl::Status registration_error_ ABSL_GUARDED_BY(mutex_);
  std::vector<const void*> libraries_ ABSL_GUARDED_BY(mutex_);
};

namespace internal {

// An object whose constructor registers a plugin with
// PluginRegistry::Default().
struct PluginRegistration {
  explicit PluginRegistration(
      absl::FunctionRef<absl::Status(PluginRegistry&)> register_plugin) {
    PluginRegistry& registry = PluginRegistry::Default();
    registry.NoteRegistration(register_plugin(registry));
  }
};

}  // namespace internal
}  // namespace gearman

// These macros register a plugin with PluginRegistry::Default() before main
// begins. The arguments are its name, its config message, and the factory that
// Registry::Register takes. Use them at namespace scope, in a library that is
// linked whole (alwayslink = True).
// NOLINTBEGIN(bugprone-macro-parentheses)
#define GEARMAN_REGISTER_RETRY_POLICY(name, Config, ...) \
  GEARMAN_INTERNAL_REGISTER(retry_policies, name, Config, __VA_ARGS__)
#define GEARMAN_REGISTER_BACKOFF_POLICY(name, Config, ...) \
  GEARMAN_INTERNAL_REGISTER(backoff_policies, name, Config, __VA_ARGS__)
#define GEARMAN_REGISTER_IDEMPOTENCY_POLICY(name, Config, ...) \
  GEARMAN_INTERNAL_REGISTER(idempotency_policies, name, Config, __VA_ARGS__)
#define GEARMAN_REGISTER_SERVER_SELECTOR(name, Config, ...) \
  GEARMAN_INTERNAL_REGISTER(server_selectors, name, Config, __VA_ARGS__)
#define GEARMAN_REGISTER_METRICS_SINK(name, Config, ...) \
  GEARMAN_INTERNAL_REGISTER(metrics_sinks, name, Config, __VA_ARGS__)
#define GEARMAN_REGISTER_DATA_ENCODER(name, Config, ...) \
  GEARMAN_INTERNAL_REGISTER(data_encoders, name, Config, __VA_ARGS__)

#define GEARMAN_INTERNAL_REGISTER(family, name, Config, ...)            \
  static const ::gearman::internal::PluginRegistration                  \
  GEARMAN_INTERNAL_CONCAT(gearman_plugin_registration_, __COUNTER__)(   \
      [](::gearman::PluginRegistry& registry) {                         \
        return registry.family().Register<Config>((name), __VA_ARGS__); \
      })
#define GEARMAN_INTERNAL_CONCAT(a, b) GEARMAN_INTERNAL_CONCAT2(a, b)
#define GEARMAN_INTERNAL_CONCAT2(a, b) a##b
// NOLINTEND(bugprone-macro-parentheses)

#endif  // GEARMAN_SDK_PLUGIN_REGISTRY_H_
