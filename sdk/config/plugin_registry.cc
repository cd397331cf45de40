#include "gearman/sdk/plugin_registry.h"

#include <algorithm>

namespace gearman {

PluginRegistry::PluginRegistry()
    : PluginRegistry(std::make_shared<TransportRegistry>()) {}

PluginRegistry::PluginRegistry(std::shared_ptr<TransportRegistry> transports)
    : retry_policies_("retry policy"),
      backoff_policies_("backoff policy"),
      idempotency_policies_("idempotency policy"),
      server_selectors_("server selector"),
      metrics_sinks_("metrics sink"),
      data_encoders_("data encoder"),
      transports_(std::move(transports)) {}

PluginRegistry::~PluginRegistry() = default;

std::vector<std::string> PluginRegistry::config_types() const {
  std::vector<std::string> all;
  for (const RegistryBase* family :
       {static_cast<const RegistryBase*>(&retry_policies_),
        static_cast<const RegistryBase*>(&backoff_policies_),
        static_cast<const RegistryBase*>(&idempotency_policies_),
        static_cast<const RegistryBase*>(&server_selectors_),
        static_cast<const RegistryBase*>(&metrics_sinks_),
        static_cast<const RegistryBase*>(&data_encoders_)}) {
    for (std::string& type : family->config_types()) {
      all.push_back(std::move(type));
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

absl::Status PluginRegistry::registration_error() const {
  ProcessMutexLock lock(&mutex_);
  return registration_error_;
}

bool PluginRegistry::HasLibrary(const void* handle) const {
  ProcessMutexLock lock(&mutex_);
  return std::find(libraries_.begin(), libraries_.end(), handle) !=
         libraries_.end();
}

void PluginRegistry::AddLibrary(const void* handle) {
  ProcessMutexLock lock(&mutex_);
  libraries_.push_back(handle);
}

void PluginRegistry::NoteRegistration(const absl::Status& status) {
  ProcessMutexLock lock(&mutex_);
  registration_error_.Update(status);
}

PluginRegistry& PluginRegistry::Default() {
  // Never destroyed, because static objects may need it at exit.
  static PluginRegistry* const registry =
      new PluginRegistry(TransportRegistry::Default());
  return *registry;
}

}  // namespace gearman
