// The floods: many valid commands of one connection, or of several. Each
// command makes the server work hard. A flood runs in a process of its own
// (RunFlooder), only over the loopback, for a bounded time and number.
#ifndef GEARMAN_BENCHMARKS_FLOOD_FLOODS_H_
#define GEARMAN_BENCHMARKS_FLOOD_FLOODS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace gearman {
namespace benchmarks {

// The parameters of a flood.
struct FloodRequest {
  std::string kind;  // FloodKinds
  uint16_t port = 0;
  uint16_t tls_port = 0;  // 0: the server speaks no TLS
  int connections = 1;
  // The longest time for the flood, if it is not ended before.
  absl::Duration duration;
  // The longest time for setting the flood up.
  absl::Duration set_up;
  // Multiplies the numbers of functions, jobs and joined submissions that the
  // flood meets.
  double scale = 1;
};

struct FloodReport {
  // The reason why there was no flood; empty: there was one.
  std::string reason;
  absl::Time began;
  absl::Time ended;
  int64_t answers = 0;
  // Connections that the server closed.
  int closed = 0;
};

// The names of the floods: "none", "grab", ...
std::vector<std::string> FloodKinds();
// True: the flood is not for gearmand, as Debian's build of it speaks no TLS
// with our options.
bool NeedsTls(const std::string& kind);

// Runs the flooding process: makes the state, prints kReady, floods until
// SIGTERM, prints a report and exits. If the process takes too long, SIGALRM
// ends it.
int RunFlooder(const FloodRequest& request);
// The line by which the process says that it floods now.
inline constexpr char kReady[] = "ready";
// Reads the report that the process prints after its first line, or instead of
// it.
FloodReport ReadReport(const std::string& text);

}  // namespace benchmarks
}  // namespace gearman

#endif  // GEARMAN_BENCHMARKS_FLOOD_FLOODS_H_
