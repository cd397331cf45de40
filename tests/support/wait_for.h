// WaitFor: the last resort of a test, for a condition that no event announces
// (another program's counter, say, which can only be asked again). Where there
// is an event (a descriptor, a mutex' condition, a process' end or output),
// wait for that.
#ifndef GEARMAN_TESTS_SUPPORT_WAIT_FOR_H_
#define GEARMAN_TESTS_SUPPORT_WAIT_FOR_H_

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"

namespace gearman {
namespace support {

// Asks again and again, on the calling thread, with a pause that grows from
// 1 ms to 50 ms, until `condition` is true. False when it is still false after
// the end of the bound: without a bound of zero it is asked twice at least.
bool WaitFor(absl::FunctionRef<bool()> condition,
             absl::Duration bound = kBound);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_WAIT_FOR_H_
