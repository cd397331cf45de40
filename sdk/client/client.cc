#include "gearman/sdk/client.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/internal/access.h"
#include "gearman/sdk/internal/client/client_core.h"
#include "gearman/sdk/internal/client/status_spans.h"
#include "gearman/sdk/internal/request/job_request_state.h"
#include "gearman/sdk/internal/request/query.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

// The name of this kind of object in errors.
constexpr absl::string_view kClient = "client";

using internal::ClientCore;
using internal::JobRequestState;
using internal::Operation;
using internal::Query;

// One question about one job. It is asked from one server or, for a unique
// without a server, from every server.
class StatusQuestion {
 public:
  StatusQuestion(internal::ClientCore* core, const JobId& id) {
    if (id.handle.empty() && id.unique.empty()) {
      error_ = absl::InvalidArgumentError(
          "status query: the job has neither a handle nor a unique to ask by");
      return;
    }
    about_ = id.handle.empty()
                 ? absl::StrCat("unique \"", SafeText(id.unique), "\"")
                 : absl::StrCat("handle \"", SafeText(id.handle), "\"");
    if (!id.server.empty()) {
      absl::StatusOr<internal::ClientServerPtr> server =
          core->FindToAsk(id.server);
      if (server.ok()) {
        Add(id.server, *std::move(server), id);
      } else {
        error_ = About(server.status());
      }
      return;
    }
    if (!id.handle.empty()) {
      error_ = absl::InvalidArgumentError(
          absl::StrCat("status query: the handle \"", SafeText(id.handle),
                       "\" means nothing without its server"));
      return;
    }
    for (const internal::ClientServerPtr& server : core->AllServers()) {
      Add(server->name, server, id);
    }
  }

  void CollectQueries(std::vector<Query*>* queries) {
    for (const std::unique_ptr<Query>& query : queries_) {
      queries->push_back(query.get());
    }
  }

  // Returns the answer when all queries have finished: the status from a server
  // that knows the job; otherwise, if some servers did not answer, an error
  // with the reason of each, because one of them may know the job; otherwise
  // that no server knows it.
  absl::StatusOr<JobStatus> Answer() const {
    if (!error_.ok()) return error_;
    std::vector<std::string> failures;
    absl::StatusCode code = absl::StatusCode::kOk;
    for (size_t i = 0; i < queries_.size(); ++i) {
      const Query& query = *queries_[i];
      if (query.status.ok()) {
        if (query.job_status.known) return query.job_status;
        continue;
      }
      if (failures.empty()) code = query.status.code();
      failures.push_back(NamingServer(query.status, names_[i]));
    }
    if (failures.empty()) return queries_[0]->job_status;
    if (queries_.size() == 1) return About(queries_[0]->status);
    return About(absl::Status(
        code,
        absl::StrCat("the job is known to no server that answered (",
                     queries_.size() - failures.size(), " of ", queries_.size(),
                     "); no answer: ", absl::StrJoin(failures, "; "))));
  }

 private:
  // Returns the error with the job's name.
  absl::Status About(const absl::Status& error) const {
    absl::Status named(error.code(),
                       absl::StrCat("status query of the job with ", about_,
                                    ": ", error.message()));
    error.ForEachPayload(
        [&named](absl::string_view key, const absl::Cord& payload) {
          named.SetPayload(key, payload);
        });
    return named;
  }
  // Returns the error's text, with the server's name in it.
  static std::string NamingServer(const absl::Status& error,
                                  const std::string& name) {
    return absl::StrContains(error.message(), name)
               ? std::string(error.message())
               : absl::StrCat(name, ": ", error.message());
  }
  void Add(const std::string& name, internal::ClientServerPtr server,
           const JobId& id) {
    names_.push_back(name);
    queries_.push_back(std::make_unique<Query>(Operation::Kind::kStatusQuery));
    queries_.back()->handle = id.handle;
    queries_.back()->unique = id.handle.empty() ? id.unique : std::string();
    queries_.back()->server = std::move(server);
  }

  std::string about_;  // names the job
  absl::Status error_;
  std::vector<std::unique_ptr<Query>> queries_;
  std::vector<std::string> names_;  // the servers of the queries, by index
};

// `requests` are the requests that have these ids, or empty.
std::vector<absl::StatusOr<JobStatus>> AskStatuses(
    ClientCore* core, absl::Span<const JobId> ids,
    absl::Span<const JobRequest> requests, absl::Duration timeout) {
  if (core->inherited()) {
    return std::vector<absl::StatusOr<JobStatus>>(ids.size(),
                                                  InheritedError(kClient));
  }
  std::optional<internal::StatusSpans> spans;
  TraceObserver* const observer = core->options().trace_observer.get();
  if (observer != nullptr) {
    spans.emplace(observer, core->clock(), ids, requests);
  }
  std::vector<StatusQuestion> questions;
  questions.reserve(ids.size());
  std::vector<Query*> queries;
  for (const JobId& id : ids) {
    questions.emplace_back(core, id);
    questions.back().CollectQueries(&queries);
  }
  core->Ask(queries, timeout);
  std::vector<absl::StatusOr<JobStatus>> answers;
  answers.reserve(questions.size());
  for (const StatusQuestion& question : questions) {
    answers.push_back(question.Answer());
  }
  if (spans.has_value()) spans->End(answers);
  return answers;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(ClientOptions options) {
  absl::StatusOr<std::shared_ptr<internal::ClientCore>> core =
      internal::ClientCore::Create(std::move(options));
  if (!core.ok()) return core.status();
  return std::unique_ptr<Client>(new Client(*std::move(core)));
}

Client::Client(std::shared_ptr<internal::ClientCore> core)
    : core_(std::move(core)) {}

Client::~Client() {
  // In a child made by fork the connections are the parent's.
  if (core_->inherited()) return;
  if (core_->in_call()) {
    internal::ClientCore& core = *core_;
    core.EndLater(std::move(core_));
    return;
  }
  core_->Shutdown();
}

absl::StatusOr<std::string> Client::Run(StringView task, std::string data,
                                        CallOptions options) {
  JobSpec spec(std::string(task), std::move(data));
  spec.options = std::move(options);
  return Run(JobRequest(std::move(spec)));
}

absl::StatusOr<std::string> Client::Run(const JobRequest& request) {
  if (core_->inherited()) return InheritedError(kClient);
  // User code may destroy this client meanwhile. The core lives as long as
  // `call`, so only `core` is used from here on.
  ClientCore* const core = core_.get();
  const ClientCore::Call call(core);
  // Fails before the job is on its way.
  absl::Status may_wait = core->MayWait();
  if (!may_wait.ok()) return may_wait;
  if (internal::Access::StateOf(request)->core != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("run of task \"", SafeText(request.task()),
                     "\": the request was submitted before; Reset() makes it "
                     "one that can be "
                     "run"));
  }
  core->Submit({&request, 1}, /*will_wait=*/true).IgnoreError();
  absl::Status status = core->Wait({&request, 1}, ClientCore::WaitFor::kEnd,
                                   absl::InfiniteDuration());
  if (!status.ok()) {
    // The caller has given up.
    request.Cancel();
    return status;
  }
  // Another thread may be in an accessor of the request.
  return request.TakeResult().value_or(std::string());
}

JobRequest Client::SubmitJob(JobSpec spec) {
  JobRequest request(std::move(spec));
  // A new request belongs to no other client, so every error is in its own
  // status.
  core_->Submit({&request, 1}, /*will_wait=*/false).IgnoreError();
  return request;
}

JobRequest Client::SubmitJob(StringView task, std::string data,
                             CallOptions options) {
  JobSpec spec(std::string(task), std::move(data));
  spec.options = std::move(options);
  return SubmitJob(std::move(spec));
}

JobRequest Client::SubmitBackgroundJob(StringView task, std::string data,
                                       CallOptions options) {
  JobSpec spec(std::string(task), std::move(data));
  spec.background = true;
  spec.options = std::move(options);
  return SubmitJob(std::move(spec));
}

std::vector<JobRequest> Client::SubmitMultipleJobs(std::vector<JobSpec> specs) {
  std::vector<JobRequest> requests;
  requests.reserve(specs.size());
  for (JobSpec& spec : specs) requests.emplace_back(std::move(spec));
  SubmitMultipleRequests(requests).IgnoreError();
  return requests;
}

absl::Status Client::SubmitMultipleRequests(
    absl::Span<const JobRequest> requests) {
  return core_->Submit(requests, /*will_wait=*/false);
}

absl::Status Client::WaitUntilJobsAccepted(
    absl::Span<const JobRequest> requests, Duration timeout) {
  if (core_->inherited()) return InheritedError(kClient);
  const ClientCore::Call call(core_.get());
  return core_->Wait(requests, ClientCore::WaitFor::kAccepted, timeout);
}

absl::Status Client::WaitUntilJobsCompleted(
    absl::Span<const JobRequest> requests, Duration timeout) {
  if (core_->inherited()) return InheritedError(kClient);
  const ClientCore::Call call(core_.get());
  return core_->Wait(requests, ClientCore::WaitFor::kEnd, timeout);
}

absl::Status Client::Wait(const JobRequest& request, Duration timeout) {
  return WaitUntilJobsCompleted({&request, 1}, timeout);
}

absl::StatusOr<std::string> Client::Result(const JobRequest& request,
                                           Duration timeout) {
  if (core_->inherited()) return InheritedError(kClient);
  const ClientCore::Call call(core_.get());
  absl::StatusOr<std::string> result;
  core_->TakeResults({&request, 1}, timeout, &result);
  return result;
}

std::vector<absl::StatusOr<std::string>> Client::Results(
    absl::Span<const JobRequest> requests, Duration timeout) {
  std::vector<absl::StatusOr<std::string>> results(requests.size());
  if (core_->inherited()) {
    results.assign(requests.size(), InheritedError(kClient));
    return results;
  }
  const ClientCore::Call call(core_.get());
  core_->TakeResults(requests, timeout, results.data());
  return results;
}

absl::StatusOr<JobStatus> Client::GetJobStatus(const JobRequest& request,
                                               Duration timeout) {
  return std::move(GetJobStatuses({&request, 1}, timeout).front());
}

absl::StatusOr<JobStatus> Client::GetJobStatus(const JobId& id,
                                               Duration timeout) {
  return std::move(GetJobStatuses({&id, 1}, timeout).front());
}

std::vector<absl::StatusOr<JobStatus>> Client::GetJobStatuses(
    absl::Span<const JobRequest> requests, Duration timeout) {
  std::vector<JobId> ids;
  ids.reserve(requests.size());
  for (const JobRequest& request : requests) ids.push_back(request.id());
  ClientCore* const core = core_.get();
  const ClientCore::Call call(core);
  std::vector<absl::StatusOr<JobStatus>> answers =
      AskStatuses(core, ids, requests, timeout);
  if (core->inherited()) return answers;
  absl::MutexLock lock(core->mutex());
  for (size_t i = 0; i < requests.size(); ++i) {
    JobRequestState* state = internal::Access::StateOf(requests[i]).get();
    if (!answers[i].ok() || state->core.get() != core) continue;
    JobStatus& status = state->MutableExtras().job_status;
    status = *answers[i];
    status.handle.clear();
    // An answer to a question by unique has no handle. The job may have been
    // accepted meanwhile.
    if (answers[i]->handle.empty()) {
      answers[i]->handle = std::string(state->handle.view());
    }
  }
  return answers;
}

std::vector<absl::StatusOr<JobStatus>> Client::GetJobStatuses(
    absl::Span<const JobId> ids, Duration timeout) {
  const ClientCore::Call call(core_.get());
  return AskStatuses(core_.get(), ids, /*requests=*/{}, timeout);
}

absl::StatusOr<EchoReply> Client::Echo(StringView data, StringView server,
                                       Duration timeout) {
  ClientCore* const core = core_.get();
  if (core->inherited()) return InheritedError(kClient);
  const ClientCore::Call call(core);
  Query query(Operation::Kind::kEcho);
  query.data = std::string(data);
  if (server.empty()) {
    query.server = core->ChooseServer();
  } else {
    absl::StatusOr<internal::ClientServerPtr> found = core->FindToAsk(server);
    if (!found.ok()) {
      return absl::Status(found.status().code(),
                          absl::StrCat("echo: ", found.status().message()));
    }
    query.server = *std::move(found);
  }
  Query* const queries[] = {&query};
  core->Ask(queries, timeout);
  if (!query.status.ok()) return query.status;
  return EchoReply{query.server->name, std::move(query.echo),
                   query.answered - query.asked};
}

absl::Status Client::WaitForReady(Duration timeout) {
  if (core_->inherited()) return InheritedError(kClient);
  const ClientCore::Call call(core_.get());
  return core_->WaitForReady(timeout);
}

Health Client::health() const {
  return core_->inherited() ? Health() : core_->health();
}

Health Client::CheckHealth(Duration timeout) {
  if (core_->inherited()) return Health();
  const ClientCore::Call call(core_.get());
  return core_->CheckHealth(timeout);
}

absl::Status Client::AddServer(StringView address) {
  if (core_->inherited()) return InheritedError(kClient);
  const ClientCore::Call call(core_.get());
  return core_->AddServer(address);
}

absl::Status Client::RemoveServer(StringView address) {
  if (core_->inherited()) return InheritedError(kClient);
  const ClientCore::Call call(core_.get());
  return core_->RemoveServer(address);
}

std::vector<std::string> Client::servers() const {
  if (core_->inherited()) return {};
  return core_->servers();
}

absl::Time Client::RunOnce(absl::Time deadline) {
  if (core_->inherited()) return absl::InfiniteFuture();
  const ClientCore::Call call(core_.get());
  return core_->RunOnce(deadline);
}

MetricsSnapshot Client::metrics() const {
  if (core_->metrics() == nullptr || core_->inherited()) return {};
  return core_->metrics()->Snapshot(core_->clock()->Now());
}

}  // namespace gearman
