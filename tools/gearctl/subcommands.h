// The table of gearctl's subcommands.
#ifndef GEARMAN_TOOLS_GEARCTL_SUBCOMMANDS_H_
#define GEARMAN_TOOLS_GEARCTL_SUBCOMMANDS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/tools/gearctl/subcommand.h"

namespace gearman {
namespace gearctl {

// All subcommands, in the order of help.
const std::vector<Subcommand>& Subcommands();
// Returns null if there is none of that name.
const Subcommand* FindSubcommand(absl::string_view name);

// The actions of the table. Each returns the program's exit code.
ExitCode RunSubmit(const Arguments& arguments);      // submit.cc
ExitCode RunWork(const Arguments& arguments);        // work.cc
ExitCode RunSchedule(const Arguments& arguments);    // schedule.cc
ExitCode RunStatus(const Arguments& arguments);      // status.cc
ExitCode RunWorkers(const Arguments& arguments);     // lists.cc
ExitCode RunJobs(const Arguments& arguments);        // lists.cc
ExitCode RunVersion(const Arguments& arguments);     // lists.cc
ExitCode RunJob(const Arguments& arguments);         // job.cc
ExitCode RunCancel(const Arguments& arguments);      // steering.cc
ExitCode RunMaxQueue(const Arguments& arguments);    // steering.cc
ExitCode RunCreate(const Arguments& arguments);      // steering.cc
ExitCode RunDrop(const Arguments& arguments);        // steering.cc
ExitCode RunPause(const Arguments& arguments);       // pause.cc
ExitCode RunResume(const Arguments& arguments);      // pause.cc
ExitCode RunShutdown(const Arguments& arguments);    // steering.cc
ExitCode RunPing(const Arguments& arguments);        // probe.cc
ExitCode RunHealth(const Arguments& arguments);      // probe.cc
ExitCode RunExport(const Arguments& arguments);      // export.cc
ExitCode RunServer(const Arguments& arguments);      // server.cc
ExitCode RunBench(const Arguments& arguments);       // bench.cc
ExitCode RunCompletion(const Arguments& arguments);  // documents.cc
ExitCode RunMan(const Arguments& arguments);         // documents.cc

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_SUBCOMMANDS_H_
