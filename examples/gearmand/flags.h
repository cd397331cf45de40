// The flags that these programs share.
//
//   --host=HOST --port=PORT --timeout=MILLISECONDS
#ifndef GEARMAN_EXAMPLES_GEARMAND_FLAGS_H_
#define GEARMAN_EXAMPLES_GEARMAND_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gearmand_examples {

// Reads the flags, and returns the other arguments. `usage` is for --help.
std::vector<std::string> ParseArguments(absl::string_view usage, int argc,
                                        char** argv);

// The address of the job server.
std::string Server();

// Infinite without --timeout.
absl::Duration Timeout();

// Returns the first argument or, without arguments, the standard input.
// INVALID_ARGUMENT: there is more than one argument, or the text is empty.
absl::StatusOr<std::string> Text(const std::vector<std::string>& arguments);

}  // namespace gearmand_examples

#endif  // GEARMAN_EXAMPLES_GEARMAND_FLAGS_H_
