#include "gearman/tools/gearctl/ask_all.h"

#include <cstddef>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "gearman/transports/start_thread.h"

namespace gearman {
namespace gearctl {

void AskAll(size_t count, absl::FunctionRef<void(size_t)> ask) {
  std::vector<std::thread> threads(count);
  std::vector<size_t> refused;
  for (size_t i = 1; i < count; ++i) {
    const bool started =
        StartThread(
            "the thread that asks a server", [ask, i] { ask(i); }, &threads[i])
            .ok();
    if (!started) refused.push_back(i);
  }
  if (count > 0) ask(0);
  for (const size_t i : refused) ask(i);
  for (std::thread& thread : threads) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace gearctl
}  // namespace gearman
