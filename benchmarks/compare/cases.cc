#include "gearman/benchmarks/compare/cases.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace benchmarks {
namespace {

constexpr absl::string_view kSdk = "sdk";
constexpr absl::string_view kBare = "bare";
constexpr absl::string_view kLibgearman = "libgearman";
constexpr absl::string_view kAll[] = {kLibgearman, kBare, kSdk};
// The SDK's client as it is by default. gearmand looks each unique up in 991
// chains, which costs it more the more jobs there are.
constexpr absl::string_view kWithUniques = "sdk, random uniques";
constexpr absl::string_view kOneAtATime = "sdk, one grab at a time";
constexpr absl::string_view kCallbacks = "sdk, callbacks";
constexpr absl::string_view kMemoryKept = "sdk, memory kept";
constexpr absl::string_view kAgain = "sdk, requests again";
// The number of grabs that the bare worker keeps outstanding if so many jobs
// are in flight. The SDK's worker does so by itself when jobs are tiny.
constexpr int kManyGrabs = 128;

class Cases {
 public:
  explicit Cases(double scale) : scale_(scale) {}

  // `side`: the side of client and worker. Returns the case, which may be
  // changed.
  Case& Add(const std::string& name, absl::string_view side, Mode mode,
            double jobs) {
    Case added;
    added.name = name;
    added.label = added.client = added.worker = std::string(side);
    if (mode == Mode::kBackground || mode == Mode::kHold) added.worker = "";
    added.workload.mode = mode;
    added.workload.jobs =
        mode == Mode::kHold ? static_cast<int>(jobs) : Scaled(jobs);
    added.workload.warm_up = mode == Mode::kHold ? 0 : 200;
    // Each grab in vain costs the server two packets when the queue runs dry.
    if (side == kBare) added.workload.grabs = mode == Mode::kSync ? 1 : 8;
    cases_.push_back(std::move(added));
    return cases_.back();
  }
  // Adds the last case again, under another label.
  Case& Repeat(absl::string_view label) {
    cases_.push_back(Case(cases_.back()));
    cases_.back().label = std::string(label);
    return cases_.back();
  }
  // Jobs go in batches of `in_flight`.
  Case& Batches(const std::string& name, absl::string_view side, Mode mode,
                double jobs, int in_flight) {
    Case& added = Add(name, side, mode, jobs);
    Workload& w = added.workload;
    w.in_flight = in_flight;
    // The batches must be whole.
    w.jobs = std::max(1, w.jobs / in_flight) * in_flight;
    w.warm_up = std::max(1, 200 / in_flight) * in_flight;
    if (side == kBare) w.grabs = std::min(in_flight, kManyGrabs);
    return added;
  }
  Case& Foreground(const std::string& name, absl::string_view side, double jobs,
                   int in_flight = 1000) {
    return Batches(name, side, Mode::kForeground, jobs, in_flight);
  }
  Case& OpenLoop(const std::string& name, absl::string_view side, int rate,
                 double seconds) {
    Case& added = Add(name, side, Mode::kOpenLoop, rate * seconds);
    added.workload.rate = rate;
    added.workload.warm_up = rate / 5;
    // A job that comes while all threads are busy waits, and that counts.
    if (side == kLibgearman) added.workload.threads = 8;
    if (side == kBare && rate <= 1000) added.workload.grabs = 1;
    return added;
  }
  std::vector<Case> Take() { return std::move(cases_); }

 private:
  int Scaled(double jobs) const {
    return static_cast<int>(std::max(1.0, jobs * scale_));
  }

  const double scale_;
  std::vector<Case> cases_;
};

void AddThroughput(Cases* cases) {
  const std::string name = "foreground 16 B";
  cases->Foreground(name, kLibgearman, 15e3);
  cases->Foreground(name, kBare, 600e3);
  cases->Foreground(name, kSdk, 600e3);
  Case& uniques = cases->Foreground(name, kSdk, 600e3);
  uniques.label = std::string(kWithUniques);
  uniques.workload.uniques = 1;

  for (const int grabs : {1, 8, 32, 64, 128}) {
    const std::string with_grabs =
        absl::StrCat("foreground 16 B, grabs ", grabs);
    for (const absl::string_view side : kAll) {
      const double jobs = grabs == 1            ? 15e3
                          : side == kLibgearman ? 50e3
                          : grabs == 8          ? 100e3
                                                : 400e3;
      Case& added = cases->Foreground(with_grabs, side, jobs);
      added.workload.grabs = grabs;
      if (side != kLibgearman) continue;
      // Libgearman's own worker grabs one job at a time.
      added.label = "libgearman's client, bare worker";
      added.worker = std::string(kBare);
    }
  }

  for (const absl::string_view side : kAll) {
    cases->Batches("background 16 B", side, Mode::kBackground,
                   side == kLibgearman ? 100e3 : 500e3, 1000);
  }
  Case& queued =
      cases->Batches("background 16 B", kSdk, Mode::kBackground, 100e3, 1000);
  queued.label = std::string(kWithUniques);
  queued.workload.uniques = 1;

  for (const int in_flight : {1, 10, 100, 1000, 10000}) {
    for (const absl::string_view side : kAll) {
      const double jobs = in_flight == 1        ? 4e3
                          : side == kLibgearman ? 10e3
                          : in_flight == 10     ? 50e3
                                                : 400e3;
      cases->Foreground(absl::StrCat("in flight ", in_flight), side, jobs,
                        in_flight);
    }
  }

  struct Payload {
    int kib;
    double jobs;
    double libgearman_jobs;  // it is slow with large payloads
    int in_flight;
    int grabs;
  };
  for (const Payload& payload :
       {Payload{1, 100e3, 15e3, 1000, 128}, Payload{64, 5e3, 3e3, 100, 32},
        Payload{1024, 400, 10, 10, 8}}) {
    for (const absl::string_view side : kAll) {
      const double jobs =
          side == kLibgearman ? payload.libgearman_jobs : payload.jobs;
      Case& added =
          cases->Foreground(absl::StrCat("payload ", payload.kib, " KiB"), side,
                            jobs, payload.in_flight);
      Workload& w = added.workload;
      w.payload_bytes = payload.kib << 10;
      // Both sides grab alike, so that the handling is compared.
      if (side != kLibgearman) w.grabs = payload.grabs;
      w.warm_up = side == kLibgearman && payload.kib == 1024 ? 0 : w.in_flight;
    }
    if (payload.kib < 64) continue;
    cases->Repeat(kAgain).workload.again = 1;
    // For smaller payloads glibc's threshold does not matter, and larger ones
    // raise it themselves.
    if (payload.kib > 64) continue;
    Case& kept = cases->Repeat(kMemoryKept);
    kept.workload.keep_memory = 1;
    kept.workload.again = 0;
  }

  for (const int held : {1000, 100000, 1000000}) {
    cases->Add(absl::StrCat("held ", held), kSdk, Mode::kHold, held);
  }
}

void AddLatency(Cases* cases) {
  for (const int threads : {1, 2, 8, 64}) {
    const std::string name = absl::StrCat("synchronous, threads ", threads);
    for (const absl::string_view side : kAll) {
      const double jobs = threads <= 2 || side == kLibgearman ? 8e3 : 25e3;
      Case& added = cases->Add(name, side, Mode::kSync, jobs);
      added.workload.threads = threads;
      if (side == kBare) added.workload.grabs = std::min(threads, 8);
      added.label = side == kSdk    ? "sdk, one client"
                    : side == kBare ? "bare"
                                    : "libgearman";
      if (side == kSdk && threads > 1) {
        added.ratios.push_back({"rate", &Result::jobs_per_second,
                                "synchronous, threads 1", added.label,
                                "1 thread"});
      }
    }
  }
  for (const int rate : {1000, 20000}) {
    const std::string name = absl::StrCat("open loop, ", rate, "/s");
    const double seconds = rate == 1000 ? 2 : 1;
    // The faster rate is beyond libgearman's reach.
    if (rate == 1000) cases->OpenLoop(name, kLibgearman, rate, seconds);
    cases->OpenLoop(name, kBare, rate, seconds);
    cases->OpenLoop(name, kSdk, rate, seconds);
    Case& callbacks = cases->OpenLoop(name, kSdk, rate, seconds);
    callbacks.label = std::string(kCallbacks);
    callbacks.workload.callbacks = 1;
  }
}

void AddWorkers(Cases* cases) {
  const auto handlers = [cases](const std::string& name, absl::string_view side,
                                int concurrency, double jobs, int in_flight,
                                int busy_us, int sleep_ms) {
    Case& added = cases->Foreground(name, side, jobs, in_flight);
    Workload& w = added.workload;
    w.concurrency = concurrency;
    w.busy_us = busy_us;
    w.sleep_ms = sleep_ms;
    w.warm_up = concurrency * (sleep_ms > 0 ? 4 : 20);
    if (side != kSdk) return;
    added.label = absl::StrCat("sdk, concurrency ", concurrency);
    if (concurrency == 1) return;
    added.ratios.push_back({"rate", &Result::jobs_per_second, name,
                            "sdk, concurrency 1", "1 handler"});
  };
  const std::string busy = "handlers use 0.5 ms of CPU";
  handlers(busy, kLibgearman, 1, 1600, 200, 500, 0);
  for (const int concurrency : {1, 2, 8}) {
    handlers(busy, kSdk, concurrency, 1600, 200, 500, 0);
  }
  // A second of work each; libgearman's worker does some 12,000 jobs a second.
  for (const int us : {1, 10, 100}) {
    const std::string name = absl::StrCat("handlers use ", us, " µs of CPU");
    const int jobs = us == 1 ? 400'000 : 1'000'000 / us;
    handlers(name, kLibgearman, 1, std::min(jobs, 10'000), 200, us, 0);
    for (const int concurrency : {1, 2}) {
      handlers(name, kSdk, concurrency, jobs, 1000, us, 0);
    }
  }
  const std::string asleep = "handlers sleep 10 ms";
  handlers(asleep, kLibgearman, 1, 100, 20, 0, 10);
  for (const int concurrency : {1, 2, 8, 64}) {
    // Each handler does 20 jobs, so that the last round weighs little.
    handlers(asleep, kSdk, concurrency, 100 * concurrency, 20 * concurrency, 0,
             10);
  }

  // 100 slow jobs a second keep two of the four workers busy.
  for (const bool own_task : {false, true}) {
    const std::string name = own_task
                                 ? "mix: 1 of 10 sleeps 20 ms, as another task"
                                 : "mix: 1 of 10 sleeps 20 ms";
    for (const absl::string_view label : {kLibgearman, kOneAtATime, kSdk}) {
      const bool one_at_a_time = label == kOneAtATime;
      Case& added = cases->OpenLoop(
          name, label == kLibgearman ? kLibgearman : kSdk, 1000, 3);
      added.label = std::string(label);
      Workload& w = added.workload;
      w.workers = 4;
      w.sleep_ms = 20;
      w.slow_one_of = 10;
      w.own_task = own_task ? 1 : 0;
      if (one_at_a_time) w.grabs = 1;
      // More jobs are in progress at once than with tiny jobs alone.
      if (label == kLibgearman) w.threads = 32;
      if (label != kSdk) continue;
      added.ratios.push_back({"p99", &Result::p99_us, name,
                              std::string(kOneAtATime), "one at a time"});
      added.ratios.push_back({"tiny jobs' p99", &Result::fast_p99_us, name,
                              std::string(kOneAtATime), "one at a time"});
    }
  }
}

void AddInProcess(Cases* cases) {
  const auto add = [cases](const std::string& name, absl::string_view side,
                           Mode mode, double jobs, int in_flight) -> Case& {
    Case& added = mode == Mode::kSync
                      ? cases->Add(name, side, mode, jobs)
                      : cases->Batches(name, side, mode, jobs, in_flight);
    added.worker = "";
    return added;
  };
  const std::string tiny = "one process, 16 B";
  add(tiny, "inproc", Mode::kForeground, 600e3, 1000);
  add(tiny, "tcp", Mode::kForeground, 300e3, 1000);
  add(tiny, "tls", Mode::kForeground, 300e3, 1000)
      .ratios.push_back({"CPU", &Result::total_us, tiny, "tcp", "tcp"});

  const std::string call = "one process, synchronous";
  add(call, "two hops", Mode::kSync, 50e3, 1);
  for (const char* const side : {"inproc", "tcp"}) {
    add(call, side, Mode::kSync, 10e3, 1)
        .ratios.push_back(
            {"p50", &Result::p50_us, call, "two hops", "two condvar hops"});
  }

  const std::string large = "one process, 1024 KiB";
  for (const char* const side : {kOpenssl, "inproc", "tcp", "tls"}) {
    Case& added = add(large, side, Mode::kForeground, 300, 10);
    added.workload.payload_bytes = 1 << 20;
    added.workload.warm_up = added.workload.in_flight;
    if (added.label != "tls") continue;
    added.ratios.push_back(
        {"rate", &Result::jobs_per_second, large, kOpenssl, "openssl speed"});
    added.ratios.push_back({"CPU", &Result::total_us, large, "tcp", "tcp"});
    added.ratios.push_back({"CPU", &Result::total_us, large, "tcp",
                            "tcp and openssl speed together", kOpenssl});
    added.ratios.push_back({"rate", &Result::jobs_per_second, large, "tcp",
                            "tcp and openssl speed together", kOpenssl});
  }
}

// The embedded server beside gearmand, with the bare client and worker.
void AddServers(Cases* cases) {
  const auto both = [cases](const std::string& name, Mode mode, double jobs,
                            int in_flight, const auto& change) {
    for (const bool embedded : {false, true}) {
      Case& added = mode == Mode::kSync
                        ? cases->Add(name, kBare, mode, jobs)
                        : cases->Batches(name, kBare, mode, jobs, in_flight);
      added.embedded = embedded;
      added.label = embedded ? "embedded server" : "gearmand";
      change(&added.workload);
      if (!embedded) continue;
      for (const auto& [what, field] :
           {std::pair{"rate", &Result::jobs_per_second},
            std::pair{"server's CPU", &Result::server_us}}) {
        added.ratios.push_back({what, field, name, "gearmand", "gearmand"});
      }
    }
  };
  const auto alone = [](Workload*) {};
  both("server, foreground", Mode::kForeground, 600e3, 1000, alone);
  both("server, background", Mode::kBackground, 500e3, 1000, alone);
  both("server, synchronous", Mode::kSync, 8e3, 1, alone);
  for (const int connections : {10, 100, 1000}) {
    both(absl::StrCat("server, foreground, clients ", connections),
         Mode::kForeground, 300e3, 1000,
         [=](Workload* w) { w->connections = connections; });
  }
  for (const int idle : {1000, 10000}) {
    both(absl::StrCat("server, foreground, idle connections ", idle),
         Mode::kForeground, 300e3, 1000,
         [=](Workload* w) { w->idle_connections = idle; });
  }
  both("server, synchronous, idle connections 10000", Mode::kSync, 8e3, 1,
       [](Workload* w) { w->idle_connections = 10000; });
  for (const int functions : {1000, 10000, 100000}) {
    both(absl::StrCat("server, foreground, functions ", functions),
         Mode::kForeground, 300e3, 1000,
         [=](Workload* w) { w->functions = functions; });
  }
  for (const int queued : {100000, 1000000, 10000000}) {
    both(absl::StrCat("server, foreground, queued ", queued), Mode::kForeground,
         300e3, 1000, [=](Workload* w) { w->queued = queued; });
  }
}

void AddCounts(Cases* cases) {
  const auto counted = [](Case& added) {
    added.workload.counted = 1;
    added.workload.warm_up = 0;
  };
  for (const absl::string_view side : kAll) {
    counted(cases->Add("system calls, synchronous", side, Mode::kSync, 2e3));
  }
  for (const int threads : {2, 8, 64}) {
    Case& added =
        cases->Add(absl::StrCat("system calls, synchronous, threads ", threads),
                   kSdk, Mode::kSync, 4e3);
    added.workload.threads = threads;
    counted(added);
  }
  for (const absl::string_view side : kAll) {
    counted(cases->Foreground("system calls, foreground 16 B", side,
                              side == kLibgearman ? 3e3 : 100e3));
  }
}

}  // namespace

std::vector<Case> AllCases(double scale) {
  Cases cases(scale);
  AddThroughput(&cases);
  AddLatency(&cases);
  AddWorkers(&cases);
  AddInProcess(&cases);
  AddServers(&cases);
  AddCounts(&cases);
  return cases.Take();
}

}  // namespace benchmarks
}  // namespace gearman
