// A client, worker, admin client or QueueMetrics that is destroyed by code that
// it has called itself: an error in the log, and a later end.
#include <functional>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gearman/plugins/metrics/metrics_sink.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/queue_metrics.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/wait_for.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class DestroyedInsideTest : public ::testing::Test {
 protected:
  DestroyedInsideTest() {
    server_ = *JobServer::Create();
    address_ = *server_->Listen("tcp://127.0.0.1:0");
  }

  Logger Log() {
    return Logger(LogLevel::kError, [this](LogLevel, absl::string_view line) {
      absl::MutexLock lock(&mutex_);
      lines_.emplace_back(line);
    });
  }
  std::vector<std::string> lines() {
    absl::MutexLock lock(&mutex_);
    return lines_;
  }
  template <typename Options>
  Options OptionsOf() {
    Options options;
    options.servers = {address_};
    options.transports = TcpOnly();
    options.logger = Log();
    return options;
  }
  void MakeClient(ClientOptions options) {
    client_ = *Client::Create(std::move(options));
  }
  // A worker whose "t" echoes, or is done by `handler`.
  void MakeWorker(WorkerOptions options, Worker::Handler handler = nullptr) {
    worker_ = *Worker::Create(std::move(options));
    if (handler == nullptr) {
      handler = [](JobContext& context) {
        return std::string(context.job().data());
      };
    }
    ASSERT_TRUE(worker_->Register("t", std::move(handler)).ok());
  }
  void RunOn(std::thread* thread) {
    Worker* const worker = worker_.get();
    *thread = std::thread([worker] { worker->Run().IgnoreError(); });
  }
  void ExpectLogged(const std::string& what) {
    EXPECT_THAT(lines(), Contains(HasSubstr(what)));
  }

  std::unique_ptr<JobServer> server_;
  std::string address_;
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Client> client_;
  std::unique_ptr<Worker> worker_;
};

constexpr char kClient[] = "a client was destroyed by code that it had called";
constexpr char kWorker[] = "a worker was destroyed while it ran";

TEST_F(DestroyedInsideTest, AClientByACallbackOnItsBackgroundThread) {
  MakeWorker(OptionsOf<WorkerOptions>());
  std::thread thread;
  RunOn(&thread);
  MakeClient(OptionsOf<ClientOptions>());
  const JobRequest other = client_->SubmitJob("nobody", "");
  absl::Notification told;
  JobSpec spec("t", "x");
  spec.options.callbacks.on_complete = [&](const JobRequest& request) {
    client_ = nullptr;
    EXPECT_EQ(request.result(), "x");
    told.Notify();
  };
  const JobRequest request = client_->SubmitJob(std::move(spec));
  EXPECT_TRUE(told.WaitForNotificationWithTimeout(kLong));
  ExpectLogged(kClient);
  // The client's end comes: connections are closed, requests finished.
  EXPECT_TRUE(support::WaitFor([&other] { return other.finished(); }));
  EXPECT_TRUE(absl::IsCancelled(other.status())) << other.status();
  EXPECT_TRUE(request.status().ok());
  worker_->Stop();
  thread.join();
}

TEST_F(DestroyedInsideTest, AClientByACallbackOfTheThreadThatWaits) {
  // The job ends when this thread runs callbacks: in its wait.
  absl::Notification waits;
  MakeWorker(OptionsOf<WorkerOptions>(), [&waits](JobContext& context) {
    while (!waits.WaitForNotificationWithTimeout(absl::Milliseconds(1)) &&
           context.SendData("").ok()) {
    }
    return std::string(context.job().data());
  });
  std::thread thread;
  RunOn(&thread);
  MakeClient(OptionsOf<ClientOptions>());
  const JobRequest other = client_->SubmitJob("nobody", "");
  JobSpec spec("t", "x");
  spec.options.callbacks.on_data = [&waits,
                                    thread = std::this_thread::get_id()](
                                       const JobRequest&, absl::string_view) {
    if (std::this_thread::get_id() == thread && !waits.HasBeenNotified()) {
      waits.Notify();
    }
  };
  spec.options.callbacks.on_complete = [&](const JobRequest&) {
    client_ = nullptr;
  };
  const JobRequest requests[] = {other, client_->SubmitJob(std::move(spec))};
  const absl::Status status = client_->WaitUntilJobsCompleted(requests, kLong);
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(client_, nullptr);
  EXPECT_TRUE(support::WaitFor([&other] { return other.finished(); }));
  EXPECT_TRUE(absl::IsCancelled(other.status())) << other.status();
  ExpectLogged(kClient);
  worker_->Stop();
  thread.join();
}

TEST_F(DestroyedInsideTest, AClientByItsInterceptor) {
  ClientOptions options = OptionsOf<ClientOptions>();
  options.interceptors.push_back([this](OutgoingJob&) { client_ = nullptr; });
  MakeClient(std::move(options));
  const absl::Status status = client_->Run("t", "x").status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  ExpectLogged(kClient);
}

TEST_F(DestroyedInsideTest, AClientByItsObserver) {
  class Observer : public TraceObserver {
   public:
    explicit Observer(std::unique_ptr<Client>* client) : client_(client) {}
    std::unique_ptr<TraceSpan> Begin(const TraceBegin&) override {
      *client_ = nullptr;
      return nullptr;
    }

   private:
    std::unique_ptr<Client>* const client_;
  };
  ClientOptions options = OptionsOf<ClientOptions>();
  options.trace_observer = std::make_shared<Observer>(&client_);
  MakeClient(std::move(options));
  const JobRequest request = client_->SubmitJob("t", "x");
  EXPECT_TRUE(absl::IsCancelled(request.status())) << request.status();
  ExpectLogged(kClient);
}

TEST_F(DestroyedInsideTest, AWorkerByItsHandler) {
  MakeWorker(OptionsOf<WorkerOptions>(), [this](JobContext& context) {
    worker_ = nullptr;
    EXPECT_TRUE(context.stop_token().stop_requested());
    return std::string();
  });
  MakeClient(OptionsOf<ClientOptions>());
  const JobRequest request = client_->SubmitBackgroundJob("t", "x");
  EXPECT_TRUE(worker_->Run().ok());
  EXPECT_EQ(worker_, nullptr);
  ExpectLogged(kWorker);
}

TEST_F(DestroyedInsideTest, AWorkerByAHandlerOnAnotherThread) {
  WorkerOptions options = OptionsOf<WorkerOptions>();
  options.concurrency = 2;
  MakeWorker(std::move(options), [this](JobContext&) {
    worker_ = nullptr;
    return std::string();
  });
  MakeClient(OptionsOf<ClientOptions>());
  const JobRequest request = client_->SubmitBackgroundJob("t", "x");
  EXPECT_TRUE(worker_->Run().ok());
  EXPECT_EQ(worker_, nullptr);
  ExpectLogged(kWorker);
}

// Nobody is in the worker when it goes: the handler's thread ends it.
TEST_F(DestroyedInsideTest, AWorkerByAHandlerOnAnotherThreadBetweenTurns) {
  absl::Notification between;
  absl::Notification destroyed;
  WorkerOptions options = OptionsOf<WorkerOptions>();
  options.concurrency = 2;
  // The handler holds an object of this class, whose destruction tells of the
  // worker's end.
  class Noting {
   public:
    explicit Noting(absl::Notification* ended) : ended_(ended) {}
    ~Noting() { ended_->Notify(); }

   private:
    absl::Notification* const ended_;
  };
  absl::Notification began;
  absl::Notification ended;
  {
    const auto noting = std::make_shared<Noting>(&ended);
    MakeWorker(std::move(options), [&, noting](JobContext&) {
      began.Notify();
      between.WaitForNotification();
      worker_ = nullptr;
      destroyed.Notify();
      return std::string();
    });
  }
  MakeClient(OptionsOf<ClientOptions>());
  const JobRequest request = client_->SubmitBackgroundJob("t", "x");
  while (!began.HasBeenNotified()) {
    worker_->RunOnce(absl::Now() + absl::Milliseconds(10));
  }
  between.Notify();
  EXPECT_TRUE(destroyed.WaitForNotificationWithTimeout(kLong));
  EXPECT_TRUE(ended.WaitForNotificationWithTimeout(kLong));
  ExpectLogged(kWorker);
}

TEST_F(DestroyedInsideTest, AWorkerByItsHooks) {
  for (const bool after_job : {true, false}) {
    WorkerOptions options = OptionsOf<WorkerOptions>();
    if (after_job) {
      options.after_job = [this](const JobReport&) {
        worker_ = nullptr;
        return Proceed::kContinue;
      };
    } else {
      options.after_poll = [this](bool) {
        worker_ = nullptr;
        return Proceed::kContinue;
      };
    }
    MakeWorker(std::move(options));
    MakeClient(OptionsOf<ClientOptions>());
    const JobRequest request = client_->SubmitBackgroundJob("t", "x");
    EXPECT_TRUE(worker_->Run().ok());
    EXPECT_EQ(worker_, nullptr);
    ExpectLogged(kWorker);
  }
}

TEST_F(DestroyedInsideTest, AWorkerByItsInterceptor) {
  WorkerOptions options = OptionsOf<WorkerOptions>();
  options.interceptors.push_back([this](IncomingJob&) { worker_ = nullptr; });
  MakeWorker(std::move(options));
  MakeClient(OptionsOf<ClientOptions>());
  const JobRequest request = client_->SubmitBackgroundJob("t", "x");
  EXPECT_TRUE(worker_->Run().ok());
  EXPECT_EQ(worker_, nullptr);
  ExpectLogged(kWorker);
}

TEST_F(DestroyedInsideTest, AWorkerBesideAThreadInRun) {
  absl::Notification runs;
  MakeWorker(OptionsOf<WorkerOptions>(), [&runs](JobContext&) {
    runs.Notify();
    return std::string();
  });
  std::thread thread;
  RunOn(&thread);
  MakeClient(OptionsOf<ClientOptions>());
  const JobRequest request = client_->SubmitBackgroundJob("t", "x");
  EXPECT_TRUE(runs.WaitForNotificationWithTimeout(kLong));
  worker_ = nullptr;
  thread.join();
  ExpectLogged(kWorker);
}

TEST_F(DestroyedInsideTest, AnAdminClientByItsLogger) {
  std::unique_ptr<AdminClient> admin;
  AdminClientOptions options;
  options.server = address_;
  options.transports = TcpOnly();
  std::vector<std::string> lines;
  options.logger =
      Logger(LogLevel::kDebug, [&](LogLevel, absl::string_view line) {
        lines.emplace_back(line);
        admin = nullptr;
      });
  admin = *AdminClient::Create(std::move(options));
  admin->GetPid().status().IgnoreError();
  EXPECT_EQ(admin, nullptr);
  EXPECT_THAT(lines, Contains(HasSubstr("an admin client was destroyed")));
}

TEST_F(DestroyedInsideTest, QueueMetricsByASink) {
  class Sink : public MetricsSink {
   public:
    explicit Sink(std::function<void()> destroy)
        : destroy_(std::move(destroy)) {}
    void Export(const MetricsSnapshot&) override { destroy_(); }
    absl::Duration interval() const override { return absl::Milliseconds(1); }
    void Detach(const MetricsSource*) override { detached.Notify(); }
    absl::string_view name() const override { return "sink"; }

    absl::Notification detached;

   private:
    const std::function<void()> destroy_;
  };
  std::unique_ptr<QueueMetrics> queues;
  absl::Notification made;
  const auto sink = std::make_shared<Sink>([&] {
    made.WaitForNotification();
    queues = nullptr;
  });
  QueueMetricsOptions options = OptionsOf<QueueMetricsOptions>();
  options.metrics_sinks = {sink};
  queues = *QueueMetrics::Create(std::move(options));
  made.Notify();
  EXPECT_TRUE(sink->detached.WaitForNotificationWithTimeout(kLong));
  ExpectLogged("a QueueMetrics was destroyed");
}

}  // namespace
}  // namespace gearman
