// Subcommands: the table of what gearctl can do.
#ifndef GEARMAN_TOOLS_GEARCTL_SUBCOMMANDS_H_
#define GEARMAN_TOOLS_GEARCTL_SUBCOMMANDS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "gearman/tools/gearctl/subcommand.h"

namespace gearman {
namespace gearctl {

// All of them, in the order of help.
const std::vector<Subcommand>& Subcommands();
// Null: there is none of that name.
const Subcommand* FindSubcommand(absl::string_view name);

// What the table names. Each returns the program's exit code.
ExitCode RunSubmit(const Arguments& arguments);      // submit.cc
ExitCode RunWork(const Arguments& arguments);        // work.cc
ExitCode RunStatus(const Arguments& arguments);      // status.cc
ExitCode RunWorkers(const Arguments& arguments);     // lists.cc
ExitCode RunJobs(const Arguments& arguments);        // lists.cc
ExitCode RunVersion(const Arguments& arguments);     // lists.cc
ExitCode RunJob(const Arguments& arguments);         // job.cc
ExitCode RunCancel(const Arguments& arguments);      // steering.cc
ExitCode RunMaxQueue(const Arguments& arguments);    // steering.cc
ExitCode RunCreate(const Arguments& arguments);      // steering.cc
ExitCode RunDrop(const Arguments& arguments);        // steering.cc
ExitCode RunShutdown(const Arguments& arguments);    // steering.cc
ExitCode RunPing(const Arguments& arguments);        // probe.cc
ExitCode RunHealth(const Arguments& arguments);      // probe.cc
ExitCode RunServer(const Arguments& arguments);      // server.cc
ExitCode RunBench(const Arguments& arguments);       // bench.cc
ExitCode RunCompletion(const Arguments& arguments);  // documents.cc
ExitCode RunMan(const Arguments& arguments);         // documents.cc

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_SUBCOMMANDS_H_
