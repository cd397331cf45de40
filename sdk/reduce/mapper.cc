#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/reduce.h"
#include "gearman/sdk/reduce/map_run.h"
#include "gearman/sdk/reduce/mapper_core.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

using internal::CallScope;
using internal::MapperCore;
using internal::MapRun;

absl::Status CheckMapperOptions(const MapperOptions& options) {
  absl::string_view wrong;
  if (options.client.drive_mode == DriveMode::kCallerOnly) {
    wrong =
        "client.drive_mode is kCallerOnly: the parts need a thread that does "
        "their I/O; use kAuto or kEventLoop";
  } else if (options.part.unique.has_value() ||
             options.part.run_at.has_value() ||
             !options.part.callbacks.empty()) {
    wrong = "part has a unique, a run_at or callbacks, which no part can have";
  } else if (options.max_parts_per_job < 1 || options.max_parts < 1 ||
             options.max_bytes < 1) {
    wrong =
        "max_parts_per_job, max_parts and max_bytes must each be at least 1";
  }
  if (!wrong.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("MapperOptions: ", wrong));
  }
  return CheckListable("MapperOptions::default_reducer",
                       options.default_reducer);
}

}  // namespace

absl::Status Aggregator::AddFailure(size_t /*part*/,
                                    const absl::Status& /*why*/) {
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Mapper>> Mapper::Create(MapperOptions options) {
  const absl::Status valid = CheckMapperOptions(options);
  if (!valid.ok()) return valid;
  absl::StatusOr<std::unique_ptr<Client>> client =
      Client::Create(options.client);
  if (!client.ok()) return client.status();
  options.part.when_full = WhenFull::kFail;
  return std::unique_ptr<Mapper>(new Mapper(std::shared_ptr<MapperCore>(
      new MapperCore(*std::move(client), std::move(options)),
      DeleteInOwnProcess<MapperCore>())));
}

Mapper::Mapper(std::shared_ptr<MapperCore> core) : core_(std::move(core)) {}

Mapper::~Mapper() {
  MapperCore& core = *core_;
  if (core.inherited()) return;
  if (CallScope::IsInside(&core)) {
    core.EndLater(std::move(core_));
  } else {
    core.Close();
  }
}

absl::Status Mapper::Register(Worker& worker, StringView task,
                              MapHandler handler, TaskOptions options) {
  if (core_->inherited()) return InheritedError("mapper");
  if (!handler) {
    return worker.RegisterAsync(task, Worker::AsyncHandler(), options);
  }
  return worker.RegisterAsync(
      task,
      [core = core_, handler = std::move(handler)](PendingJob job) mutable {
        MapRun::Begin(core, handler, std::move(job));
      },
      options);
}

absl::Time Mapper::RunOnce(absl::Time deadline) {
  if (core_->inherited()) return absl::InfiniteFuture();
  // The user's code in this call may destroy the mapper.
  const std::shared_ptr<MapperCore> core = core_;
  const CallScope scope(core.get());
  absl::Time next = absl::InfiniteFuture();
  core->WithClient([&](Client& client) { next = client.RunOnce(deadline); });
  return next;
}

MapperStats Mapper::stats() const {
  if (core_->inherited()) return {};
  return core_->stats();
}

}  // namespace gearman
