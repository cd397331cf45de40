#include "gearman/benchmarks/compare/sdk_load.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/compare/open_loop.h"

namespace gearman {
namespace benchmarks {
namespace {

// The next batch is made ahead if its payloads have at most so many bytes.
// Otherwise the memory of two batches leaves the cache, and glibc's heap grows
// and shrinks.
constexpr size_t kAheadBytes = 2 << 20;

void Check(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

}  // namespace

SdkLoad::SdkLoad(Client* client, const Workload& workload)
    : client_(client), workload_(workload), payload_(PayloadOf(workload, 0)) {}

void SdkLoad::Run(int jobs, const OnLatency& on_latency) {
  switch (workload_.mode) {
    case Mode::kSync:
      RunSync(jobs, on_latency);
      return;
    case Mode::kOpenLoop:
      if (workload_.callbacks != 0) {
        RunOpenLoopWithCallbacks(jobs, on_latency);
      } else {
        RunOpenLoop(jobs, on_latency);
      }
      return;
    case Mode::kHold:
    case Mode::kForeground:
    case Mode::kBackground:
      RunBatches(jobs);
      return;
  }
}

// Makes the requests of the next batch while the current one is in flight, like
// a program that has its next jobs ready. Large requests are made after it.
void SdkLoad::RunBatches(int jobs) {
  const int size = workload_.mode == Mode::kHold ? jobs : workload_.in_flight;
  const bool ahead = static_cast<size_t>(size) * payload_.size() <= kAheadBytes;
  std::vector<JobRequest> next;
  for (int done = 0; done < jobs;) {
    if (workload_.again != 0 && !requests_.empty()) {
      next = std::move(requests_);
      for (JobRequest& request : next) Check(request.Reset());
    }
    if (next.empty()) next = MakeRequests(std::min(size, jobs - done));
    Check(client_->SubmitMultipleRequests(next));
    requests_ = std::move(next);
    next.clear();
    done += static_cast<int>(requests_.size());
    if (ahead && workload_.again == 0)
      next = MakeRequests(std::min(size, jobs - done));
    Check(workload_.mode == Mode::kForeground
              ? client_->WaitUntilJobsCompleted(requests_)
              : client_->WaitUntilJobsAccepted(requests_));
  }
}

std::vector<JobRequest> SdkLoad::MakeRequests(int jobs) const {
  std::vector<JobRequest> requests;
  requests.reserve(static_cast<size_t>(jobs));
  for (int i = 0; i < jobs; ++i) {
    JobSpec spec(kTask, payload_);
    spec.background = workload_.mode == Mode::kBackground;
    requests.emplace_back(std::move(spec));
  }
  return requests;
}

void SdkLoad::RunSync(int jobs, const OnLatency& on_latency) {
  Numbers numbers(jobs);
  InThreads(workload_.threads, [&](int /*thread*/) {
    for (int job; (job = numbers.Take()) >= 0;) {
      const absl::Time begin = absl::Now();
      Check(client_->Run(kTask, payload_).status());
      if (on_latency) on_latency(job, absl::Now() - begin);
    }
  });
}

JobSpec SdkLoad::SpecOf(int job) const {
  return JobSpec(TaskOf(workload_, job), PayloadOf(workload_, job));
}

void SdkLoad::RunOpenLoop(int jobs, const OnLatency& on_latency) {
  const Arrivals arrivals(workload_.rate);
  struct Running {
    int job;
    JobRequest request;
  };
  std::vector<Running> running;
  const auto ended = [&](const Running& r) {
    if (!r.request.finished()) return false;
    Check(r.request.status());
    if (on_latency) on_latency(r.job, absl::Now() - arrivals.Due(r.job));
    return true;
  };
  for (int next = 0; next < jobs || !running.empty();) {
    const absl::Time now = absl::Now();
    for (; next < jobs && arrivals.Due(next) <= now; ++next) {
      running.push_back({next, client_->SubmitJob(SpecOf(next))});
    }
    client_->RunOnce(next < jobs ? arrivals.Due(next) : absl::InfiniteFuture());
    running.erase(std::remove_if(running.begin(), running.end(), ended),
                  running.end());
  }
}

void SdkLoad::RunOpenLoopWithCallbacks(int jobs, const OnLatency& on_latency) {
  const Arrivals arrivals(workload_.rate);
  absl::BlockingCounter left(jobs);
  for (int job = 0; job < jobs; ++job) {
    arrivals.Await(job);
    JobSpec spec = SpecOf(job);
    spec.options.callbacks.on_complete = [&, job](const JobRequest& request) {
      Check(request.status());
      if (on_latency) on_latency(job, absl::Now() - arrivals.Due(job));
      left.DecrementCount();
    };
    client_->SubmitJob(std::move(spec));
  }
  left.Wait();
}

}  // namespace benchmarks
}  // namespace gearman
