// Scheduler: submits a background job at each time of a schedule.
//
//   gearman::SchedulerOptions options;
//   options.client.servers = {"jobs-1"};
//   auto scheduler = gearman::Scheduler::Create(std::move(options));
//   gearman::Schedule nightly;
//   nightly.name = "nightly-report";
//   nightly.cron = "30 2 * * *";
//   nightly.task = "report";
//   (*scheduler)->Add(nightly).IgnoreError();
//   absl::Status status = (*scheduler)->Start();
//
// Several schedulers with equal schedules may run at once, on several machines.
// Each tick then makes one job, for this reason: a scheduler submits a tick
// some time before it is due (SUBMIT_JOB_EPOCH), under a unique that is made of
// the schedule's name and the tick's time. The server keeps the job until its
// time and joins the submissions of the other schedulers to it. This has two
// conditions: all schedulers reach the same server for a tick, and their clocks
// are not further apart than SchedulerOptions::margin. With several servers the
// unique chooses the server, and while that server is down another one is
// chosen. So if a server goes down or comes back between the submissions of two
// schedulers, the tick is done twice. A server that loses its queue loses the
// ticks in it.
//
// A server runs the jobs of a tick when a worker asks for them
// (docs/protocol.md, section "Worker semantics"). The embedded server wakes a
// sleeping worker at the job's time. gearmand 1.1 wakes nobody then, so a
// sleeping worker of this SDK begins such a job up to
// WorkerOptions::regrab_interval later.
#ifndef GEARMAN_SDK_SCHEDULER_H_
#define GEARMAN_SDK_SCHEDULER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/base/callback.h"
#include "gearman/base/duration.h"
#include "gearman/base/string_view.h"
#include "gearman/sdk/client_options.h"

namespace gearman {

// The times and the job of one schedule, as a plain value.
struct Schedule {
  // The name that all schedulers of the fleet give this schedule; at most
  // Scheduler::kMaxNameBytes bytes, no control character.
  std::string name;

  // The times of the ticks. Exactly one of the two must be set.
  //
  // A crontab line, in `time_zone`: minute (0-59), hour (0-23), day of the
  // month (1-31), month (1-12 or "jan"), day of the week (0-7, where 0 and 7
  // are Sunday, or "sun"). A field is "*", a number, a range "a-b", or several
  // of them with commas; "/n" after "*" or a range takes each n-th. If both
  // days are restricted, either may fit. "@hourly", "@daily", "@weekly",
  // "@monthly" and "@yearly" also are lines. Where clocks are set forward, a
  // time that is left out happens at the change. Where they are set back, some
  // times come twice. A tick at such a time happens the first time only. If the
  // hour is "*", ticks go by the hours that really pass: a time that comes
  // twice has two ticks, and one that is left out has none.
  std::string cron;
  absl::TimeZone time_zone = absl::UTCTimeZone();
  // The distance of the ticks, in whole seconds. Ticks lie at multiples of it
  // since 1970, so that all schedulers agree on them.
  Duration every;

  // The job of a tick. If `data_of` is set, it makes the data of the tick at
  // this time; otherwise each tick has `data`. If several schedulers submit a
  // tick, the data of the first one counts.
  std::string task;
  std::string data;
  Callback<std::string(absl::Time tick)> data_of;
};

// The settings of a Scheduler.
struct SchedulerOptions {
  // The options of the scheduler's own client. If `server_selector` is null,
  // the unique chooses the server (`unique_hash`), so that all schedulers
  // choose the same one. If `idempotency_policy` is null, it is `standard`: a
  // submission whose outcome is unknown is repeated on its server, which joins
  // it.
  ClientOptions client;
  // How long before its time a tick is submitted.
  Duration lead = absl::Minutes(1);
  // A tick is missed if it could not be submitted this long before its time:
  // another scheduler's job of the tick may be done already. The margin must be
  // at least the distance of the schedulers' clocks, and less than `lead`.
  Duration margin = absl::Seconds(10);
};

// The ticks of a scheduler so far.
struct SchedulerStats {
  uint64_t accepted = 0;  // by a server
  // Ticks that were not submitted in time, because the program slept or had no
  // server. If the program sleeps through several ticks of one schedule, these
  // count as one.
  uint64_t missed = 0;
  // Ticks that were submitted and whose outcome is not known yet. A server that
  // does not answer may have accepted them.
  uint64_t unknown = 0;
};

// Threads: any thread may call any function. After Start one thread of the
// scheduler's own submits; otherwise the thread that calls RunOnce does.
// `data_of` and the logger are called there, with no lock held. They should not
// destroy the scheduler: if they do, the log gets an error, and the scheduler
// ends when that call has returned. If `data_of` throws, its tick is missed.
//
// In a child made by fork the scheduler does nothing, and its functions return
// FAILED_PRECONDITION.
class Scheduler {
 public:
  // The most bytes of the name of a schedule.
  static constexpr size_t kMaxNameBytes = 40;

  // Returns the errors of Client::Create, and INVALID_ARGUMENT for a lead or
  // margin that can't be right.
  static absl::StatusOr<std::unique_ptr<Scheduler>> Create(
      SchedulerOptions options);
  // Stops the thread. Jobs that were submitted stay with their servers.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Adds a schedule. Its first tick is the first one that can still be
  // submitted in time. Returns INVALID_ARGUMENT for a name, task, cron line or
  // distance that can't be right, and ALREADY_EXISTS for a name that is taken.
  absl::Status Add(Schedule schedule);
  // Removes a schedule. A tick that has been submitted stays with its server.
  // Returns NOT_FOUND if there is none of this name.
  absl::Status Remove(StringView name);
  // The next tick of one schedule.
  struct NextTick {
    std::string name;  // of the schedule
    absl::Time time;   // of the tick
  };
  // Returns the next tick of each schedule, sorted by name. Any thread may call
  // it.
  std::vector<NextTick> next_ticks() const;

  // Starts a thread that submits. Returns RESOURCE_EXHAUSTED if the system
  // refuses the thread, and FAILED_PRECONDITION if it runs already or if the
  // client has another DriveMode than kAuto.
  absl::Status Start();
  // Submits the ticks that are due, and does one pass of the client's I/O,
  // until `deadline` at the latest. This is for programs with an event loop of
  // their own and for the simulation. Returns the time by which to call it
  // again. Does nothing after Start.
  absl::Time RunOnce(absl::Time deadline);

  // Returns the counts so far. Any thread may call it.
  SchedulerStats stats() const;

 private:
  class Core;

  explicit Scheduler(std::shared_ptr<Core> core);

  // Only the destructor moves the core out.
  std::shared_ptr<Core> core_;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_SCHEDULER_H_
