// The text commands of the embedded job server, as gearmand 1.1.20 answers
// them.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_TEXT_COMMANDS_H_
#define GEARMAN_SDK_EMBEDDED_TEXT_COMMANDS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace gearman {
namespace embedded {

class ServerEngine;

// Runs one line (without its line end) and returns the reply, whole.
std::string RunTextCommand(ServerEngine& engine, absl::string_view line);

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_TEXT_COMMANDS_H_
