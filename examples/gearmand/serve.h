// The life of a worker of these programs.
#ifndef GEARMAN_EXAMPLES_GEARMAND_SERVE_H_
#define GEARMAN_EXAMPLES_GEARMAND_SERVE_H_

#include <string>

#include "absl/status/status.h"
#include "gearman/sdk/worker.h"

namespace gearmand_examples {

// Does jobs of `task` until SIGTERM or SIGINT, until --count jobs were done, or
// until no job came for --timeout. `identifier` is the worker's name in the
// server's list; it may be empty.
absl::Status Serve(const std::string& task, gearman::Worker::Handler handler,
                   const std::string& identifier = "");

}  // namespace gearmand_examples

#endif  // GEARMAN_EXAMPLES_GEARMAND_SERVE_H_
