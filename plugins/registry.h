// Registry: makes plugins of one family (one interface) from their configs.
//
//   Registry<RetryPolicy> registry("retry policy");
//   registry.Register<MyRetryConfig>("mine", [](const MyRetryConfig& config)
//       -> absl::StatusOr<std::unique_ptr<RetryPolicy>> { ... });
//   registry.Create(config);  // a MyRetryConfig, or an Any that holds one
//
// A plugin has a name, for people, and its own config message, whose type finds
// it. A program may have several registries; the one in sdk/plugin_registry.h
// is the default. A registry is thread-safe. A factory is called with no lock
// held, and several threads may call it at once.
//
// Functions that use the stored state are virtual, so that a plugin in a shared
// object runs the host's code, not its own copy of the code.
#ifndef GEARMAN_PLUGINS_REGISTRY_H_
#define GEARMAN_PLUGINS_REGISTRY_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/base/callback.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/process/per_process.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/message.h"

namespace gearman {

// The part that the registries of all families share.
class RegistryBase {
 public:
  RegistryBase(const RegistryBase&) = delete;
  RegistryBase& operator=(const RegistryBase&) = delete;
  virtual ~RegistryBase();

  // The name of a plugin of this family in messages: "retry policy".
  absl::string_view family() const { return family_; }
  // Returns the names of the registered plugins, sorted.
  virtual std::vector<std::string> names() const;
  // Returns the full names of the plugins' config messages, sorted.
  virtual std::vector<std::string> config_types() const;

 protected:
  // One registered plugin.
  struct Entry {
    std::string name;  // for people
    // The default instance of the config message. It lives until the process
    // ends.
    const google::protobuf::Message* default_config;
    // A Registry<Interface>::Factory.
    std::shared_ptr<const void> factory;
  };

  // `family` is the name of such a plugin in messages.
  explicit RegistryBase(absl::string_view family);

  // Adds a plugin. The errors are those of Registry::Register.
  virtual absl::Status Add(Entry entry);
  // Return the plugin of a name, and the plugin of a config type. NOT_FOUND has
  // the known plugins.
  virtual absl::StatusOr<Entry> FindByName(absl::string_view name) const;
  virtual absl::StatusOr<Entry> FindByType(absl::string_view type) const;
  // Returns the message in `any`, which must be of the entry's type.
  virtual absl::StatusOr<std::unique_ptr<google::protobuf::Message>> Unpack(
      const Entry& entry, const google::protobuf::Any& any) const;
  // Returns `status` with the plugin's name before its message.
  absl::Status Annotate(const Entry& entry, const absl::Status& status) const;

  // Returns "gearman.config.NoRetry" for
  // "type.googleapis.com/gearman.config.NoRetry".
  static absl::string_view TypeOf(const google::protobuf::Any& any);

 private:
  const std::string family_;
  mutable ProcessMutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

// The registry of the plugins that implement `Interface`.
template <typename Interface>
class Registry : public RegistryBase {
 public:
  // The result of making a plugin, and the function that makes one of its
  // config.
  using Made = absl::StatusOr<std::unique_ptr<Interface>>;
  using Factory = std::function<Made(const google::protobuf::Message&)>;

  // `family` is the name of such a plugin in messages: "retry policy".
  explicit Registry(absl::string_view family) : RegistryBase(family) {}

  // Registers a plugin whose config is a `Config` message. `factory` takes a
  // const Config& and returns Made; it reports a bad value by FieldError
  // (plugins/field_error.h). Returns ALREADY_EXISTS if the name or the message
  // type is taken, and INVALID_ARGUMENT if the name or the factory is empty.
  template <typename Config>
  absl::Status Register(absl::string_view name,
                        Callback<Made(const Config&)> factory) {
    std::shared_ptr<const Factory> erased;
    if (factory) {
      erased = std::make_shared<const Factory>(
          [factory = std::move(factory)](
              const google::protobuf::Message& config) -> Made {
            return factory(static_cast<const Config&>(config));
          });
    }
    return Add({std::string(name), &Config::default_instance(), erased});
  }

  // Makes the plugin that takes this config message, or the message in an Any.
  // Returns NOT_FOUND, with the known plugins, if no plugin takes it. Other
  // errors are the factory's, with the plugin's name before them.
  Made Create(const google::protobuf::Message& config) const {
    if (const auto* any = dynamic_cast<const google::protobuf::Any*>(&config)) {
      return CreateFromAny(*any);
    }
    absl::StatusOr<Entry> entry =
        FindByType(config.GetDescriptor()->full_name());
    if (!entry.ok()) return entry.status();
    if (entry->default_config->GetReflection() == config.GetReflection()) {
      return Make(*entry, config);
    }
    // The type is the same, but the object is not of the compiled class (a
    // dynamic message).
    google::protobuf::Any any;
    any.PackFrom(config);
    return CreateFromAny(any);
  }

  // Makes the plugin of this name with the defaults of its config. Returns
  // NOT_FOUND, with the known plugins, if there is no such plugin.
  Made CreateByName(absl::string_view name) const {
    absl::StatusOr<Entry> entry = FindByName(name);
    if (!entry.ok()) return entry.status();
    return Make(*entry, *entry->default_config);
  }

 private:
  // Returns UNKNOWN, with the exception's text, if the factory throws.
  static Made Call(const Factory& factory,
                   const google::protobuf::Message& config) {
    Made made = absl::UnknownError("not called");
    const absl::Status thrown = internal::GuardedCall(
        [&] { made = factory(config); }, absl::UnknownError);
    if (!thrown.ok()) return thrown;
    return made;
  }

  Made CreateFromAny(const google::protobuf::Any& any) const {
    absl::StatusOr<Entry> entry = FindByType(TypeOf(any));
    if (!entry.ok()) return entry.status();
    absl::StatusOr<std::unique_ptr<google::protobuf::Message>> config =
        Unpack(*entry, any);
    if (!config.ok()) return config.status();
    return Make(*entry, **config);
  }

  Made Make(const Entry& entry, const google::protobuf::Message& config) const {
    Made made = Call(*static_cast<const Factory*>(entry.factory.get()), config);
    if (made.ok() && *made == nullptr) {
      made = absl::InternalError("its factory made nothing");
    }
    return made.ok() ? std::move(made) : Annotate(entry, made.status());
  }
};

}  // namespace gearman

#endif  // GEARMAN_PLUGINS_REGISTRY_H_
