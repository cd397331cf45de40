// Access reaches what is private in the classes that users see, for the rest of
// the SDK. These classes are its friends, so their public members are for users
// alone.
#ifndef GEARMAN_SDK_INTERNAL_ACCESS_H_
#define GEARMAN_SDK_INTERNAL_ACCESS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "gearman/sdk/job.h"

namespace gearman {
namespace internal {

struct Access {
  // Makes an object of a public class with its private constructor.
  template <typename Public, typename... Arguments>
  static Public Make(Arguments&&... arguments) {
    return Public(std::forward<Arguments>(arguments)...);
  }

  // Returns the record of a request.
  template <typename Request>
  static const auto& StateOf(const Request& request) {
    return request.state_;
  }

  // Returns the record of a job that a worker holds.
  template <typename PublicJob>
  static const auto& HeldOf(const PublicJob& job) {
    return job.held_;
  }

  // Makes `job` another job, and reuses its memory.
  static void Assign(absl::string_view connection, absl::string_view handle,
                     absl::string_view task, absl::string_view unique,
                     std::shared_ptr<const std::string> data, Job* job) {
    AssignIfOther(connection, &job->connection_);
    job->handle_.assign(handle.data(), handle.size());
    AssignIfOther(task, &job->task_);
    AssignIfOther(unique, &job->unique_);
    job->data_ = std::move(data);
  }
  // Moves the payload out of `job`.
  static std::shared_ptr<const std::string> TakeData(Job* job) {
    return std::move(job->data_);
  }

 private:
  // Most jobs of one worker have equal values, which need no copy.
  static void AssignIfOther(absl::string_view from, std::string* to) {
    if (*to != from) to->assign(from.data(), from.size());
  }
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_ACCESS_H_
