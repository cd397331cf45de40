// The part of WorkerJobs that sends a job's updates. If the server knows no
// WORK_DATA, it keeps the data for the job's result.
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/worker/worker_jobs.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

absl::Status WorkerJobs::AppendUpdate(Message message) {
  HeldJob& job = *message.job;
  if (job.state == HeldJob::State::kEnded) {
    return absl::CancelledError(
        absl::StrCat("job ", SafeText(job.job.handle()), " has ended"));
  }
  WorkerSession& session = *job.link->session;
  absl::Status status;
  switch (message.kind) {
    case Message::Kind::kData:
      status = job.carries_updates ? session.SendData(job.job.handle(),
                                                      std::move(message.bytes))
                                   : KeepData(&job, std::move(message.bytes));
      break;
    case Message::Kind::kWarning:
      if (job.carries_updates) {
        status =
            session.SendWarning(job.job.handle(), std::move(message.bytes));
        break;
      }
      status = NoWarnings(job);
      options_.logger.Log(LogLevel::kWarning, status.message(),
                          "; the warning was: ", SafeMessage(message.bytes));
      break;
    default:
      session.SendStatus(job.job.handle(), message.numerator,
                         message.denominator);
  }
  servers_->Touch(*job.link);
  if (status.ok()) counters_->Add(&WorkerStats::updates_sent);
  return status;
}

absl::Status WorkerJobs::KeepData(HeldJob* job, std::string bytes) {
  if (job->kept == nullptr) job->kept = std::make_unique<KeptData>();
  KeptData& kept = *job->kept;
  if (!kept.error.ok()) return kept.error;
  const size_t room = options_.max_output_bytes - kept_bytes_;
  if (bytes.size() > room) {
    kept.error = absl::ResourceExhaustedError(
        absl::StrCat(job->link->server->name, " knows no WORK_DATA, and job ",
                     SafeText(job->job.handle()),
                     " has sent more of it than can be kept for the "
                     "result: ",
                     options_.max_output_bytes,
                     " bytes for all jobs (WorkerLimits::max_output_bytes)"));
    return kept.error;
  }
  kept_bytes_ += bytes.size();
  ShareBytes();
  if (kept.data.empty()) {
    kept.data = std::move(bytes);
  } else {
    kept.data.append(bytes);
  }
  return absl::OkStatus();
}

void WorkerJobs::AddKept(HeldJob* job, absl::StatusOr<std::string>* result) {
  if (!result->ok()) return;
  if (!job->kept->error.ok()) {
    *result = job->kept->error;
    return;
  }
  // The append copies the result, which is usually small, and not the kept
  // data.
  kept_bytes_ -= job->kept->data.size();
  ShareBytes();
  std::string whole = std::exchange(job->kept->data, {});
  whole.append(**result);
  *result = std::move(whole);
}

void WorkerJobs::DropKept(HeldJob* job) {
  kept_bytes_ -= job->kept->data.size();
  ShareBytes();
  job->kept = nullptr;
}

}  // namespace internal
}  // namespace gearman
