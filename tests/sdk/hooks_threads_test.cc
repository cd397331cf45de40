// Observers and interceptors of a client and a worker that several threads use
// at once, on the machine's clock: whatever becomes of a job, each is told of
// its end once.
#include <atomic>
#include <memory>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/client_interceptor.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/sdk/worker_interceptor.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport_registry.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

// Counts spans: begun, ended, destroyed.
class CountingObserver final : public TraceObserver {
 public:
  std::unique_ptr<TraceSpan> Begin(const TraceBegin&) override {
    ++begun;
    return std::make_unique<Span>(this);
  }

  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  std::atomic<int> ended_twice{0};
  std::atomic<int> destroyed{0};

 private:
  class Span final : public TraceSpan {
   public:
    explicit Span(CountingObserver* observer) : observer_(observer) {}
    ~Span() override { ++observer_->destroyed; }
    void End(const TraceEnd&) override {
      ++observer_->ended;
      if (std::exchange(ended_, true)) ++observer_->ended_twice;
    }

   private:
    CountingObserver* const observer_;
    bool ended_ = false;
  };
};

TEST(HooksThreadsTest, EachEndIsToldOnceWhateverBecomesOfAJob) {
  constexpr int kThreads = 4;
  constexpr int kJobs = 200;  // of each thread
  const auto network = std::make_shared<InprocNetwork>();
  const auto transports = std::make_shared<TransportRegistry>();
  ASSERT_TRUE(transports
                  ->Register("inproc",
                             std::make_shared<InprocTransportFactory>(network))
                  .ok());
  JobServerOptions server_options;
  server_options.network = network;
  auto server = JobServer::Create(server_options);
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE((*server)->Listen("inproc://jobs").ok());

  const auto client_observer = std::make_shared<CountingObserver>();
  const auto worker_observer = std::make_shared<CountingObserver>();
  std::atomic<int> submitted{0};
  std::atomic<int> finished{0};
  std::atomic<int> begun{0};
  std::atomic<int> answered{0};
  absl::Mutex mutex;
  std::vector<std::thread> others;  // who finish pending jobs

  WorkerOptions worker_options;
  worker_options.servers = {"inproc://jobs"};
  worker_options.transports = transports;
  worker_options.concurrency = kThreads;
  worker_options.trace_observer = worker_observer;
  worker_options.interceptors.push_back([&](IncomingJob& job) {
    ++begun;
    job.set_data(absl::StrCat(job.data(), "!"));
    job.OnEnd([&](const Job&, absl::StatusOr<std::string>&) { ++answered; });
  });
  auto worker = Worker::Create(std::move(worker_options));
  ASSERT_TRUE(worker.ok()) << worker.status();
  ASSERT_TRUE(
      (*worker)
          ->Register("now",
                     [](JobContext& context) -> absl::StatusOr<std::string> {
                       const absl::string_view data = context.job().data();
                       return std::string(data.data(), data.size());
                     })
          .ok());
  ASSERT_TRUE((*worker)
                  ->RegisterAsync(
                      "later",
                      [&](PendingJob job) {
                        // Some jobs are dropped without an answer.
                        absl::MutexLock lock(&mutex);
                        others.emplace_back([job = std::move(job)]() mutable {
                          if (job.job().data() == "3!") return;
                          job.Finish(std::string(job.job().data()));
                        });
                      })
                  .ok());
  std::thread worker_thread([&] { EXPECT_TRUE((*worker)->Run().ok()); });

  ClientOptions client_options;
  client_options.servers = {"inproc://jobs"};
  client_options.transports = transports;
  client_options.trace_observer = client_observer;
  client_options.interceptors.push_back([&](OutgoingJob& job) {
    ++submitted;
    if (job.data() == "5") job.Answer(std::string("answered"));
    job.OnEnd(
        [&](const JobRequest&, absl::StatusOr<std::string>&) { ++finished; });
  });
  auto client = Client::Create(std::move(client_options));
  ASSERT_TRUE(client.ok()) << client.status();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kJobs; ++i) {
        const std::string data = absl::StrCat(i % 8);
        const std::string task = (i + thread) % 2 == 0 ? "now" : "later";
        JobRequest request = (*client)->SubmitJob(task, data);
        if (i % 8 == 7) request.Cancel();
        const absl::Status status = (*client)->Wait(request);
        if (i % 8 == 5) {
          EXPECT_EQ(request.result(), "answered");
        } else if (i % 8 < 3) {
          EXPECT_EQ(request.result(), data + "!") << status;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Nobody waits for these jobs.
  for (int i = 0; i < 100; ++i) (*client)->SubmitJob("later", "9");
  *client = nullptr;
  EXPECT_EQ(submitted.load(), kThreads * kJobs + 100);
  EXPECT_EQ(finished.load(), submitted.load());
  EXPECT_EQ(client_observer->begun.load(), submitted.load());
  EXPECT_EQ(client_observer->ended.load(), client_observer->begun.load());
  EXPECT_EQ(client_observer->ended_twice.load(), 0);
  EXPECT_EQ(client_observer->destroyed.load(), client_observer->begun.load());

  (*worker)->Drain(support::kBound);
  worker_thread.join();
  for (std::thread& thread : others) thread.join();
  *worker = nullptr;
  EXPECT_GT(begun.load(), 0);
  EXPECT_EQ(answered.load(), begun.load());
  EXPECT_EQ(worker_observer->begun.load(), begun.load());
  EXPECT_EQ(worker_observer->ended.load(), begun.load());
  EXPECT_EQ(worker_observer->ended_twice.load(), 0);
  EXPECT_EQ(worker_observer->destroyed.load(), begun.load());
}

}  // namespace
}  // namespace gearman
