// A shared object that was built for an old version, to show how it is refused.
#include <string>

namespace gearman {
class PluginRegistry;
}  // namespace gearman

extern "C" __attribute__((visibility("default"))) const char*
gearman_register_plugins(const char* host_abi,
                         gearman::PluginRegistry* /*registry*/) {
  return std::string(host_abi) == "gearman 0" ? nullptr : "built for gearman 0";
}
