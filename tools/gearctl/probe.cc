// gearctl ping and health tell whether servers answer, and how fast.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/config.h"
#include "gearman/text/safe_text.h"
#include "gearman/tools/gearctl/connect.h"
#include "gearman/tools/gearctl/flags.h"
#include "gearman/tools/gearctl/output.h"
#include "gearman/tools/gearctl/signals.h"
#include "gearman/tools/gearctl/subcommands.h"

namespace gearman {
namespace gearctl {
namespace {

std::string Microseconds(absl::Duration duration) {
  return absl::FormatDuration(absl::Trunc(duration, absl::Microseconds(1)));
}

ExitCode Ping(Client& client, const std::string& server) {
  absl::StatusOr<EchoReply> reply =
      client.Echo("ping", server, QuestionTimeout());
  if (!reply.ok()) return Report(NamingServer(reply.status(), server));
  if (!absl::GetFlag(FLAGS_json)) {
    return Print(absl::StrCat(reply->server, " answered in ",
                              Microseconds(reply->round_trip_time), "\n"));
  }
  JsonObject object;
  object.Set("server", reply->server);
  object.SetNumber("round_trip_us",
                   absl::ToDoubleMicroseconds(reply->round_trip_time));
  return Print(object.ToLine());
}

std::string JsonOf(const ServerHealth& server) {
  JsonObject object;
  object.Set("server", server.server);
  object.Set("state", ServerStateName(server.state));
  if (server.state == ServerState::kUp) {
    object.SetNumber("round_trip_us",
                     absl::ToDoubleMicroseconds(server.round_trip_time));
  } else {
    object.Set("error", server.last_error.message());
  }
  return object.ToLine();
}

}  // namespace

ExitCode RunPing(const Arguments& /*arguments*/) {
  absl::StatusOr<std::unique_ptr<Client>> client = MakeAskingClient();
  if (!client.ok()) return Report(client.status());
  Signals signals;
  ExitCode code = kSuccess;
  for (int64_t round = 1;; ++round) {
    {
      const EndAtSignal ending(signals, kInterrupted);
      for (const std::string& server : (*client)->servers()) {
        const ExitCode answer = Ping(**client, server);
        if (answer != kSuccess) code = answer;
      }
    }
    if (round >= absl::GetFlag(FLAGS_count).value() || code == kClosedOutput) {
      return code;
    }
    if (!signals.Sleep(absl::GetFlag(FLAGS_interval).duration()))
      return kInterrupted;
  }
}

ExitCode RunHealth(const Arguments& /*arguments*/) {
  absl::StatusOr<std::unique_ptr<Client>> client = MakeAskingClient();
  if (!client.ok()) return Report(client.status());
  const Health health = (*client)->CheckHealth(QuestionTimeout());
  Table table({"SERVER", "STATE", "ROUND TRIP", "WHY"});
  std::string json;
  for (const ServerHealth& server : health.servers) {
    json += JsonOf(server);
    const bool up = server.state == ServerState::kUp;
    table.AddRow({server.server, std::string(ServerStateName(server.state)),
                  up ? Microseconds(server.round_trip_time) : "-",
                  // The message is safe text already, and the table makes it so
                  // again.
                  FromSafeText(server.last_error.message())});
  }
  const ExitCode printed =
      Print(absl::GetFlag(FLAGS_json) ? json : table.ToString());
  if (printed != kSuccess) return printed;
  return health.state == HealthState::kReady ? kSuccess : kUnreachable;
}

}  // namespace gearctl
}  // namespace gearman
