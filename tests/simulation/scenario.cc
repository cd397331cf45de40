#include "gearman/tests/simulation/scenario.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gearman/plugins/retry/idempotency_policy.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/simulated_stack.h"

namespace gearman {
namespace simulation {
namespace {

constexpr absl::Duration kTimeout = absl::Minutes(3);
// For how long things go wrong.
constexpr absl::Duration kBadTimes = absl::Minutes(2);
// A payload of so many bytes passes whole.
constexpr size_t kLargeData = 20000;

// The test's knowledge of one job.
struct Ordered {
  std::string data;
  bool idempotent = false;
  bool explicit_unique = false;
  JobRequest request;
};

class Scenario {
 public:
  explicit Scenario(uint64_t seed) : stack_(seed) {
    servers_ = 1 + Choose(3);
    workers_ = 1 + Choose(4);
    clients_ = 1 + Choose(3);
    stack_.plan = [this](const Address&) { return Plan(); };
    for (int s = 0; s < servers_; ++s) {
      stack_.StartServer(ServerName(s));
      alive_.insert(s);
    }
    for (int w = 0; w < workers_; ++w) StartWorker(w);
    for (int c = 0; c < clients_; ++c) StartClient(c);
    end_of_bad_times_ = stack_.simulation.now() + kBadTimes;
    stack_.simulation.Drive("fate", [this] { return Fate(); });
    stack_.simulation.Drive("finisher", [this] { return FinishJobs(); });
  }

  ScenarioReport Run() {
    const absl::Time begin = stack_.simulation.now();
    const bool ended = stack_.simulation.RunUntil(
        [this] {
          return all_ordered_ && std::all_of(ordered_.begin(), ordered_.end(),
                                             [](const Ordered& job) {
                                               return job.request.finished();
                                             });
        },
        absl::Hours(1));
    if (!ended) {
      Broken(
          absl::StrCat("the run does not end: ", stack_.simulation.failure()));
    }
    report_.virtual_time = stack_.simulation.now() - begin;
    report_.steps = stack_.simulation.steps();
    report_.fingerprint = stack_.simulation.fingerprint();
    for (const Ordered& job : ordered_) Judge(job);
    for (int c = 0; c < clients_; ++c) {
      stack_.simulation.Stop(absl::StrCat("client", c));
    }
    client_.clear();
    return report_;
  }

 private:
  int Choose(int below) {
    return static_cast<int>(stack_.simulation.random()() %
                            static_cast<uint64_t>(below));
  }
  bool OneIn(int n) { return Choose(n) == 0; }
  static std::string ServerName(int s) { return absl::StrCat("server", s); }
  std::vector<std::string> Addresses() {
    std::vector<std::string> addresses;
    for (int s = 0; s < servers_; ++s) {
      addresses.push_back(absl::StrCat("faulty://", ServerName(s)));
    }
    return addresses;
  }
  void Broken(std::string what) { report_.broken.push_back(std::move(what)); }

  // --- the network
  testing::FaultPlan Plan() {
    testing::FaultPlan plan;
    plan.seed = stack_.simulation.NewSeed();
    if (stack_.simulation.now() >= end_of_bad_times_ || !OneIn(3)) return plan;
    ++report_.faulty_connections;
    if (OneIn(6)) plan.refuse = true;
    if (OneIn(4)) plan.connect_delay = absl::Milliseconds(Choose(8000));
    if (OneIn(3)) plan.read_delay = absl::Milliseconds(1 + Choose(100));
    if (OneIn(3)) plan.max_piece = static_cast<size_t>(1 + Choose(100));
    // The offset may also be within a large payload, which passes whole.
    const auto offset = static_cast<uint64_t>(Choose(OneIn(3) ? 60000 : 3000));
    switch (Choose(7)) {
      case 0:
        plan.cut_after_written = offset;
        break;
      case 1:
        plan.cut_after_read = offset;
        break;
      case 2:
        plan.black_hole_after_written = offset;
        break;
      case 3:
        plan.black_hole_after_read = offset;
        break;
      case 4:
        plan.half_close_after_read = offset;
        break;
      default:
        break;
    }
    return plan;
  }

  // --- workers
  void StartWorker(int w) {
    const std::string name = absl::StrCat("worker", w);
    WorkerOptions options = stack_.WorkerDefaults(name, Addresses());
    options.concurrency = 1;
    Worker& worker = stack_.StartWorker(name, std::move(options));
    const absl::Status status =
        worker.RegisterAsync("task", [this](PendingJob job) {
          handles_[std::string(job.job().data())].insert(job.job().handle());
          pending_.emplace(
              stack_.simulation.now() + absl::Milliseconds(Choose(3000)),
              std::move(job));
          stack_.simulation.Drive("finisher", [this] { return FinishJobs(); });
        });
    if (!status.ok()) Broken(absl::StrCat("a worker: ", status.message()));
  }
  absl::Time FinishJobs() {
    while (!pending_.empty() &&
           pending_.begin()->first <= stack_.simulation.now()) {
      PendingJob job = std::move(pending_.begin()->second);
      pending_.erase(pending_.begin());
      if (OneIn(4)) job.SendStatus(1, 2).IgnoreError();
      if (OneIn(4)) job.SendData("part").IgnoreError();
      job.Finish(absl::StrCat("result of ", job.job().data()));
    }
    return pending_.empty() ? absl::InfiniteFuture() : pending_.begin()->first;
  }

  // --- clients
  void StartClient(int c) {
    const std::string name = absl::StrCat("client", c);
    ClientOptions options = stack_.ClientDefaults(name, Addresses());
    // The policy also repeats on the same server what has a unique of the
    // caller's.
    options.idempotency_policy = std::make_shared<StandardIdempotencyPolicy>();
    // Repeated submissions are asked after while their jobs wait and run.
    if (OneIn(2)) options.heartbeat_interval = absl::Seconds(3);
    client_.push_back(stack_.MakeClient(std::move(options)));
    Client* const client = client_.back().get();
    orders_left_.push_back(5 + Choose(30));
    next_order_.push_back(stack_.simulation.now());
    stack_.simulation.Drive(name, [this, c, client] {
      const absl::Time now = stack_.simulation.now();
      const auto at = static_cast<size_t>(c);
      while (orders_left_[at] > 0 && next_order_[at] <= now) {
        --orders_left_[at];
        next_order_[at] = now + absl::Milliseconds(Choose(5000));
        Order(client, c);
      }
      all_ordered_ = std::all_of(orders_left_.begin(), orders_left_.end(),
                                 [](int left) { return left == 0; });
      const absl::Time next = client->RunOnce(absl::InfinitePast());
      return orders_left_[at] > 0 ? std::min(next, next_order_[at]) : next;
    });
  }
  void Order(Client* client, int c) {
    JobSpec spec;
    spec.task = "task";
    spec.data = absl::StrCat("job ", ordered_.size(), " of client ", c);
    if (OneIn(10)) spec.data.resize(kLargeData, '.');
    spec.background = OneIn(3);
    // Without a limit only the end of the job ends the request.
    spec.options.timeout = OneIn(4) ? absl::InfiniteDuration() : kTimeout;
    spec.options.max_connection_attempts = 1 + Choose(5);
    const bool idempotent = OneIn(3);
    const bool explicit_unique = OneIn(3);
    spec.options.idempotent = idempotent;
    if (explicit_unique) {
      spec.options.unique = absl::StrCat("unique-", ordered_.size());
    }
    const std::string data = spec.data;
    ordered_.push_back({data, idempotent, explicit_unique,
                        client->SubmitJob(std::move(spec))});
    ++report_.jobs;
  }

  // --- what befalls them
  absl::Time Fate() {
    const absl::Time now = stack_.simulation.now();
    if (now >= end_of_bad_times_) {
      for (int s = 0; s < servers_; ++s) Revive(s);
      return absl::InfiniteFuture();
    }
    const int s = Choose(servers_);
    switch (Choose(4)) {
      case 0:
        if (alive_.erase(s) > 0) {
          ++report_.server_deaths;
          stack_.KillServer(ServerName(s));
        }
        break;
      case 1:
      case 2:
        Revive(s);
        break;
      default: {
        const int w = Choose(workers_);
        ++report_.worker_deaths;
        stack_.KillWorker(absl::StrCat("worker", w));
        StartWorker(w);
      }
    }
    return std::min(end_of_bad_times_,
                    now + absl::Milliseconds(1 + Choose(10000)));
  }
  void Revive(int s) {
    if (alive_.insert(s).second) stack_.StartServer(ServerName(s));
  }

  // --- what must hold
  void Judge(const Ordered& job) {
    const JobRequest& request = job.request;
    const std::string what =
        absl::StrCat(job.data, " (", job.idempotent ? "idempotent" : "once",
                     job.explicit_unique ? ", with a unique" : "", "): ");
    if (!request.finished()) {
      Broken(absl::StrCat(what, "not finished"));
      return;
    }
    if (request.timed_out()) ++report_.timed_out;
    for (const AttemptRecord& attempt : request.attempts()) {
      // The embedded server drops no job that a client waits for.
      if (absl::StrContains(attempt.status.message(),
                            "does not have the job")) {
        Broken(absl::StrCat(what, attempt.status.message()));
      }
    }
    switch (request.state()) {
      case JobState::kComplete:
        ++report_.complete;
        if (request.result() != absl::StrCat("result of ", job.data)) {
          Broken(absl::StrCat(what, "a wrong result"));
        }
        if (handles_[job.data].empty()) {
          Broken(absl::StrCat(what, "complete, and never done"));
        }
        break;
      case JobState::kCreated:
        ++report_.accepted;
        break;
      case JobState::kUnknown:
      case JobState::kFailed:
        ++report_.unknown;
        if (request.status().ok()) {
          Broken(absl::StrCat(what, "failed, and no reason given"));
        }
        break;
      case JobState::kPending:
        Broken(absl::StrCat(what, "finished, and pending"));
        break;
    }
    // Each acceptance by a server is a handle of its own; a job that its server
    // gave to another worker keeps it.
    const std::set<std::string>& handles = handles_[job.data];
    if (handles.size() > 1) {
      ++report_.repeated;
      std::set<std::string> servers;
      for (const std::string& handle : handles) {
        servers.insert(
            std::string(absl::string_view(handle).substr(0, handle.find('.'))));
      }
      const bool allowed =
          job.idempotent || (job.explicit_unique && servers.size() == 1);
      if (!allowed) {
        Broken(absl::StrCat(what, "accepted as ", absl::StrJoin(handles, ", "),
                            "; ", request.status().message()));
      }
    }
  }

  testing::SimulatedStack stack_;
  ScenarioReport report_;
  int servers_ = 0;
  int workers_ = 0;
  int clients_ = 0;
  std::set<int> alive_;
  absl::Time end_of_bad_times_;
  std::multimap<absl::Time, PendingJob> pending_;
  std::vector<std::unique_ptr<Client>> client_;
  std::vector<int> orders_left_;
  std::vector<absl::Time> next_order_;
  bool all_ordered_ = false;
  std::vector<Ordered> ordered_;
  // The handles under which workers got a job, by its data.
  std::map<std::string, std::set<std::string>> handles_;
};

}  // namespace

ScenarioReport RunScenario(uint64_t seed) { return Scenario(seed).Run(); }

}  // namespace simulation
}  // namespace gearman
