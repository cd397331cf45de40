// gearctl cancel, maxqueue, create, drop and shutdown change a server.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/failures.h"
#include "gearman/tools/gearctl/find_job.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/subcommands.h"

namespace gearman {
namespace gearctl {
namespace {

// Lets every server do it, even if others fail. The last failure decides the
// exit code.
ExitCode SteerAll(const std::function<absl::Status(AdminClient&)>& steer) {
  absl::StatusOr<std::vector<std::unique_ptr<AdminClient>>> servers =
      MakeAdminClients();
  if (!servers.ok()) return Report(servers.status());
  ExitCode code = kSuccess;
  for (const auto& server : *servers) {
    const absl::Status status = steer(*server);
    if (!status.ok()) code = Report(NamingServer(status, server->server()));
  }
  return code;
}

absl::Status Cancel(Client& client, const std::string& name) {
  absl::StatusOr<JobId> id = FindJob(client, name, WhenUnanswered::kRefuse);
  if (!id.ok()) return id.status();
  if (id->handle.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " has no handle, by which jobs are cancelled"));
  }
  absl::StatusOr<std::unique_ptr<AdminClient>> admin =
      MakeAdminClient(id->server);
  if (!admin.ok()) return admin.status();
  return NamingServer((*admin)->CancelJob(id->handle), (*admin)->server());
}

ExitCode SteerTasks(
    const Arguments& arguments,
    const std::function<absl::Status(AdminClient&, const std::string&)>&
        steer) {
  return SteerAll([&](AdminClient& server) {
    Failures failures;
    for (size_t i = 0; i < arguments.words.size(); ++i) {
      const std::string& task = arguments.words[i];
      const absl::Status status = steer(server, task);
      failures.Add(absl::StrCat("task \"", task, "\""), status);
      // Each further task would wait equally long for such a server.
      if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
        for (++i; i < arguments.words.size(); ++i) {
          failures.Add(absl::StrCat("task \"", arguments.words[i], "\""),
                       status);
        }
      }
    }
    return failures.ToStatus();
  });
}

}  // namespace

ExitCode RunCancel(const Arguments& arguments) {
  absl::StatusOr<std::unique_ptr<Client>> client = MakeAskingClient();
  if (!client.ok()) return Report(client.status());
  Failures failures;
  for (const std::string& name : arguments.words) {
    failures.Add(absl::StrCat("job ", name), Cancel(**client, name));
  }
  return Report(failures.ToStatus());
}

ExitCode RunMaxQueue(const Arguments& arguments) {
  std::vector<uint32_t> numbers;
  for (size_t i = 1; i < arguments.words.size(); ++i) {
    uint32_t number;
    if (!absl::SimpleAtoi(arguments.words[i], &number)) {
      return Report(absl::InvalidArgumentError(
          absl::StrCat("\"", arguments.words[i], "\" is no number of jobs")));
    }
    numbers.push_back(number);
  }
  if (numbers.size() == 2) {
    return Report(absl::InvalidArgumentError(
        "one number, or three: of high, normal and low priority"));
  }
  return SteerAll([&](AdminClient& server) {
    const std::string& task = arguments.words[0];
    return numbers.size() == 1
               ? server.SetMaxQueue(task, numbers[0])
               : server.SetMaxQueue(task, numbers[0], numbers[1], numbers[2]);
  });
}

ExitCode RunCreate(const Arguments& arguments) {
  return SteerTasks(arguments,
                    [](AdminClient& server, const std::string& task) {
                      return server.CreateFunction(task);
                    });
}

ExitCode RunDrop(const Arguments& arguments) {
  return SteerTasks(arguments,
                    [](AdminClient& server, const std::string& task) {
                      return server.DropFunction(task).status();
                    });
}

ExitCode RunShutdown(const Arguments& /*arguments*/) {
  return SteerAll([](AdminClient& server) {
    return server.Shutdown(absl::GetFlag(FLAGS_graceful));
  });
}

}  // namespace gearctl
}  // namespace gearman
