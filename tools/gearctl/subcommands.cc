#include "gearman/tools/gearctl/subcommands.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/tools/gearctl/subcommand.h"

namespace gearman {
namespace gearctl {
namespace {

constexpr size_t kAnyNumber = std::numeric_limits<size_t>::max();

std::vector<Subcommand> JobSubcommands() {
  return {
      {"submit",
       "TASK [-]",
       "submits a job, or one for each line, and prints the result",
       "The payload is --data, --file, or else standard input, which must not "
       "be a terminal unless \"-\" asks for it. Data of the job is printed as "
       "it comes; warnings and, on a terminal, progress go to standard error. "
       "After Ctrl-C or --timeout a job that a worker has goes on, and how to "
       "ask for it is said; a queued one is dropped. With --background the "
       "job's id is printed. With --lines many "
       "jobs are under way at once; each result is one line, in the order of "
       "the input, an empty one where the job failed. A result's last line "
       "feed is its line's end. A result with further line feeds counts as a "
       "failure, as a script would read several lines: --null ends payloads "
       "and results with a NUL instead, and --json takes any result.",
       {"data", "file", "background", "priority", "unique", "epoch", "reducer",
        "retries", "lines", "null"},
       "gearctl submit reverse --data hello\n"
       "gearctl submit resize --file photo.jpg > small.jpg\n"
       "gearctl submit report --data july --background --priority low\n"
       "gearctl submit report --data july --epoch +10m\n"
       "seq 1000 | gearctl submit square --lines\n"
       "find . -name '*.txt' -print0 | gearctl submit count --lines --null\n",
       1,
       2,
       RunSubmit},
      {"work",
       "TASK... -- COMMAND [ARGUMENT...]",
       "runs a command for each job",
       "The command's standard input is the payload, its standard output the "
       "result; any exit code but 0 fails the job. It finds GEARMAN_TASK, "
       "GEARMAN_HANDLE and GEARMAN_UNIQUE in its environment. A command that "
       "can't be started fails no job: gearctl gives the job back and ends. "
       "Ctrl-C lets what runs end and answers it, then exits with 0; a second "
       "one ends the commands, gives their jobs back to the server and exits "
       "with 130. SIGTERM counts as Ctrl-C. If gearctl is killed, so are the "
       "commands. With --count and --concurrency it may do a "
       "few more, which others of its threads had begun. With --control "
       "gearctl pause and resume reach this worker.",
       {"concurrency", "stream", "count", "control"},
       "gearctl work upper -- tr a-z A-Z\n"
       "gearctl work resize --concurrency 4 -- convert - -resize 50% -\n"
       "gearctl work build test --stream -- ./run-job.sh\n",
       1,
       kAnyNumber,
       RunWork,
       {"timeout", "json"}},
      {"schedule",
       "FILE",
       "submits background jobs at the times of a file",
       "FILE (-: standard input) is like a crontab, with a name before each "
       "line: NAME TIMES TASK [DATA]. TIMES is five fields (minute, hour, day "
       "of the month, month, day of the week), @hourly, @daily, @weekly, "
       "@monthly or @yearly, or @every and a time of whole seconds, such as "
       "@every 5m. DATA is the rest of the line and the job's payload. A line "
       "that begins with # is a comment. CRON_TZ=Europe/Berlin sets the time "
       "zone of the lines below it, which is UTC before. A file with a mistake "
       "submits nothing. Several gearctl schedule may run at once, on several "
       "machines: a job's unique is its name and time, so that servers join "
       "equal ones; it also chooses the server. Jobs are submitted before they "
       "are due, and stay with their servers when gearctl ends: Ctrl-C or "
       "SIGTERM end it, and it tells how many were accepted, how many were "
       "missed, and of how many this is unknown, because no server has "
       "answered "
       "yet.",
       {"next", "lead", "margin"},
       "gearctl schedule /etc/jobs.cron --next 3\n"
       "gearctl schedule /etc/jobs.cron --server a,b\n"
       "echo 'nightly 30 2 * * * report all' | gearctl schedule -\n",
       1,
       1,
       RunSchedule,
       {"timeout"}},
      {"job",
       "[HANDLE]",
       "tells the status of one job",
       "HANDLE is the job's handle, for which every server is asked, or the id "
       "that gearctl submit --background printed; or give --unique. Progress "
       "is DONE/TOTAL; a TOTAL of 0 is not known. With "
       "--watch it is asked again at each --interval until the servers no "
       "longer know the job: then it has ended, well or not. One that no "
       "server knows from the beginning is an error.",
       {"unique", "watch", "interval"},
       "gearctl job H:host:17\n"
       "gearctl job --unique report-2026 --watch\n",
       0,
       1,
       RunJob},
      {"cancel",
       "HANDLE...",
       "cancels jobs",
       "HANDLE is a job's handle or its id. A queued job fails; a running one "
       "fails for its clients and goes on for its worker. A handle that "
       "several servers know is left alone: give the id, or one --server.",
       {},
       "gearctl cancel H:host:17\n"
       "gearctl cancel 'tcp://a:4730|H:a:3|report'\n",
       1,
       kAnyNumber,
       RunCancel},
  };
}

std::vector<Subcommand> ServerSubcommands() {
  return {
      {"status",
       "[TASK...]",
       "lists tasks with their queued and running jobs and workers",
       "With --watch the table is drawn again at each --interval, with the "
       "change of each task's jobs per second, until Ctrl-C. With "
       "--priorities queued jobs are told apart by priority.",
       {"watch", "interval", "priorities"},
       "gearctl status\n"
       "gearctl status --watch --server a,b\n"
       "gearctl status --json | jq .queued\n",
       0,
       kAnyNumber,
       RunStatus},
      {"workers",
       "",
       "lists connections that do tasks, with their tasks",
       "Connections without a task (clients, mostly) are listed with --json "
       "only.",
       {},
       "gearctl workers\n"
       "gearctl workers --json\n",
       0,
       0,
       RunWorkers},
      {"jobs",
       "",
       "lists the jobs that the servers have",
       "With --uniques only their uniques: the protocol does not tell which "
       "belongs to which handle.",
       {"uniques"},
       "gearctl jobs --server a\n"
       "gearctl jobs --uniques\n",
       0,
       0,
       RunJobs},
      {"maxqueue",
       "TASK N [NORMAL LOW]",
       "limits the queue of a task; 0 takes the limit away",
       "With three numbers: of high, normal and low priority. gearmand ignores "
       "a task that it does not know, without a word.",
       {},
       "gearctl maxqueue resize 1000\n"
       "gearctl maxqueue resize 1000 500 100\n",
       2,
       4,
       RunMaxQueue},
      {"create",
       "TASK...",
       "makes servers know tasks that nobody offers yet",
       "",
       {},
       "gearctl create resize\n",
       1,
       kAnyNumber,
       RunCreate},
      {"drop",
       "TASK...",
       "makes servers forget tasks without workers or running jobs",
       "gearmand never runs jobs of it that were queued.",
       {},
       "gearctl drop resize\n",
       1,
       kAnyNumber,
       RunDrop},
      {"pause",
       "CONTROL [TASK...]",
       "makes a worker begin no more jobs of tasks",
       "CONTROL is the task over which the worker takes orders: what it was "
       "started with as work --control, worker.control_task in a config, or "
       "WorkerOptions::control_task. Each worker has a name of its own, and an "
       "order reaches one worker. Other workers get the jobs of the tasks, and "
       "jobs that run go on. Prints the worker's paused tasks, one a line; "
       "without TASK it only asks. A worker has --timeout (10s unless given) "
       "to take an order.",
       {},
       "gearctl pause control/host-1 resize\n"
       "gearctl pause control/host-1\n",
       1,
       kAnyNumber,
       RunPause},
      {"resume",
       "CONTROL TASK...",
       "lets a worker go on with tasks that were paused",
       "CONTROL is as with pause. Prints the tasks that are still paused, one "
       "a line.",
       {},
       "gearctl resume control/host-1 resize\n",
       2,
       kAnyNumber,
       RunResume},
      {"ping",
       "",
       "sends an echo to each server and prints how long it took",
       "",
       {"count", "interval"},
       "gearctl ping\n"
       "gearctl ping --server a,b --count 3\n",
       0,
       0,
       RunPing},
      {"health",
       "",
       "asks each server by an echo; fails unless all answer",
       "",
       {},
       "gearctl health --server a,b && echo fine\n",
       0,
       0,
       RunHealth},
      {"export",
       "",
       "serves the servers' queues as metrics to Prometheus",
       "Asks every server for its tasks at each --interval (15s unless given "
       "here or in the config's queue_metrics) and prints the URL at which the "
       "answers are: gearman_jobs, gearman_jobs_running, gearman_workers and "
       "gearman_server_up. Listens on 127.0.0.1:9464 unless --listen names "
       "another address; a port alone means all interfaces. Everybody who "
       "reaches the port can read the metrics. A server has --timeout to "
       "answer (2s unless given here or in the config), and inf is refused, "
       "because a hung server would hold up the metrics of the others. Ctrl-C "
       "or SIGTERM end it.",
       {"listen", "interval"},
       "gearctl export --server a,b,c\n"
       "gearctl export --listen 9464 --config jobs.textproto\n"
       "gearctl export --listen 127.0.0.1:0 --interval 5s\n",
       0,
       0,
       RunExport},
      {"version",
       "",
       "lists the servers' versions, processes and log levels",
       "gearctl --version prints its own.",
       {},
       "gearctl version --server a,b\n",
       0,
       0,
       RunVersion},
      {"shutdown",
       "",
       "ends the servers",
       "gearmand does not know the command: the error names the signal to send "
       "instead.",
       {"graceful"},
       "gearctl shutdown --graceful --server localhost\n",
       0,
       0,
       RunShutdown},
  };
}

std::vector<Subcommand> ToolSubcommands() {
  return {
      {"server",
       "",
       "runs the embedded job server, for development",
       "It keeps its jobs in memory only; for anything that matters run "
       "gearmand. Prints the addresses that it listens on: those of --listen, "
       "else those of --config, else localhost:4730. Ctrl-C ends it.",
       {"listen"},
       "gearctl server\n"
       "gearctl server --listen localhost:0 --json\n",
       0,
       0,
       RunServer,
       {"server", "timeout", "verbose"}},
      {"bench",
       "[TASK]",
       "measures jobs per second and latencies",
       "Without TASK it runs workers of its own, which give each payload back. "
       "Keeps --in-flight jobs under way until --jobs have been done, or for "
       "--duration. With --rate jobs are submitted at fixed times instead, "
       "whatever becomes of the others, and a latency counts from the time "
       "at which its job was due, so that waiting is not left out. "
       "With --background a latency is the time until the server accepted.",
       {"jobs", "duration", "in_flight", "rate", "size", "background",
        "workers", "svg"},
       "gearctl bench\n"
       "gearctl bench --jobs 100000 --in-flight 1000\n"
       "gearctl bench --rate 5000 --duration 30s --svg latencies.svg\n"
       "gearctl bench resize --size 65536 --jobs 500\n",
       0,
       1,
       RunBench},
      {"completion",
       "bash|zsh",
       "prints a script that completes gearctl's command line",
       "",
       {},
       "source <(gearctl completion bash)\n"
       "gearctl completion zsh > \"${fpath[1]}/_gearctl\"\n",
       1,
       1,
       RunCompletion,
       {"server", "config", "json", "timeout", "verbose"}},
      {"man",
       "",
       "prints the man page",
       "",
       {},
       "gearctl man | man -l -\n"
       "gearctl man > /usr/local/share/man/man1/gearctl.1\n",
       0,
       0,
       RunMan,
       {"server", "config", "json", "timeout", "verbose"}},
  };
}

}  // namespace

const std::vector<Subcommand>& Subcommands() {
  static const std::vector<Subcommand>& subcommands = *[] {
    auto* const all = new std::vector<Subcommand>();
    for (const auto& part :
         {JobSubcommands(), ServerSubcommands(), ToolSubcommands()}) {
      all->insert(all->end(), part.begin(), part.end());
    }
    return all;
  }();
  return subcommands;
}

const Subcommand* FindSubcommand(absl::string_view name) {
  const std::vector<Subcommand>& all = Subcommands();
  const auto found = std::find_if(
      all.begin(), all.end(),
      [name](const Subcommand& subcommand) { return subcommand.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace gearctl
}  // namespace gearman
