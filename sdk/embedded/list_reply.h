// ListReply: the reply to a text command that lists functions, connections or
// jobs. It is made row by row in as many turns as it takes. Rows may come and
// go meanwhile. A row that is there all the time is listed once. New rows can't
// make the list endless.
//
// Not thread-safe: guarded by the server's lock.
#ifndef GEARMAN_SDK_EMBEDDED_LIST_REPLY_H_
#define GEARMAN_SDK_EMBEDDED_LIST_REPLY_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "gearman/base/intrusive_list.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/sdk/embedded/worker_table.h"

namespace gearman {
namespace embedded {

class ListReply final : public EngineChore {
 public:
  enum class Kind : unsigned char {
    kStatus,
    kPriorityStatus,
    kWorkers,
    kJobs,
    kUniqueJobs,
  };

  // `engine` and `out` must outlive this object.
  ListReply(Kind kind, ServerEngine* engine, wire::OutputBuffer* out);

  bool Run() override;
  bool replies() const override { return true; }

 private:
  // Each function writes the next row or a part of it. False: there are no more
  // rows.
  bool AddRow();
  bool AddFunction();
  bool AddConnection();
  bool AddJob();

  const Kind kind_;
  ServerEngine& engine_;
  wire::OutputBuffer& out_;
  // The numbers of the newest connection and the newest job to list.
  const uint64_t last_connection_;
  const uint64_t last_job_;

  bool began_ = false;
  std::string function_;  // the last one listed
  JobQueue::JobWalker job_;
  ListWalker<EngineConnection, ConnectionsTag> connection_;
  // In the middle of a connection's row: the position among its functions, and
  // the most functions that may follow.
  ListWalker<Ability, OfWorkerTag> ability_;
  size_t abilities_left_ = 0;
  bool in_row_ = false;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_SDK_EMBEDDED_LIST_REPLY_H_
