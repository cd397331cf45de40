// The floods: many valid commands of one connection, or of several, each of
// which makes the server work much. A flood runs in a process of its own
// (RunFlooder), only at the loopback, for a bounded time and number.
#ifndef GEARMAN_BENCHMARKS_FLOOD_FLOODS_H_
#define GEARMAN_BENCHMARKS_FLOOD_FLOODS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace gearman {
namespace benchmarks {

// Who floods a server, and how.
struct FloodRequest {
  std::string kind;  // FloodKinds
  uint16_t port = 0;
  uint16_t tls_port = 0;  // 0: the server speaks no TLS
  int connections = 1;
  // So long at most, if nobody ends it before.
  absl::Duration duration;
  // Until it is ready: at most so long.
  absl::Duration set_up;
  // Times the functions, jobs and submissions that there are meanwhile.
  double scale = 1;
};

struct FloodReport {
  // Why there was no flood; empty: there was.
  std::string reason;
  absl::Time began;
  absl::Time ended;
  int64_t answers = 0;
  // Connections that the server closed.
  int closed = 0;
};

// "none", "grab", ...
std::vector<std::string> FloodKinds();
// Not for gearmand, which speaks no TLS in Debian's build with our options.
bool NeedsTls(const std::string& kind);

// Is the flooding process: makes the state, prints kReady, floods until
// SIGTERM, prints a report, and returns the exit status. What goes on for too
// long ends the process by SIGALRM.
int RunFlooder(const FloodRequest& request);
// The line that says that it floods now.
inline constexpr char kReady[] = "ready";
// Reads what it prints after its first line, or instead of it.
FloodReport ReadReport(const std::string& text);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_FLOODS_H_
