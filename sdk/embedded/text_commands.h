// The text commands of the embedded job server, answered as gearmand 1.1.20
// answers them.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_TEXT_COMMANDS_H_
#define GEARMAN_SDK_EMBEDDED_TEXT_COMMANDS_H_

#include "gearman/codecs/admin/command.h"

namespace gearman {
namespace embedded {

class EngineConnection;
class ServerEngine;

// Runs one line and replies to `connection`, at once or by a chore of the
// connection. False: the caller must call again in a later turn.
bool RunTextCommand(ServerEngine& engine, const admin::CommandLine& line,
                    EngineConnection* connection);

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_TEXT_COMMANDS_H_
