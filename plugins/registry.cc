#include "gearman/plugins/registry.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "gearman/plugins/suggest.h"

namespace gearman {

RegistryBase::RegistryBase(absl::string_view family) : family_(family) {}

RegistryBase::~RegistryBase() = default;

std::vector<std::string> RegistryBase::names() const {
  std::vector<std::string> names;
  ProcessMutexLock lock(&mutex_);
  for (const Entry& entry : entries_) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> RegistryBase::config_types() const {
  std::vector<std::string> types;
  ProcessMutexLock lock(&mutex_);
  for (const Entry& entry : entries_) {
    types.emplace_back(entry.default_config->GetDescriptor()->full_name());
  }
  std::sort(types.begin(), types.end());
  return types;
}

absl::Status RegistryBase::Add(Entry entry) {
  if (entry.name.empty() || entry.factory == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ", family_, " \"", entry.name,
                     "\" can't be registered: it needs a name and a factory"));
  }
  const absl::string_view type =
      entry.default_config->GetDescriptor()->full_name();
  ProcessMutexLock lock(&mutex_);
  for (const Entry& other : entries_) {
    if (other.name == entry.name) {
      return absl::AlreadyExistsError(
          absl::StrCat("a ", family_, " \"", entry.name,
                       "\" is registered already; choose another name"));
    }
    if (other.default_config->GetDescriptor()->full_name() == type) {
      return absl::AlreadyExistsError(absl::StrCat(
          "the ", family_, " \"", entry.name, "\" can't be registered: \"",
          other.name, "\" has the same config message, ", type,
          "; give each plugin a message of its own"));
    }
  }
  entries_.push_back(std::move(entry));
  return absl::OkStatus();
}

absl::StatusOr<RegistryBase::Entry> RegistryBase::FindByName(
    absl::string_view name) const {
  {
    ProcessMutexLock lock(&mutex_);
    for (const Entry& entry : entries_) {
      if (entry.name == name) return entry;
    }
  }
  return absl::NotFoundError(absl::StrCat("unknown ", family_, " \"", name,
                                          "\": ", Suggest(name, names())));
}

absl::StatusOr<RegistryBase::Entry> RegistryBase::FindByType(
    absl::string_view type) const {
  {
    ProcessMutexLock lock(&mutex_);
    for (const Entry& entry : entries_) {
      if (entry.default_config->GetDescriptor()->full_name() == type) {
        return entry;
      }
    }
  }
  return absl::NotFoundError(
      absl::StrCat("no ", family_, " has the config message \"", type,
                   "\": ", Suggest(type, config_types())));
}

absl::StatusOr<std::unique_ptr<google::protobuf::Message>> RegistryBase::Unpack(
    const Entry& entry, const google::protobuf::Any& any) const {
  std::unique_ptr<google::protobuf::Message> config(
      entry.default_config->New());
  if (!config->ParseFromString(any.value())) {
    return Annotate(entry, absl::InvalidArgumentError(absl::StrCat(
                               "the Any's bytes are no ", TypeOf(any))));
  }
  return config;
}

absl::Status RegistryBase::Annotate(const Entry& entry,
                                    const absl::Status& status) const {
  absl::Status result(status.code(), absl::StrCat(family_, " \"", entry.name,
                                                  "\": ", status.message()));
  status.ForEachPayload(
      [&result](absl::string_view key, const absl::Cord& payload) {
        result.SetPayload(key, payload);
      });
  return result;
}

absl::string_view RegistryBase::TypeOf(const google::protobuf::Any& any) {
  const absl::string_view url = any.type_url();
  const size_t slash = url.rfind('/');
  return slash == absl::string_view::npos ? url : url.substr(slash + 1);
}

}  // namespace gearman
