// Progress numbers of WORK_STATUS and STATUS_RES.
#ifndef GEARMAN_CODECS_WIRE_PROGRESS_H_
#define GEARMAN_CODECS_WIRE_PROGRESS_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace gearman {
namespace wire {

// The number that `text` begins with, as far as there is one: a worker's text
// reaches clients unchanged, whatever it is ("0.5", "-1", "", 30 digits). No
// number counts as 0, one beyond int64 as the nearest; fractions are cut.
int64_t ParseProgress(absl::string_view text);

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_PROGRESS_H_
