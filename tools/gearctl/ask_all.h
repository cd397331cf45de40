// AskAll asks several servers at once, so that all together take no longer than
// the slowest.
#ifndef GEARMAN_TOOLS_GEARCTL_ASK_ALL_H_
#define GEARMAN_TOOLS_GEARCTL_ASK_ALL_H_

#include <cstddef>

#include "absl/functional/function_ref.h"

namespace gearman {
namespace gearctl {

// Calls `ask` with each number below `count`, each on a thread of its own, and
// returns when all calls have returned. If the system refuses a thread, the
// calling thread makes that call.
void AskAll(size_t count, absl::FunctionRef<void(size_t)> ask);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_ASK_ALL_H_
