// Tiny foreground jobs through one real gearmand: libgearman's client and
// worker against this SDK's, in turn, several rounds, each side in a process of
// its own. Prints jobs/s of each round, the medians and their ratio.
//
//   bazel run -c opt //benchmarks:first_figure -- [--rounds=5]
//   [--in_flight=1000]
//
// Starts gearmand itself (2 threads, a free port of the loopback).
#include <libgearman/gearman.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gearman/sdk/builtins.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/worker.h"

extern char** environ;

ABSL_FLAG(int, rounds, 5, "rounds of each side");
ABSL_FLAG(int, in_flight, 1000, "jobs in flight");
ABSL_FLAG(int, libgearman_jobs, 20000, "jobs of one of libgearman's rounds");
ABSL_FLAG(int, sdk_jobs, 400000, "jobs of one of the SDK's rounds");
ABSL_FLAG(std::string, role, "", "internal: what this process does");
ABSL_FLAG(int, port, 0, "internal: gearmand's port");

namespace {

constexpr char kTask[] = "tiny";
constexpr char kPayload[] = "0123456789abcdef";

std::string Server() {
  return absl::StrCat("tcp://127.0.0.1:", absl::GetFlag(FLAGS_port));
}

[[noreturn]] void Fail(const std::string& why) {
  absl::FPrintF(stderr, "first_figure: %s\n", why);
  std::exit(1);
}

// --- roles -------------------------------------------------------------------

gearman_return_t EchoWithLibgearman(gearman_job_st* job, void*) {
  return gearman_job_send_complete(job, gearman_job_workload(job),
                                   gearman_job_workload_size(job));
}

int LibgearmanWorker() {
  gearman_worker_st* worker = gearman_worker_create(nullptr);
  gearman_worker_add_server(worker, "127.0.0.1",
                            static_cast<in_port_t>(absl::GetFlag(FLAGS_port)));
  gearman_worker_define_function(worker, kTask, sizeof(kTask) - 1,
                                 gearman_function_create(EchoWithLibgearman), 0,
                                 nullptr);
  while (gearman_worker_work(worker) == GEARMAN_SUCCESS) {
  }
  return 1;
}

void LibgearmanClient(int jobs) {
  gearman_client_st* client = gearman_client_create(nullptr);
  gearman_client_add_server(client, "127.0.0.1",
                            static_cast<in_port_t>(absl::GetFlag(FLAGS_port)));
  const int batch = absl::GetFlag(FLAGS_in_flight);
  for (int done = 0; done < jobs; done += batch) {
    for (int i = 0; i < batch; ++i) {
      gearman_return_t result;
      gearman_client_add_task(client, nullptr, nullptr, kTask, nullptr,
                              kPayload, sizeof(kPayload) - 1, &result);
      if (result != GEARMAN_SUCCESS) Fail("libgearman: add_task");
    }
    if (gearman_client_run_tasks(client) != GEARMAN_SUCCESS) {
      Fail("libgearman: run_tasks");
    }
    gearman_client_task_free_all(client);
  }
  gearman_client_free(client);
}

int SdkWorker() {
  gearman::WorkerOptions options;
  options.servers = {Server()};
  auto worker = gearman::Worker::Create(std::move(options));
  if (!worker.ok()) Fail(worker.status().ToString());
  const absl::Status status = (*worker)->Register(
      kTask, [](gearman::JobContext& context) -> absl::StatusOr<std::string> {
        const absl::string_view data = context.job().data();
        return std::string(data.data(), data.size());
      });
  if (!status.ok()) Fail(status.ToString());
  return (*worker)->Run().ok() ? 0 : 1;
}

void SdkClient(int jobs) {
  gearman::ClientOptions options;
  options.servers = {Server()};
  auto client = gearman::Client::Create(std::move(options));
  if (!client.ok()) Fail(client.status().ToString());
  const int batch = absl::GetFlag(FLAGS_in_flight);
  for (int done = 0; done < jobs; done += batch) {
    std::vector<gearman::JobSpec> specs;
    specs.reserve(batch);
    for (int i = 0; i < batch; ++i) specs.emplace_back(kTask, kPayload);
    const auto requests = (*client)->SubmitMultipleJobs(std::move(specs));
    const absl::Status status = (*client)->WaitUntilJobsCompleted(requests);
    if (!status.ok()) Fail(status.ToString());
  }
}

// Prints jobs/s and the process's CPU time per job.
int TimedClient(void (*run)(int), int jobs) {
  const absl::Time start = absl::Now();
  run(jobs);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const double cpu =
      static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
      static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
          1e6;
  absl::PrintF("%.0f %.3f\n", jobs / seconds, cpu / jobs * 1e6);
  return 0;
}

// --- the comparison ----------------------------------------------------------

// A child that ends with this object.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments, int output = -1) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(&argument[0]);
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) !=
        0) {
      Fail(absl::StrCat("can't start ", arguments[0]));
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Await() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    if (status != 0) Fail("a child failed");
  }

 private:
  pid_t pid_ = -1;
};

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    Fail("no free port");
  }
  close(fd);
  return ntohs(address.sin_port);
}

struct Round {
  double jobs_per_second;
  double cpu_us_per_job;
};

Round RunRound(const std::string& self, const std::string& side) {
  const std::string port = absl::StrCat("--port=", absl::GetFlag(FLAGS_port));
  Process worker({self, port, absl::StrCat("--role=", side, "_worker")});
  int pipes[2];
  if (pipe(pipes) != 0) Fail("pipe");
  Process client(
      {self, port, absl::StrCat("--role=", side, "_client"),
       absl::StrCat("--in_flight=", absl::GetFlag(FLAGS_in_flight)),
       absl::StrCat("--libgearman_jobs=", absl::GetFlag(FLAGS_libgearman_jobs)),
       absl::StrCat("--sdk_jobs=", absl::GetFlag(FLAGS_sdk_jobs))},
      pipes[1]);
  close(pipes[1]);
  client.Await();
  char text[256] = {};
  if (read(pipes[0], text, sizeof(text) - 1) <= 0) Fail("no answer");
  close(pipes[0]);
  Round round = {};
  if (std::sscanf(text, "%lf %lf", &round.jobs_per_second,
                  &round.cpu_us_per_job) != 2) {
    Fail("a child answered what it should not");
  }
  return round;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Compare(const std::string& self) {
  absl::SetFlag(&FLAGS_port, FreePort());
  Process gearmand({"/usr/sbin/gearmand", "-L", "127.0.0.1", "-p",
                    absl::StrCat(absl::GetFlag(FLAGS_port)), "-t", "2", "-l",
                    "/dev/null"});
  // It serves once an echo comes back.
  gearman::ClientOptions options;
  options.servers = {Server()};
  auto probe = gearman::Client::Create(std::move(options));
  if (!probe.ok()) Fail(probe.status().ToString());
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!(*probe)->Echo().ok()) {
    if (absl::Now() > give_up) Fail("gearmand does not start");
  }
  std::vector<double> rates[2], cpu[2];
  const char* const sides[] = {"libgearman", "sdk"};
  absl::PrintF("%-12s %12s %16s\n", "side", "jobs/s", "client us CPU/job");
  for (int round = 0; round < absl::GetFlag(FLAGS_rounds); ++round) {
    for (int side = 0; side < 2; ++side) {
      const Round result = RunRound(self, sides[side]);
      rates[side].push_back(result.jobs_per_second);
      cpu[side].push_back(result.cpu_us_per_job);
      absl::PrintF("%-12s %12.0f %16.2f\n", sides[side], result.jobs_per_second,
                   result.cpu_us_per_job);
      std::fflush(stdout);
    }
  }
  absl::PrintF(
      "median: libgearman %.0f jobs/s, this SDK %.0f jobs/s: %.1f "
      "times; client CPU %.2f and %.2f us/job\n",
      Median(rates[0]), Median(rates[1]), Median(rates[1]) / Median(rates[0]),
      Median(cpu[0]), Median(cpu[1]));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  const std::string role = absl::GetFlag(FLAGS_role);
  if (role == "libgearman_worker") return LibgearmanWorker();
  if (role == "sdk_worker") return SdkWorker();
  if (role == "libgearman_client") {
    return TimedClient(LibgearmanClient, absl::GetFlag(FLAGS_libgearman_jobs));
  }
  if (role == "sdk_client") {
    return TimedClient(SdkClient, absl::GetFlag(FLAGS_sdk_jobs));
  }
  return Compare("/proc/self/exe");
}
