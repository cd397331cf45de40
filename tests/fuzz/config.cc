// Config files, as text and as JSON.
#include "gearman/sdk/config.h"

#include "gearman/sdk/builtins.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/tests/fuzz/fuzz_target.h"

namespace gearman {
namespace fuzz {

std::vector<std::string> Seeds() {
  return {
      "servers: [\"tcp://a:4730\", \"b\"]\nretry { budget { policy { "
      "immediate { max_attempts: 3 } } } }\ntimeouts { connect: \"2s\" }\n",
      "worker { concurrency: 8 prefetch { max_jobs: 1 } } # comment\n"
      "metrics { in_memory {} } log_level: DEBUG",
      "{\"servers\": [\"a\"], \"retry\": {\"exponential_backoff\": "
      "{\"delay\": {\"jitter\": 0.5}}}, \"taskPrefix\": \"\\u00e4/\"}"};
}

}  // namespace fuzz
}  // namespace gearman

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gearman;  // NOLINT
  const absl::string_view text = fuzz::Text(data, size);
  PluginRegistry& registry = PluginRegistry::Default();
  for (const auto& config : {Config::FromText(text, "f", registry),
                             Config::FromJson(text, "f", registry)}) {
    if (!config.ok()) continue;
    config->ToClientOptions(registry).status().IgnoreError();
    config->ToWorkerOptions(registry).status().IgnoreError();
  }
  return 0;
}
