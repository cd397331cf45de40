// The embedded server as a process: the other side of EmbeddedServer.
#ifndef GEARMAN_BENCHMARKS_COMPARE_EMBEDDED_SERVER_H_
#define GEARMAN_BENCHMARKS_COMPARE_EMBEDDED_SERVER_H_

namespace gearman {
namespace benchmarks {

// Prints the address of a server and serves until the process is killed.
[[noreturn]] void RunEmbeddedServer();

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_COMPARE_EMBEDDED_SERVER_H_
