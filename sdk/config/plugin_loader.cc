#include "gearman/sdk/plugin_loader.h"

#include <dlfcn.h>

#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gearman/sdk/internal/plugin_conflict.h"
#include "gearman/sdk/plugin_library.h"

namespace gearman {
namespace {

absl::string_view LastError() {
  const char* const error = dlerror();
  return error == nullptr ? "unknown error" : error;
}

// Lets one thread at a time register a library with a registry: two threads
// that load it at once would both find that the registry lacks it. No lock is
// held while a library registers, because a library may load others.
class Turns {
 public:
  using Key = std::pair<const PluginRegistry*, const void*>;

  static Turns& Get() {
    static auto* const turns = new Turns();
    return *turns;
  }
  // Waits until no other thread has this turn.
  void Take(const Key& key) {
    const auto is_free = [this, &key]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return taken_.count(key) == 0;
    };
    absl::MutexLock lock(&mutex_, absl::Condition(&is_free));
    taken_.insert(key);
  }
  void End(const Key& key) {
    absl::MutexLock lock(&mutex_);
    taken_.erase(key);
  }

 private:
  absl::Mutex mutex_;
  std::set<Key> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status LoadPluginLibrary(const std::string& path,
                               PluginRegistry* registry) {
  // dlopen takes an empty name for the program itself.
  if (path.empty()) {
    return absl::NotFoundError("a plugin library needs a name");
  }
  const absl::Status conflict = internal::RefusePluginConflict(path);
  if (!conflict.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("plugin library ", path, ": ", conflict.message()));
  }
  // Resolve all symbols now, so that a missing one can't end the program later.
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("plugin library ", path, ": ", LastError()));
  }
  void* const entry_point = dlsym(library, GEARMAN_PLUGIN_ENTRY_POINT);
  if (entry_point == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "plugin library ", path, ": is none: it has no function ",
        GEARMAN_PLUGIN_ENTRY_POINT, " (see GEARMAN_PLUGIN_LIBRARY)"));
  }
  const Turns::Key turn(registry, library);
  Turns::Get().Take(turn);
  const auto end_turn = absl::MakeCleanup([&] { Turns::Get().End(turn); });
  if (registry->HasLibrary(library)) return absl::OkStatus();
  absl::Status status = RegisterPluginLibrary(
      path, reinterpret_cast<GearmanRegisterPlugins>(entry_point), registry);
  if (status.ok()) registry->AddLibrary(library);
  return status;
}

}  // namespace gearman
