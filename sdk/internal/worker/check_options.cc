#include "gearman/sdk/internal/worker/check_options.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/internal/net/common_options.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// Gearmand keeps so many bytes of a client ID.
constexpr size_t kMaxClientIdBytes = 127;
// A living worker answers before the server's timer fires.
constexpr int64_t kAnnouncedGraceMs = 1000;
// Servers keep the limit in 32 bits, signed or not.
constexpr int64_t kMaxAnnouncedMs = std::numeric_limits<int32_t>::max();

// RateLimit: one job in 11 days, and more than a worker can begin.
constexpr double kLeastRate = 1e-6;
constexpr double kMostRate = 1e6;
constexpr int kMostBurst = 1000000;
// TaskOptions::weight.
constexpr int kMostWeight = 1000;

absl::Status Bad(absl::string_view field, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("WorkerOptions::", field, " ", why));
}

}  // namespace

absl::Status CheckWorkerOptions(const WorkerOptions& options) {
  absl::Status status = CheckPositive(
      "WorkerOptions", {{"connect_timeout", options.connect_timeout},
                        {"reply_timeout", options.reply_timeout},
                        {"heartbeat_interval", options.heartbeat_interval},
                        {"regrab_interval", options.regrab_interval}});
  if (!status.ok()) return status;
  status = CheckReconnect("WorkerOptions", options.reconnect);
  if (!status.ok()) return status;
  if (options.drain_limit < absl::ZeroDuration()) {
    return Bad("drain_limit", "must not be negative");
  }
  if (options.concurrency < 1) {
    return Bad("concurrency", absl::StrCat("is ", options.concurrency,
                                           "; it must be at least 1"));
  }
  const PrefetchOptions& prefetch = options.prefetch;
  if (prefetch.min_jobs < 0 || prefetch.max_jobs < prefetch.min_jobs) {
    return Bad("prefetch", "needs 0 <= min_jobs <= max_jobs");
  }
  if (prefetch.max_wait < absl::ZeroDuration()) {
    return Bad("prefetch.max_wait", "must not be negative");
  }
  if (options.limits.max_output_bytes == 0 ||
      options.limits.max_pending_jobs < 1 ||
      options.limits.max_packet_bytes < 12) {
    return Bad("limits",
               "needs max_output_bytes and max_pending_jobs of at least 1 and "
               "max_packet_bytes of at least 12");
  }
  if (options.native_exceptions && !options.exceptions) {
    return Bad("native_exceptions", "needs exceptions, which are off");
  }
  if (options.client_id.size() > kMaxClientIdBytes) {
    return Bad("client_id",
               absl::StrCat("must be at most ", kMaxClientIdBytes, " bytes"));
  }
  status = CheckListable("WorkerOptions::client_id", options.client_id);
  if (!status.ok()) return status;
  status = CheckListable("WorkerOptions::task_prefix", options.task_prefix);
  if (!status.ok()) return status;
  status = CheckListable("WorkerOptions::control_task", options.control_task);
  if (!status.ok()) return status;
  wire::OutputBuffer scratch;
  const std::string control =
      absl::StrCat(options.task_prefix, options.control_task);
  status = wire::Encode(wire::CanDo{control}, scratch);
  if (!options.control_task.empty() && !status.ok()) {
    return Bad("control_task", status.message());
  }
  for (const std::string& option : options.server_options) {
    status = wire::Encode(wire::OptionRequest{option}, scratch);
    if (!status.ok()) return Bad("server_options", status.message());
  }
  return absl::OkStatus();
}

absl::Status CheckTask(const Task& task) {
  const std::string name = absl::StrCat("task \"", SafeText(task.name), "\"");
  if (!task.handler && !task.async_handler) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": the handler is empty"));
  }
  const absl::Status listable = CheckListable("the task", task.name);
  if (!listable.ok()) return listable;
  const TaskOptions& options = task.options;
  if (options.time_limit <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": time_limit is ", absl::FormatDuration(options.time_limit),
        "; it must be more than zero"));
  }
  if (options.max_running < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": max_running is ", options.max_running,
                     "; it must not be negative"));
  }
  if (options.weight < 0 || options.weight > kMostWeight) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": weight is ", options.weight, "; it must be 0 for none, or ",
        "from 1 to ", kMostWeight));
  }
  const RateLimit& rate = options.rate;
  if (!(rate.jobs_per_second == 0 || (rate.jobs_per_second >= kLeastRate &&
                                      rate.jobs_per_second <= kMostRate))) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": rate.jobs_per_second is ", rate.jobs_per_second,
        "; it must be 0 for no limit, or from 0.000001 to 1000000"));
  }
  if (rate.burst < 1 || rate.burst > kMostBurst) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": rate.burst is ", rate.burst,
                     "; it must be from 1 to ", kMostBurst));
  }
  wire::OutputBuffer scratch;
  if (!options.announce_time_limit) {
    return wire::Encode(wire::CanDo{task.function}, scratch);
  }
  if (options.time_limit == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": there is no time_limit to be announced"));
  }
  if (options.time_limit >
      absl::Milliseconds(kMaxAnnouncedMs - kAnnouncedGraceMs)) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": time_limit is ", absl::FormatDuration(options.time_limit),
        "; no more than 24 days can be announced"));
  }
  return wire::Encode(
      wire::CanDoTimeout{task.function, absl::StrCat(AnnouncedMs(options))},
      scratch);
}

int64_t AnnouncedMs(const TaskOptions& options) {
  return absl::ToInt64Milliseconds(
             absl::Ceil(options.time_limit, absl::Milliseconds(1))) +
         kAnnouncedGraceMs;
}

}  // namespace internal
}  // namespace gearman
