// The progress numbers of WORK_STATUS and STATUS_RES.
#ifndef GEARMAN_CODECS_WIRE_PROGRESS_H_
#define GEARMAN_CODECS_WIRE_PROGRESS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {
namespace wire {

// Returns the number that `text` begins with. A worker's text reaches clients
// unchanged, whatever it is ("0.5", "-1", "", 30 digits). A text without a
// number counts as 0, and a number beyond int64 as the nearest one. Fractions
// are cut.
int64_t ParseProgress(absl::string_view text);

}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_PROGRESS_H_
