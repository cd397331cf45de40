// Job: the five facts that the protocol knows of one piece of work. A client
// reads them from a JobRequest, a worker's handler from its JobContext. A Job
// is a plain value, and thread-compatible. docs/protocol.md, section "Packets",
// has the packets that carry the facts: SUBMIT_JOB and JOB_ASSIGN with their
// variants, and JOB_CREATED.
#ifndef GEARMAN_SDK_JOB_H_
#define GEARMAN_SDK_JOB_H_

#include <memory>
#include <string>
#include <utility>

#include "gearman/base/cpp17.h"
#include "gearman/base/string_view.h"

namespace gearman {

namespace internal {
struct Access;
}  // namespace internal

class Job {
 public:
  Job() = default;
  // The SDK makes the jobs that a program gets. A test of a program may also
  // make them.
  Job(std::string task, std::string unique,
      std::shared_ptr<const std::string> data, std::string connection = "",
      std::string handle = "")
      : connection_(std::move(connection)),
        handle_(std::move(handle)),
        task_(std::move(task)),
        unique_(std::move(unique)),
        data_(std::move(data)) {}

  // The address of the job's server, as configured ("tcp://host:4730"). It is
  // empty before the job has been submitted. (The connection to that server may
  // be gone while the job goes on.)
  const std::string& connection() const { return connection_; }
  // The server's name for the job: opaque bytes, at most 63. It has no meaning
  // on another server, and none once this server has restarted. It is empty
  // before the server accepted the job.
  const std::string& handle() const { return handle_; }
  // The task, which Gearman also calls the function, without the namespace
  // prefix of the client or worker.
  const std::string& task() const { return task_; }
  // The unique, of at most 63 bytes. Jobs of one task with equal uniques are
  // joined while one of them is queued or running. It may be empty for a
  // worker, because a client need not give one.
  const std::string& unique() const { return unique_; }
  // The payload: any bytes. The view is valid as long as this object.
  StringView data() const {
    return data_ == nullptr ? StringView()
                            : StringView(data_->data(), data_->size());
  }
  // The payload, shared. It is null if the payload is empty.
  const std::shared_ptr<const std::string>& shared_data() const {
    return data_;
  }

 private:
  friend struct internal::Access;

  std::string connection_;
  std::string handle_;
  std::string task_;
  std::string unique_;
  std::shared_ptr<const std::string> data_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_JOB_H_
