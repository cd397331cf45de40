// The text commands of the embedded job server, answered as gearmand 1.1.20
// answers them.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_TEXT_COMMANDS_H_
#define GEARMAN_SDK_EMBEDDED_TEXT_COMMANDS_H_

#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/wire/output_buffer.h"

namespace gearman {
namespace embedded {

class ServerEngine;

// Runs one line and appends the reply, whole.
void RunTextCommand(ServerEngine& engine, const admin::CommandLine& line,
                    wire::OutputBuffer& out);

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_TEXT_COMMANDS_H_
