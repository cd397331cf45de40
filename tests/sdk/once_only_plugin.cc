// A plugin library that registers nothing, and fails when it is asked to for
// the second time by the same registry.
#include <mutex>  // NOLINT: it links nothing of Abseil
#include <set>
#include <thread>  // NOLINT

namespace gearman {
class PluginRegistry;
}  // namespace gearman

extern "C" const char* gearman_register_plugins(
    const char* /*host_abi*/, gearman::PluginRegistry* registry);

const char* gearman_register_plugins(const char* /*host_abi*/,
                                     gearman::PluginRegistry* registry) {
  static std::mutex mutex;
  static auto* const seen = new std::set<gearman::PluginRegistry*>();
  bool is_new = false;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    is_new = seen->insert(registry).second;
  }
  // Lets a thread that registers at the same time come in between.
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  return is_new ? nullptr : "registered twice";
}
