// The rows of the lists that a server sends as replies to text commands.
//
// Source: docs/protocol.md, section "Admin text protocol".
#ifndef GEARMAN_CODECS_ADMIN_ROWS_H_
#define GEARMAN_CODECS_ADMIN_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "gearman/base/cpp17.h"

namespace gearman {
namespace admin {

// A row of the list of `status`: `f\t2\t1\t1`.
struct StatusRow {
  std::string function;  // its name
  int64_t total = 0;     // queued and running jobs
  int64_t running = 0;   // 4294967295 if gearmand has counted below 0
  int64_t workers = 0;   // workers that can do it
};
// A row of the list of `prioritystatus`: `f\t0\t1\t0\t1`.
struct PriorityStatusRow {
  std::string function;  // its name
  // Queued jobs of each priority.
  int64_t high = 0;
  int64_t normal = 0;
  int64_t low = 0;
  int64_t workers = 0;  // workers that can do it
};
// A row of the list of `workers`: `38 127.0.0.1 id : g f`. The list has every
// connection, also those that do no jobs.
struct WorkerRow {
  int64_t descriptor = 0;  // the connection's number at the server
  std::string peer;        // gearmand 1.1.20 writes garbage for IPv6
  std::string id;          // "-" if none was set
  // The newest first. A server that takes functions in turn (gearmand 2.0, or
  // 1.1 with -R) puts the function last that gave the last job. A function
  // whose name holds a space reads as several.
  std::vector<std::string> functions;
};
// A row of the list of `show jobs`: `H:h:1\t0\t0\t1`.
struct JobRow {
  std::string handle;   // its name at the server
  int64_t retries = 0;  // how often its worker was lost
  // True if the job will not run, because its clients have left or because it
  // was cancelled. gearmand forgets it when a worker would get it.
  bool ignored = false;
  // Whether it is a background job. gearmand says false of a cancelled one.
  bool background = false;
};
// A row of `show unique jobs` is just the unique.

}  // namespace admin
}  // namespace gearman

#endif  // GEARMAN_CODECS_ADMIN_ROWS_H_
