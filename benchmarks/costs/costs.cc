// Measures one event when there are many of something: servers, servers that
// refuse, functions of a worker, jobs that were cancelled, connections that
// were renewed. Client, worker and embedded server are in one thread.
//
//   bazel run -c opt //benchmarks/costs            # a table
//   bazel run -c opt //benchmarks/costs -- --csv   # the same, for a plot
//
// Each number is the least of several runs. Whatever fails ends the process.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/benchmarks/costs/meter.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/sdk/testing/refusing_transport.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace benchmarks {
namespace {

constexpr int kSizes[] = {1, 10, 100, 1000};
// A case is repeated until it has had so many events, but at least so often.
constexpr int kEvents = 2000;
constexpr int kRuns = 5;

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "costs: %s\n", status.ToString().c_str());
  std::exit(1);
}

template <typename T>
T Checked(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

// The cost of an event, at its least.
struct Cost {
  double cpu_ns = 0;
  double instructions = -1;  // not counted
};

// Measures parts of a run.
class Stopwatch {
 public:
  template <typename Work>
  void Measure(int events, Work work) {
    const Spent before = meter_.Now();
    work();
    const Spent after = meter_.Now();
    events_ += events;
    cpu_ns_ += after.cpu_ns - before.cpu_ns;
    if (after.instructions.has_value()) {
      instructions_ +=
          static_cast<double>(*after.instructions - *before.instructions);
      counted_ = true;
    }
  }
  int events() const { return events_; }
  Cost PerEvent() const {
    Cost cost;
    cost.cpu_ns = cpu_ns_ / events_;
    if (counted_) cost.instructions = instructions_ / events_;
    return cost;
  }

 private:
  Meter meter_;
  int events_ = 0;
  double cpu_ns_ = 0;
  double instructions_ = 0;
  bool counted_ = false;
};

// A job server with so many names, inproc://0 and so on.
class Place {
 public:
  explicit Place(int names) {
    Check(transports_->Register(
        "inproc", std::make_shared<InprocTransportFactory>(network_)));
    JobServerOptions options;
    options.network = network_;
    options.transports = transports_;
    server_ = Checked(JobServer::Create(std::move(options)));
    for (int i = 0; i < names; ++i) {
      names_.push_back(absl::StrCat("inproc://", i));
      Checked(server_->Listen(names_.back()));
    }
  }
  ClientOptions OfClient() const {
    ClientOptions options;
    options.servers = names_;
    options.transports = transports_;
    options.drive_mode = DriveMode::kCallerOnly;
    options.random_seed = 1;
    return options;
  }
  WorkerOptions OfWorker() const {
    WorkerOptions options;
    options.servers = names_;
    options.transports = transports_;
    return options;
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  const std::shared_ptr<InprocNetwork> network_ =
      std::make_shared<InprocNetwork>();
  const std::shared_ptr<TransportRegistry> transports_ =
      std::make_shared<TransportRegistry>();
  std::unique_ptr<JobServer> server_;
  std::vector<std::string> names_;
};

void SubmitBackground(Client& client) {
  const JobRequest request = client.SubmitBackgroundJob("nobody does it", "");
  Check(client.WaitUntilJobsAccepted({request}));
}

// Each server of the client has been connected.
void ConnectAll(Client& client, const std::vector<std::string>& servers) {
  for (const std::string& server : servers) {
    Check(client.Echo("x", server).status());
  }
}

// --- the cases: each measures what `n` of something cost ---------------------

void JobAmongServers(int n, Stopwatch& watch) {
  const Place place(n);
  const auto client = Checked(Client::Create(place.OfClient()));
  ConnectAll(*client, place.names());
  watch.Measure(1000, [&] {
    for (int i = 0; i < 1000; ++i) SubmitBackground(*client);
  });
}

void EchoBesideServers(int n, Stopwatch& watch) {
  const Place place(n);
  const auto client = Checked(Client::Create(place.OfClient()));
  ConnectAll(*client, place.names());
  watch.Measure(1000, [&] {
    for (int i = 0; i < 1000; ++i) {
      Check(client->Echo("x", place.names().back()).status());
    }
  });
}

void ClientOfServers(int n, Stopwatch& watch) {
  const Place place(n);
  watch.Measure(n, [&] { Checked(Client::Create(place.OfClient())); });
}

void AttemptsRefused(int n, Stopwatch& watch) {
  ClientOptions options;
  for (int i = 0; i < n; ++i) {
    options.servers.push_back(absl::StrCat("refusing://", i));
  }
  options.transports = std::make_shared<TransportRegistry>();
  const auto factory = std::make_shared<testing::RefusingFactory>();
  Check(options.transports->Register("refusing", factory));
  options.drive_mode = DriveMode::kCallerOnly;
  options.random_seed = 1;
  // Tries each server once. The default policy ends after three attempts.
  options.retry_policy = std::make_shared<ImmediateRetryPolicy>();
  const auto client = Checked(Client::Create(std::move(options)));
  watch.Measure(n, [&] {
    if (!absl::IsUnavailable(client->Run("f", "").status())) {
      Check(absl::InternalError("not refused"));
    }
  });
  if (factory->asked.size() != static_cast<size_t>(n)) {
    Check(absl::InternalError("not every server was tried once"));
  }
}

void FunctionsOfWorker(int n, Stopwatch& watch) {
  const Place place(1);
  const auto worker = Checked(Worker::Create(place.OfWorker()));
  const auto pass = [&] { worker->RunOnce(absl::InfinitePast()); };
  for (int i = 0; i < 10; ++i) pass();
  watch.Measure(2 * n, [&] {
    for (int i = 0; i < n; ++i) {
      Check(worker->Register(
          absl::StrCat("f", i),
          [](JobContext&) -> absl::StatusOr<std::string> { return ""; }));
      pass();
    }
    for (int i = 0; i < n; ++i) {
      Check(worker->Unregister(absl::StrCat("f", i)));
      pass();
    }
  });
}

void CancelOne(Client& client) {
  const JobRequest request = client.SubmitJob("nobody does it", "");
  Check(client.WaitUntilJobsAccepted({request}));
  request.Cancel();
}

void Cancelled(int n, Stopwatch& watch) {
  const Place place(1);
  const auto client = Checked(Client::Create(place.OfClient()));
  CancelOne(*client);
  watch.Measure(n, [&] {
    for (int i = 0; i < n; ++i) CancelOne(*client);
  });
}

void JobBesideCancelled(int n, Stopwatch& watch) {
  const Place place(1);
  const auto client = Checked(Client::Create(place.OfClient()));
  for (int i = 0; i < n; ++i) CancelOne(*client);
  watch.Measure(1000, [&] {
    for (int i = 0; i < 1000; ++i) SubmitBackground(*client);
  });
}

void Renewals(int n, Stopwatch& watch) {
  const Place place(1);
  ClientOptions options = place.OfClient();
  // The next request finds the connection too old.
  options.reconnect.connection_lifetime = absl::Nanoseconds(1);
  const auto client = Checked(Client::Create(std::move(options)));
  CancelOne(*client);
  watch.Measure(n, [&] {
    for (int i = 0; i < n; ++i) CancelOne(*client);
  });
}

struct Case {
  const char* name;
  const char* many;
  const char* event;
  void (*run)(int n, Stopwatch& watch);
};

constexpr Case kCases[] = {
    {"job_among_servers", "servers, connected", "a job is accepted",
     JobAmongServers},
    {"echo_beside_servers", "servers, connected", "an echo by one of them",
     EchoBesideServers},
    {"client_of_servers", "servers", "a server of a new client",
     ClientOfServers},
    {"attempts_refused", "servers that refuse", "an attempt of one request",
     AttemptsRefused},
    {"functions", "functions of a worker", "one registered, or unregistered",
     FunctionsOfWorker},
    {"cancelled", "cancelled jobs, one connection", "one more", Cancelled},
    {"job_beside_cancelled", "cancelled jobs, one connection",
     "a job is accepted", JobBesideCancelled},
    {"renewals", "connections renewed, each with a cancelled job", "one more",
     Renewals},
};

Cost Least(const Case& measured, int n) {
  Cost least;
  for (int run = 0; run < kRuns; ++run) {
    Stopwatch watch;
    do {
      measured.run(n, watch);
    } while (watch.events() < kEvents);
    const Cost cost = watch.PerEvent();
    if (run == 0 || cost.cpu_ns < least.cpu_ns) least.cpu_ns = cost.cpu_ns;
    if (run == 0 || cost.instructions < least.instructions) {
      least.instructions = cost.instructions;
    }
  }
  return least;
}

void PrintTable() {
  std::printf("| many of | event | 1 | 10 | 100 | 1,000 |\n");
  std::printf("|---|---|--:|--:|--:|--:|\n");
  for (const Case& measured : kCases) {
    std::printf("| %s | %s |", measured.many, measured.event);
    for (const int n : kSizes) {
      const Cost cost = Least(measured, n);
      std::printf(" %.2f µs", cost.cpu_ns / 1000);
      if (cost.instructions >= 0) std::printf(", %.0f", cost.instructions);
      std::printf(" |");
      std::fflush(stdout);
    }
    std::printf("\n");
  }
}

void PrintCsv() {
  std::printf("case,n,cpu_ns_per_event,instructions_per_event\n");
  for (const Case& measured : kCases) {
    for (const int n : kSizes) {
      const Cost cost = Least(measured, n);
      std::printf("%s,%d,%.1f,", measured.name, n, cost.cpu_ns);
      if (cost.instructions >= 0) std::printf("%.0f", cost.instructions);
      std::printf("\n");
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace benchmarks
}  // namespace gearman

int main(int argc, char** argv) {
  if (argc == 2 && absl::string_view(argv[1]) == "--csv") {
    gearman::benchmarks::PrintCsv();
    return 0;
  }
  if (argc != 1) {
    std::fprintf(stderr, "usage: costs [--csv]\n");
    return 2;
  }
  gearman::benchmarks::PrintTable();
  return 0;
}
