// Counts the words of real files as Gearman jobs: one job per chunk. Workers
// count, and the client merges the counts. With --reduce a job has a thousand
// chunks: a worker splits it, and merges the counts of its parts
// (sdk/reduce.h).
//
//   word_count                               # all in this process
//   word_count --server=tcp://localhost:4730 FILES   # with a gearmand
//   word_count --server=... --worker         # only the workers, until Ctrl-C
//   word_count --server=... --client FILES   # only the client
//   word_count --reduce FILES                # map/reduce, with any of these
//
// Totals go to standard output, all other text to standard error. Exit codes: 0
// all counted, 1 some of the input could not be read or counted, 2 wrong use, 3
// no server, 130 interrupted.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gearman/examples/word_count/corpus.h"
#include "gearman/examples/word_count/map_words.h"
#include "gearman/examples/word_count/progress.h"
#include "gearman/examples/word_count/words.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/reduce.h"
#include "gearman/sdk/worker.h"

ABSL_FLAG(std::vector<std::string>, server, {},
          "addresses of job servers, comma-separated, such as "
          "tcp://localhost:4730; none: the embedded one in this process");
ABSL_FLAG(bool, worker, false, "run only the workers, until Ctrl-C");
ABSL_FLAG(bool, client, false, "run only the client");
ABSL_FLAG(int, workers, 0, "number of workers; 0: one for each core");
ABSL_FLAG(int, chunk_bytes, 16384, "bytes of text in one job");
ABSL_FLAG(int, in_flight, 1000, "jobs submitted ahead of their results");
ABSL_FLAG(int, top, 10, "how many of the most frequent words to print; 0: all");
ABSL_FLAG(std::string, task, "count_words", "the Gearman task");
ABSL_FLAG(bool, reduce, false,
          "submit larger jobs to a task that splits them (map/reduce)");
ABSL_FLAG(std::string, map_task, "map_words", "the task of these jobs");

namespace word_count {
namespace {

constexpr char kDefaultInput[] = "/usr/share/common-licenses";
// The chunks of one job of map/reduce.
constexpr size_t kChunksOfAMap = 1000;
constexpr int kExitIncomplete = 1;
constexpr int kExitUsage = 2;
constexpr int kExitNoServer = 3;
constexpr int kExitInterrupted = 130;
// The time between two looks of the client at Ctrl-C and the progress line.
constexpr absl::Duration kGlance = absl::Milliseconds(100);

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free,
              "a signal handler sets it");

void OnInterrupt(int) { interrupted.store(true); }

template <typename... Args>
void Complain(const absl::FormatSpec<Args...>& format, const Args&... args) {
  absl::FPrintF(stderr, format, args...);
  std::fputc('\n', stderr);
}

// Returns the named servers, or the embedded job server of this process.
std::vector<std::string> Servers() {
  std::vector<std::string> servers = absl::GetFlag(FLAGS_server);
  if (servers.empty()) servers.push_back("inproc://default");
  return servers;
}

size_t ChunkBytes() {
  return static_cast<size_t>(std::max(1, absl::GetFlag(FLAGS_chunk_bytes)));
}

// The workers of this process, each on its own thread. Each does the parts of
// its own maps, too: no thread waits for a part.
class WorkerPool {
 public:
  absl::Status Start(int count) {
    gearman::MapperOptions mapper_options;
    mapper_options.client.servers = Servers();
    absl::StatusOr<std::unique_ptr<gearman::Mapper>> mapper =
        gearman::Mapper::Create(std::move(mapper_options));
    if (!mapper.ok()) return mapper.status();
    mapper_ = *std::move(mapper);
    for (int i = 0; i < count; ++i) {
      gearman::WorkerOptions options;
      options.servers = Servers();
      options.client_id = absl::StrFormat("word_count-%d", i + 1);
      absl::StatusOr<std::unique_ptr<gearman::Worker>> worker =
          gearman::Worker::Create(std::move(options));
      if (!worker.ok()) return worker.status();
      absl::Status status = (*worker)->Register(
          absl::GetFlag(FLAGS_task),
          [](gearman::JobContext& context) -> absl::StatusOr<std::string> {
            return EncodeCounts(CountWords(context.job().data()));
          });
      if (status.ok()) {
        status = mapper_->Register(**worker, absl::GetFlag(FLAGS_map_task),
                                   [](const gearman::MapInput& input) {
                                     return MapWords(input, ChunkBytes());
                                   });
      }
      if (!status.ok()) return status;
      workers_.push_back(*std::move(worker));
    }
    for (const std::unique_ptr<gearman::Worker>& worker : workers_) {
      const absl::Status status = worker->Start();
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Lets the workers finish and answer the jobs that they hold.
  void Drain() {
    for (const std::unique_ptr<gearman::Worker>& worker : workers_) {
      worker->Drain(absl::Seconds(10));
    }
    for (const std::unique_ptr<gearman::Worker>& worker : workers_) {
      const absl::Status status = worker->Join();
      if (!status.ok()) Complain("worker: %s", status.ToString());
    }
    workers_.clear();
  }

  ~WorkerPool() {
    for (const std::unique_ptr<gearman::Worker>& worker : workers_) {
      worker->Stop();
    }
  }

 private:
  std::unique_ptr<gearman::Mapper> mapper_;
  std::vector<std::unique_ptr<gearman::Worker>> workers_;
};

// Submits the corpus and merges the results.
class Counter {
 public:
  Counter(gearman::Client* client, Corpus* corpus)
      : client_(client), corpus_(corpus) {}

  // Returns OK even if single jobs have failed; otherwise the reason why it
  // can't go on.
  absl::Status Run() {
    const size_t ahead =
        static_cast<size_t>(std::max(1, absl::GetFlag(FLAGS_in_flight)));
    bool more = true;
    while (more || !in_flight_.empty()) {
      if (interrupted.load()) return absl::CancelledError("interrupted");
      std::vector<gearman::JobSpec> specs;
      while (more && in_flight_.size() + specs.size() < ahead) {
        std::optional<std::string> chunk = corpus_->NextChunk();
        if (!chunk.has_value()) {
          more = false;
          break;
        }
        if (absl::GetFlag(FLAGS_reduce)) {
          specs.emplace_back(absl::GetFlag(FLAGS_map_task), *std::move(chunk));
          specs.back().options.reducer = absl::GetFlag(FLAGS_task);
        } else {
          specs.emplace_back(absl::GetFlag(FLAGS_task), *std::move(chunk));
        }
      }
      numbers_.jobs_submitted += static_cast<int64_t>(specs.size());
      for (gearman::JobRequest& request :
           client_->SubmitMultipleJobs(std::move(specs))) {
        in_flight_.push_back(std::move(request));
      }
      absl::Status status = Collect();
      if (!status.ok()) return status;
      progress_.Show(Numbers());
    }
    return absl::OkStatus();
  }

  void Finish() {
    for (gearman::JobRequest& request : in_flight_) request.Cancel();
    progress_.Finish(Numbers());
  }

  const Counts& counts() const { return counts_; }
  const ProgressNumbers& Numbers() {
    numbers_.bytes_read = corpus_->bytes_read();
    numbers_.total_bytes = corpus_->total_bytes();
    return numbers_;
  }
  absl::Duration elapsed() const { return progress_.elapsed(); }

 private:
  // Waits for the oldest job, then merges the oldest jobs as long as they have
  // ended.
  absl::Status Collect() {
    if (in_flight_.empty()) return absl::OkStatus();
    // The result of the wait does not matter: the request has its own status.
    client_->Wait(in_flight_.front(), kGlance).IgnoreError();
    while (!in_flight_.empty() && in_flight_.front().finished()) {
      const gearman::JobRequest request = std::move(in_flight_.front());
      in_flight_.pop_front();
      absl::Status status = request.status();
      // No server can be reached, so the next job would fail, too.
      if (absl::IsUnavailable(status) && request.handle().empty()) {
        return status;
      }
      if (status.ok()) {
        status = AddEncodedCounts(request.result_view(), &counts_);
      }
      if (status.ok()) {
        ++numbers_.jobs_done;
      } else {
        ++numbers_.jobs_failed;
        Complain("\n%s", status.ToString());
      }
    }
    return absl::OkStatus();
  }

  gearman::Client* const client_;
  Corpus* const corpus_;
  std::deque<gearman::JobRequest> in_flight_;
  Counts counts_;
  ProgressNumbers numbers_;
  Progress progress_;
};

void PrintTop(const Counts& counts) {
  std::vector<std::pair<absl::string_view, int64_t>> sorted(counts.begin(),
                                                            counts.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  const int top = absl::GetFlag(FLAGS_top);
  if (top > 0 && sorted.size() > static_cast<size_t>(top)) sorted.resize(top);
  for (const auto& entry : sorted) {
    absl::PrintF("%9d %s\n", entry.second, entry.first);
  }
}

int RunClient(const std::vector<std::string>& paths) {
  Corpus corpus(paths, absl::GetFlag(FLAGS_reduce)
                           ? ChunkBytes() * kChunksOfAMap
                           : ChunkBytes());
  gearman::ClientOptions options;
  options.servers = Servers();
  absl::StatusOr<std::unique_ptr<gearman::Client>> client =
      gearman::Client::Create(std::move(options));
  if (!client.ok()) {
    Complain("word_count: %s", client.status().ToString());
    return kExitUsage;
  }
  Counter counter(client->get(), &corpus);
  const absl::Status status = counter.Run();
  counter.Finish();
  for (const std::string& problem : corpus.problems()) {
    Complain("word_count: cannot read %s", problem);
  }
  if (interrupted.load()) {
    Complain(
        "word_count: interrupted; nothing was printed, as the counts are "
        "incomplete");
    return kExitInterrupted;
  }
  if (!status.ok()) {
    Complain("word_count: %s", status.ToString());
    return kExitNoServer;
  }
  PrintTop(counter.counts());
  int64_t words = 0;
  for (const auto& entry : counter.counts()) words += entry.second;
  const ProgressNumbers& numbers = counter.Numbers();
  const double seconds = absl::ToDoubleSeconds(counter.elapsed());
  absl::PrintF(
      "%d words (%d different) in %d files; %d jobs done, %d failed, "
      "%.3f s, %.0f jobs/s\n",
      words, counter.counts().size(), corpus.files(), numbers.jobs_done,
      numbers.jobs_failed, seconds,
      seconds > 0 ? numbers.jobs_done / seconds : 0);
  return numbers.jobs_failed > 0 || !corpus.problems().empty() ||
                 corpus.files() == 0
             ? kExitIncomplete
             : 0;
}

// Waits for Ctrl-C, then lets the workers finish.
int RunWorkers(WorkerPool* pool) {
  sigset_t none;
  sigemptyset(&none);
  Complain("word_count: working; Ctrl-C ends it");
  while (!interrupted.load()) sigsuspend(&none);
  Complain("word_count: finishing what has been begun");
  pool->Drain();
  return 0;
}

int Main(std::vector<std::string> paths) {
  const bool only_worker = absl::GetFlag(FLAGS_worker);
  const bool only_client = absl::GetFlag(FLAGS_client);
  if (only_worker && only_client) {
    Complain(
        "word_count: --worker and --client exclude each other; leave both "
        "away to run both sides");
    return kExitUsage;
  }
  if ((only_worker || only_client) && absl::GetFlag(FLAGS_server).empty()) {
    Complain(
        "word_count: --worker and --client need a --server that both "
        "reach: the embedded one lives in one process");
    return kExitUsage;
  }
  if (paths.empty()) paths.push_back(kDefaultInput);

  // Threads inherit this mask, so only this thread gets Ctrl-C. RunWorkers
  // allows it only while it sleeps.
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigaddset(&interrupt, SIGTERM);
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);

  WorkerPool pool;
  if (!only_client) {
    int count = absl::GetFlag(FLAGS_workers);
    if (count <= 0) {
      count =
          std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    }
    const absl::Status status = pool.Start(count);
    if (!status.ok()) {
      Complain("word_count: %s", status.ToString());
      return kExitUsage;
    }
  }
  if (only_worker) return RunWorkers(&pool);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return RunClient(paths);
}

}  // namespace
}  // namespace word_count

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Counts the words of files as Gearman jobs.\n"
      "  word_count [--server=ADDRESS[,ADDRESS...]] [--worker|--client] "
      "[--reduce] [FILES or FOLDERS...]\n"
      "Without input it reads /usr/share/common-licenses; without a server it "
      "uses the embedded one.");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  return word_count::Main(
      std::vector<std::string>(rest.begin() + 1, rest.end()));
}
