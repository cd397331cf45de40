#include "gearman/tests/soak/load.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/sdk/client_options.h"
#include "gearman/sdk/testing/fault_transport.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/transports/address.h"

namespace gearman {
namespace soak {
namespace {

constexpr int kCallers = 2;
constexpr int kRounds = 10;      // of each caller in a cycle
constexpr int kCalls = 10;       // in a round, one after the other
constexpr int kBatch = 100;      // jobs submitted together
constexpr int kBackground = 10;  // jobs in a round
constexpr int kAsked = 10;       // times in a cycle that the admin client asks
constexpr size_t kSmall = 100;   // bytes
constexpr size_t kLarge = 256 << 10;
constexpr size_t kProblemsKept = 20;

// A connection is cut after so many bytes, one way or the other: once in some
// cycles.
constexpr uint64_t kCutFirst = 1 << 20;
constexpr uint64_t kCutLast = 24 << 20;

// A factory whose connections are cut, each elsewhere, and counted.
std::shared_ptr<TransportFactory> CutNowAndThen(
    std::shared_ptr<TransportFactory> next, uint64_t seed,
    std::shared_ptr<std::atomic<uint64_t>> connections) {
  return std::make_shared<testing::FaultTransportFactory>(
      std::move(next), [seed, connections](const Address&) {
        std::mt19937_64 random(seed + connections->fetch_add(1));
        std::uniform_int_distribution<uint64_t> bytes(kCutFirst, kCutLast);
        testing::FaultPlan plan;
        (random() % 2 == 0 ? plan.cut_after_written : plan.cut_after_read) =
            bytes(random);
        return plan;
      });
}

absl::StatusOr<std::shared_ptr<TransportRegistry>> RegistryOf(
    absl::string_view scheme, std::shared_ptr<TransportFactory> factory) {
  auto registry = std::make_shared<TransportRegistry>();
  absl::Status status = registry->Register(scheme, std::move(factory));
  if (!status.ok()) return status;
  return registry;
}

ReconnectOptions SoonAgain() {
  ReconnectOptions reconnect;
  reconnect.first_delay = absl::Milliseconds(10);
  reconnect.initial_delay = absl::Milliseconds(20);
  reconnect.max_delay = absl::Milliseconds(200);
  return reconnect;
}

}  // namespace

// One thread's work of a cycle.
class Load::Caller {
 public:
  Caller(Load* load, int number)
      : load_(*load),
        client_(*load->client_),
        prefix_(absl::StrCat("soak-", load->seed_, "-", load->cycles_, "-",
                             number, "-")),
        random_(load->seed_ + load->cycles_ * kCallers + number) {}

  void Run() {
    for (int round = 0; round < kRounds; ++round) {
      CallOneAfterTheOther();
      SubmitABatch();
      SendMuch();
      Progress();
      Fail("fail", JobState::kFailed);
      Fail("exception", JobState::kFailed);
      Cancel();
      SubmitInTheBackground();
      Ask(client_.Echo("are you there?").status());
    }
  }

 private:
  std::string Payload(size_t size) {
    std::string payload = absl::StrCat(prefix_, ++payloads_, "-");
    payload.resize(std::max(size, payload.size()), 'x');
    return payload;
  }

  void CallOneAfterTheOther() {
    for (int i = 0; i < kCalls; ++i) {
      const std::string payload = Payload(kSmall);
      load_.jobs_ += 1;
      const absl::StatusOr<std::string> result = client_.Run("echo", payload);
      if (!result.ok()) {
        load_.Broken(absl::StrCat("a call: ", result.status().ToString()));
      } else if (*result != payload) {
        load_.Broken("a call has the result of another one");
      }
    }
  }

  void SubmitABatch() {
    std::vector<JobSpec> specs;
    std::vector<std::string> payloads;
    for (int i = 0; i < kBatch; ++i) {
      payloads.push_back(Payload(kSmall));
      specs.emplace_back("echo", payloads.back());
    }
    const std::vector<JobRequest> requests =
        client_.SubmitMultipleJobs(std::move(specs));
    Await(requests);
    for (size_t i = 0; i < requests.size(); ++i) {
      if (Check(requests[i], JobState::kComplete) &&
          requests[i].result_view() != payloads[i]) {
        load_.Broken("a job has the result of another one");
      }
    }
  }

  void SendMuch() {
    const std::string payload = Payload(1 + random_() % kLarge);
    const JobRequest request = client_.SubmitJob("echo", payload);
    Await({request});
    if (Check(request, JobState::kComplete) &&
        request.result_view() != payload) {
      load_.Broken("a large job has another result");
    }
  }

  void Progress() {
    const auto updates = std::make_shared<std::atomic<int>>(0);
    CallOptions options;
    options.callbacks.on_data = [updates](const JobRequest&,
                                          absl::string_view) { ++*updates; };
    const JobRequest request =
        client_.SubmitJob("progress", Payload(kSmall), std::move(options));
    Await({request});
    if (Check(request, JobState::kComplete) && *updates == 0) {
      load_.Broken("a job's update did not come");
    }
  }

  void Fail(const std::string& task, JobState expected) {
    const JobRequest request = client_.SubmitJob(task, Payload(kSmall));
    Await({request});
    Check(request, expected);
    load_.failed_ += 1;
  }

  void Cancel() {
    const JobRequest request = client_.SubmitJob("echo", Payload(kSmall));
    request.Cancel();
    Await({request});
    load_.cancelled_ += 1;
  }

  void SubmitInTheBackground() {
    std::vector<JobSpec> specs;
    for (int i = 0; i < kBackground; ++i) {
      JobSpec spec("background", Payload(kSmall));
      spec.background = true;
      spec.options.unique = absl::StrCat(prefix_, ++payloads_);
      load_.ledger_.Expect(*spec.options.unique);
      specs.push_back(std::move(spec));
    }
    const std::vector<JobRequest> requests =
        client_.SubmitMultipleJobs(std::move(specs));
    Await(requests);
    for (const JobRequest& request : requests) {
      Check(request, JobState::kCreated);
      load_.ledger_.Settle(request.unique(),
                           request.state() == JobState::kCreated);
    }
    load_.background_ += requests.size();
    Ask(client_.GetJobStatus(requests[0]).status());
  }

  // Every request finishes, within the bound.
  void Await(absl::Span<const JobRequest> requests) {
    load_.jobs_ += requests.size();
    client_.WaitUntilJobsCompleted(requests, support::kBound).IgnoreError();
    for (const JobRequest& request : requests) {
      if (!request.finished()) {
        load_.Broken(
            absl::StrCat("a job of ", request.task(),
                         " does not end: ", request.status().ToString()));
      }
    }
  }

  bool Check(const JobRequest& request, JobState expected) {
    if (request.state() == expected) return true;
    load_.Broken(absl::StrCat("a job of ", request.task(), " is ",
                              JobStateName(request.state()), ": ",
                              request.status().ToString()));
    return false;
  }

  void Ask(const absl::Status& status) {
    load_.questions_ += 1;
    if (absl::IsUnavailable(status)) {
      load_.unanswered_ += 1;
    } else if (!status.ok()) {
      load_.Broken(absl::StrCat("a question: ", status.ToString()));
    }
  }

  Load& load_;
  Client& client_;
  const std::string prefix_;
  std::mt19937_64 random_;
  uint64_t payloads_ = 0;
};

absl::StatusOr<std::unique_ptr<Load>> Load::Create(
    std::string address, absl::string_view scheme,
    std::shared_ptr<TransportFactory> factory, uint64_t seed) {
  auto load = std::unique_ptr<Load>(new Load(std::move(address), seed));
  absl::Status status = load->Start(scheme, std::move(factory));
  if (!status.ok()) return status;
  return load;
}

Load::Load(std::string address, uint64_t seed)
    : address_(std::move(address)),
      seed_(seed),
      connections_(std::make_shared<std::atomic<uint64_t>>(0)) {}

Load::~Load() {
  if (worker_ != nullptr) worker_->Stop();
  if (worker_thread_.joinable()) worker_thread_.join();
}

absl::Status Load::Start(absl::string_view scheme,
                         std::shared_ptr<TransportFactory> factory) {
  auto cut = RegistryOf(scheme, CutNowAndThen(factory, seed_, connections_));
  if (!cut.ok()) return cut.status();
  transports_.cut = *std::move(cut);
  auto steady = RegistryOf(scheme, std::move(factory));
  if (!steady.ok()) return steady.status();
  transports_.steady = *std::move(steady);

  auto admin = MakeAdmin();
  if (!admin.ok()) return admin.status();
  admin_ = *std::move(admin);
  auto client = MakeClient(transports_.cut);
  if (!client.ok()) return client.status();
  client_ = *std::move(client);
  auto worker = MakeWorker(transports_.cut);
  if (!worker.ok()) return worker.status();
  worker_ = *std::move(worker);
  absl::Status status = RegisterTasks();
  if (!status.ok()) return status;
  worker_thread_ = std::thread([this] {
    const absl::Status end = worker_->Run();
    if (!end.ok()) Broken(absl::StrCat("the worker ended: ", end.ToString()));
  });
  return WaitUntilServed();
}

absl::StatusOr<std::unique_ptr<Client>> Load::MakeClient(
    const std::shared_ptr<TransportRegistry>& transports) const {
  ClientOptions options;
  options.servers = {address_};
  options.transports = transports;
  // Every job may run again, so that none may be lost.
  options.idempotent = true;
  // Jobs that gearmand drops are soon submitted again.
  options.heartbeat_interval = absl::Seconds(1);
  ExponentialBackoffRetryOptions retry;
  retry.max_attempts = 50;
  retry.backoff.initial_delay = absl::Milliseconds(5);
  retry.backoff.max_delay = absl::Milliseconds(200);
  options.retry_policy = std::make_shared<ExponentialBackoffRetryPolicy>(retry);
  options.reconnect = SoonAgain();
  options.timeout = support::kBound;
  options.logger = Logger();  // cuts are no news here
  return Client::Create(std::move(options));
}

absl::StatusOr<std::unique_ptr<Worker>> Load::MakeWorker(
    const std::shared_ptr<TransportRegistry>& transports) const {
  WorkerOptions options;
  options.servers = {address_};
  options.transports = transports;
  options.concurrency = 2;
  options.reconnect = SoonAgain();
  options.logger = Logger();
  return Worker::Create(std::move(options));
}

absl::StatusOr<std::unique_ptr<AdminClient>> Load::MakeAdmin() const {
  AdminClientOptions options;
  options.server = address_;
  options.transports = transports_.steady;
  options.timeout = support::kBound;
  return AdminClient::Create(std::move(options));
}

absl::Status Load::RegisterTasks() {
  absl::Status status = worker_->Register(
      "echo", [](JobContext& context) -> absl::StatusOr<std::string> {
        return std::string(context.job().data());
      });
  status.Update(worker_->Register(
      "progress", [](JobContext& context) -> absl::StatusOr<std::string> {
        context.SendStatus(1, 2).IgnoreError();
        context.SendData("half").IgnoreError();
        return "whole";
      }));
  status.Update(
      worker_->Register("fail", [](JobContext&) -> absl::StatusOr<std::string> {
        return JobFailed("as asked");
      }));
  status.Update(worker_->Register(
      "exception", [](JobContext&) -> absl::StatusOr<std::string> {
        return JobException("as asked");
      }));
  status.Update(worker_->Register(
      "background", [this](JobContext& context) -> absl::StatusOr<std::string> {
        ledger_.Ran(context.job().unique());
        return "";
      }));
  return status;
}

absl::Status Load::WaitUntilServed() {
  absl::Status status = client_->WaitForReady(support::kBound);
  if (!status.ok()) return status;
  // Only a worker answers a job.
  return client_->Run("echo", "served?").status();
}

void Load::Cycle() {
  ++cycles_;
  std::vector<std::thread> threads;
  for (int number = 0; number < kCallers; ++number) {
    threads.emplace_back([this, number] { Caller(this, number).Run(); });
  }
  threads.emplace_back([this] { AskAsAdmin(); });
  ComeAndGo();
  for (std::thread& thread : threads) thread.join();
  const size_t lost = ledger_.WaitForAll(support::kBound);
  if (lost > 0) {
    Broken(absl::StrCat(lost, " background jobs were accepted and never done; ",
                        QueueOf("background")));
  }
}

std::string Load::QueueOf(absl::string_view task) {
  const auto rows = admin_->GetStatus();
  if (!rows.ok()) return rows.status().ToString();
  for (const FunctionStatus& row : *rows) {
    if (row.function == task) {
      return absl::StrCat("the server has ", row.total, ", of which ",
                          row.running, " run");
    }
  }
  return "the server knows no such function";
}

void Load::AskAsAdmin() {
  for (int i = 0; i < kAsked; ++i) {
    for (const absl::Status& status :
         {admin_->GetStatus().status(), admin_->GetPriorityStatus().status(),
          admin_->GetWorkers().status(), admin_->GetJobs().status(),
          admin_->GetUniqueJobs().status(), admin_->GetVersion().status()}) {
      questions_ += 1;
      if (!status.ok()) {
        Broken(absl::StrCat("the admin client: ", status.ToString()));
      }
    }
  }
}

void Load::ComeAndGo() {
  const absl::StatusOr<std::unique_ptr<Worker>> worker =
      MakeWorker(transports_.steady);
  const absl::StatusOr<std::unique_ptr<Client>> client =
      MakeClient(transports_.steady);
  const absl::StatusOr<std::unique_ptr<AdminClient>> admin = MakeAdmin();
  for (const absl::Status& status :
       {worker.status(), client.status(), admin.status()}) {
    if (!status.ok()) return Broken(status.ToString());
  }
  const auto brief = [](JobContext& context) -> absl::StatusOr<std::string> {
    return std::string(context.job().data());
  };
  // The worker that stays learns a task and forgets it, too.
  absl::Status status = worker_->Register("passing", brief);
  status.Update((*worker)->Register("brief", brief));
  if (!status.ok()) return Broken(status.ToString());
  std::thread thread([&worker] { (*worker)->Run().IgnoreError(); });
  jobs_ += 2;
  for (const char* const task : {"brief", "passing"}) {
    const absl::StatusOr<std::string> result = (*client)->Run(task, task);
    if (!result.ok() || *result != task) {
      Broken(absl::StrCat("a job of ", task, ": ", result.status().ToString()));
    }
  }
  status.Update((*admin)->GetVersion().status());
  status.Update(worker_->Unregister("passing"));
  if (!status.ok()) Broken(status.ToString());
  (*worker)->Stop();
  thread.join();
}

void Load::Broken(std::string what) {
  ++broken_;
  absl::MutexLock lock(&mutex_);
  if (problems_.size() < kProblemsKept) {
    problems_.push_back(absl::StrCat(address_, ": ", what));
  }
}

LoadCounts Load::counts() const {
  LoadCounts counts;
  counts.jobs = jobs_;
  counts.cancelled = cancelled_;
  counts.background = background_;
  counts.failed = failed_;
  counts.questions = questions_;
  counts.unanswered = unanswered_;
  counts.connections = *connections_;
  return counts;
}

std::vector<std::string> Load::problems() const {
  absl::MutexLock lock(&mutex_);
  return problems_;
}

}  // namespace soak
}  // namespace gearman
