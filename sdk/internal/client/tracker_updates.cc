// The part of JobRequestTracker that handles updates: data, warnings, statuses
// and pieces of results, which go to callbacks or wait to be taken.
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/internal/client/job_request_tracker.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {

void JobRequestTracker::StopCounting(JobRequestState* request) {
  if (request->extras == nullptr || request->extras->updates == nullptr) return;
  request->extras->updates->StopCounting();
}

JobUpdates& JobRequestTracker::UpdatesOf(JobRequestState* request) {
  std::unique_ptr<JobUpdates>& updates = request->MutableExtras().updates;
  if (updates == nullptr) {
    updates = std::make_unique<JobUpdates>(options_.account);
  }
  return *updates;
}

bool JobRequestTracker::HasMemory(size_t bytes, size_t limit) const {
  return options_.account == nullptr || options_.max_memory == 0 ||
         options_.account->bytes() + bytes <= limit;
}

void JobRequestTracker::AddPiece(JobRequestState* request, DataPiece piece,
                                 std::string bytes) {
  Notice& notice = AddNotice(request->self, Notice::Kind::kPiece);
  notice.piece = piece;
  notice.piece.bytes = StringView();
  notice.data = std::move(bytes);
}

void JobRequestTracker::AddWhole(JobRequestState* request, DataPiece::Kind kind,
                                 std::string bytes) {
  DataPiece piece;
  piece.kind = kind;
  piece.size = bytes.size();
  AddPiece(request, piece, std::move(bytes));
}

void JobRequestTracker::OnPiece(JobRequestState* request,
                                const DataPiece& piece) {
  if (request->self == nullptr) return;
  if (request->extras != nullptr) request->extras->failure_text.reset();
  AddPiece(request, piece, std::string(piece.bytes));
}

void JobRequestTracker::OnUpdate(JobRequestState* request, Effect& effect) {
  const bool warning = effect.kind == Effect::Kind::kWarning;
  const JobCallbacks& callbacks = request->call_options().callbacks;
  const bool to_callback =
      warning ? callbacks.on_warning != nullptr : callbacks.on_data != nullptr;
  std::string data = std::move(effect.data).TakeString();
  if (!warning && callbacks.on_piece) {
    AddWhole(request, DataPiece::Kind::kData, std::move(data));
    return;
  }
  if (to_callback) {
    AddNotice(request->self,
              warning ? Notice::Kind::kWarning : Notice::Kind::kData)
        .data = std::move(data);
    return;
  }
  JobUpdates& updates = UpdatesOf(request);
  if (updates.data_bytes() + data.size() > options_.max_update_bytes) {
    Finish(request, RequestInput::kGiveUp,
           absl::ResourceExhaustedError(absl::StrCat(
               request->server->name, ": more than ", options_.max_update_bytes,
               " bytes of updates that nobody took (max_update_bytes); take "
               "them as they come, or set an on_data callback; the job with "
               "handle \"",
               SafeText(request->handle.view()), "\" goes on")));
    return;
  }
  JobUpdate update;
  update.kind = warning ? JobUpdate::Kind::kWarning : JobUpdate::Kind::kData;
  update.data = std::move(data);
  update.time_received = now_;
  if (!HasMemory(JobUpdates::MemoryOf(update), options_.max_memory)) {
    Finish(request, RequestInput::kGiveUp,
           absl::ResourceExhaustedError(absl::StrCat(
               request->server->name,
               ": updates that nobody took and packets that are being "
               "read hold ",
               options_.account->bytes(), " bytes, with the limit of ",
               options_.max_memory,
               " (max_memory_bytes); take updates as they come, or set an "
               "on_data callback; the job with handle \"",
               SafeText(request->handle.view()), "\" goes on")));
    return;
  }
  updates.Add(std::move(update));
}

void JobRequestTracker::OnStatus(JobRequestState* request,
                                 const Effect& effect) {
  JobStatus& status = request->MutableExtras().job_status;
  status.known = effect.known;
  status.running = effect.running;
  status.numerator = effect.numerator;
  status.denominator = effect.denominator;
  status.time_received = now_;
  if (!request->call_options().callbacks.on_status) {
    JobUpdate update;
    update.kind = JobUpdate::Kind::kStatus;
    update.numerator = effect.numerator;
    update.denominator = effect.denominator;
    update.time_received = now_;
    JobUpdates& updates = UpdatesOf(request);
    // Progress that nobody reads must end no request, neither this one nor one
    // that gets data.
    while (!HasMemory(JobUpdates::MemoryOf(update), options_.max_memory / 2)) {
      if (!updates.DropOldestStatus()) return;
    }
    updates.Add(std::move(update));
    return;
  }
  Notice& notice = AddNotice(request->self, Notice::Kind::kStatus);
  notice.status = status;
  notice.status.handle = std::string(request->handle.view());
}

}  // namespace internal
}  // namespace gearman
