// How long a test waits for an event before it gives up.
#ifndef GEARMAN_TESTS_SUPPORT_BOUNDS_H_
#define GEARMAN_TESTS_SUPPORT_BOUNDS_H_

#include "absl/time/time.h"

namespace gearman {
namespace support {

// Far beyond what the slowest machine needs: reaching it means that the event
// does not come. It stays under the limit of a small test (.bazelrc), so
// that the test itself says what it waited for.
inline constexpr absl::Duration kBound = absl::Seconds(40);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_BOUNDS_H_
