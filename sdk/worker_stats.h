// WorkerStats: what a worker has done so far, and what it holds now. It is a
// plain value. Each number is right, but not all belong to the same moment.
#ifndef GEARMAN_SDK_WORKER_STATS_H_
#define GEARMAN_SDK_WORKER_STATS_H_

#include <cstdint>

#include "gearman/base/cpp17.h"

namespace gearman {

struct WorkerStats {
  // Jobs received, and jobs by their end (JobOutcome). Each job ends once.
  uint64_t jobs_assigned = 0;
  uint64_t jobs_complete = 0;
  uint64_t jobs_failed = 0;
  uint64_t jobs_exception = 0;
  uint64_t jobs_timed_out = 0;
  uint64_t jobs_lost = 0;
  // The part of jobs_failed that are pending jobs dropped without an answer.
  uint64_t jobs_forgotten = 0;
  // The part of jobs_lost that was given back to the servers by closing the
  // connections, because of Stop, the limit of Drain, a paused task or
  // PendingJob::GiveBack.
  uint64_t jobs_given_back = 0;
  // Answers that came after the job had ended, and were dropped.
  uint64_t late_results = 0;
  // Answers that servers refused with JOB_NOT_FOUND, because they had given the
  // job to another worker.
  uint64_t answers_refused = 0;
  // WORK_DATA, WORK_WARNING and WORK_STATUS packets sent.
  uint64_t updates_sent = 0;

  // Grabs sent (GRAB_JOB_ALL or an older one), and the two kinds of answers to
  // them: a JOB_ASSIGN of any kind, and NO_JOB.
  uint64_t grabs_sent = 0;
  uint64_t grabs_job = 0;
  uint64_t grabs_no_job = 0;
  // The reasons why a sleeping connection asked for jobs again: a NOOP, the
  // time (WorkerOptions::regrab_interval), or another task.
  uint64_t wakeups_noop = 0;
  uint64_t wakeups_regrab = 0;
  uint64_t wakeups_registered = 0;
  // PRE_SLEEPs delayed because a server kept waking the worker in vain.
  uint64_t vain_pauses = 0;

  // Connections made, connections lost, and attempts to connect that failed.
  uint64_t connects = 0;
  uint64_t connections_lost = 0;
  uint64_t connect_failures = 0;
  // ECHO_REQs sent to idle servers.
  uint64_t heartbeats = 0;
  // Waits for I/O, and writes that moved bytes.
  uint64_t polls = 0;
  uint64_t writes = 0;

  // The state now: jobs that a handler is working on, including pending ones;
  // jobs received that have not begun; those of them that wait because their
  // task is paused or at a limit of its own; grabs without an answer;
  // connections that are up.
  uint64_t jobs_running = 0;
  uint64_t jobs_waiting = 0;
  uint64_t jobs_held_back = 0;
  uint64_t grabs_outstanding = 0;
  uint64_t servers_connected = 0;
};

}  // namespace gearman

#endif  // GEARMAN_SDK_WORKER_STATS_H_
