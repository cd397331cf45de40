#include "gearman/sdk/admin_client.h"

#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/admin/reply_decoder.h"
#include "gearman/process/process_mark.h"
#include "gearman/sdk/admin/list_reply.h"
#include "gearman/sdk/internal/admin/admin_link.h"
#include "gearman/sdk/internal/admin/admin_session.h"
#include "gearman/sdk/internal/call_scope.h"
#include "gearman/sdk/internal/net/server_list.h"
#include "gearman/text/safe_text.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/transport_registry.h"

namespace gearman {
namespace {

using admin::LineReply;
using admin::Reply;
using internal::AdminLink;
using internal::AdminSession;
using internal::CallScope;
using internal::RefusedError;
using internal::VisitRows;

// Visits the rows of a list. AdminClient describes the errors and `unreadable`.
template <typename Row>
absl::Status VisitList(AdminSession& session, const admin::Command& command,
                       absl::string_view name,
                       absl::StatusOr<Row> (*parse)(absl::string_view),
                       absl::FunctionRef<void(Row&&)> visit,
                       UnreadableRows* unreadable) {
  const CallScope call(&session);
  absl::StatusOr<Reply> reply = session.Call(command, /*is_question=*/true);
  if (!reply.ok()) return reply.status();
  UnreadableRows bad;
  absl::Status status =
      VisitRows<Row>(session.server(), name, *reply, parse, visit, &bad);
  if (!status.ok()) return status;
  if (unreadable != nullptr) {
    *unreadable = std::move(bad);
  } else if (bad.count > 0) {
    session.logger().Log(LogLevel::kWarning, Describe(session.server(), bad));
  }
  return absl::OkStatus();
}

template <typename Row>
absl::StatusOr<std::vector<Row>> AskList(
    AdminSession& session, const admin::Command& command,
    absl::string_view name, absl::StatusOr<Row> (*parse)(absl::string_view),
    UnreadableRows* unreadable) {
  std::vector<Row> rows;
  absl::Status status = VisitList<Row>(
      session, command, name, parse,
      [&rows](Row&& row) { rows.push_back(std::move(row)); }, unreadable);
  if (!status.ok()) return status;
  return rows;
}

absl::StatusOr<std::string> ParseUnique(absl::string_view line) {
  return std::string(line);
}

// Returns the text of a one-line reply.
absl::StatusOr<std::string> CallForLine(AdminSession& session,
                                        const admin::Command& command,
                                        absl::string_view name,
                                        bool is_question) {
  const CallScope call(&session);
  absl::StatusOr<Reply> reply = session.Call(command, is_question);
  if (!reply.ok()) return reply.status();
  LineReply line =
      admin::ParseLineReply(reply->lines.empty() ? "" : reply->lines.front());
  if (line.kind == LineReply::Kind::kError) {
    return RefusedError(session.server(), name, line);
  }
  return std::move(line.text);
}

absl::StatusOr<int64_t> AskPid(AdminSession& session) {
  const CallScope call(&session);
  const absl::StatusOr<std::string> text =
      CallForLine(session, admin::GetPid(), "getpid", /*is_question=*/true);
  if (!text.ok()) return text.status();
  int64_t pid = 0;
  if (!absl::SimpleAtoi(*text, &pid)) {
    return absl::DataLossError(absl::StrCat(
        session.server(), ": the answer to \"getpid\" is no number: \"",
        SafeText(*text), "\""));
  }
  return pid;
}

}  // namespace

std::string Describe(StringView server, const UnreadableRows& unreadable) {
  return absl::StrCat(server, ": ", unreadable.count,
                      unreadable.count == 1 ? " row" : " rows",
                      " of its list can't be read, as if a name held a line "
                      "end; the first one: \"",
                      unreadable.first, "\"");
}

absl::StatusOr<std::unique_ptr<AdminClient>> AdminClient::Create(
    AdminClientOptions options) {
  if (options.timeout <= absl::ZeroDuration() || options.max_reply_bytes == 0 ||
      options.max_reply_lines == 0) {
    return absl::InvalidArgumentError(
        "AdminClientOptions: timeout, max_reply_bytes and max_reply_lines must "
        "be more than zero");
  }
  AdminLink::Options link;
  link.limits.max_reply_bytes = options.max_reply_bytes;
  link.limits.max_reply_lines = options.max_reply_lines;
  link.limits.one_at_a_time = true;
  link.logger = std::move(options.logger);
  link.transports = options.transports != nullptr
                        ? std::move(options.transports)
                        : TransportRegistry::Default();
  absl::StatusOr<std::vector<Address>> servers = internal::ParseServers(
      options.server.empty() ? std::vector<std::string>()
                             : std::vector<std::string>{options.server},
      "AdminClientOptions", *link.transports);
  if (!servers.ok()) return servers.status();
  link.server = std::move(servers->front());
  std::shared_ptr<Poller> poller = std::move(options.poller);
  if (poller == nullptr) {
    absl::StatusOr<std::unique_ptr<EpollPoller>> made = EpollPoller::Create();
    if (!made.ok()) return made.status();
    poller = *std::move(made);
  }
  return std::unique_ptr<AdminClient>(
      new AdminClient(std::shared_ptr<AdminSession>(
          new AdminSession(std::move(link), std::move(poller), options.timeout),
          DeleteInOwnProcess<AdminSession>())));
}

AdminClient::AdminClient(std::shared_ptr<AdminSession> session)
    : session_(std::move(session)) {}

AdminClient::~AdminClient() {
  AdminSession& session = *session_;
  if (session.inherited() || !CallScope::IsInside(&session)) return;
  session.EndLater(std::move(session_));
}

const std::string& AdminClient::server() const { return session_->server(); }

void AdminClient::Cancel() {
  if (!session_->inherited()) session_->Cancel();
}

absl::StatusOr<std::vector<FunctionStatus>> AdminClient::GetStatus(
    UnreadableRows* unreadable) {
  return AskList<FunctionStatus>(*session_, admin::ShowStatus(), "status",
                                 admin::ParseStatusRow, unreadable);
}

absl::StatusOr<std::vector<FunctionPriorityStatus>>
AdminClient::GetPriorityStatus(UnreadableRows* unreadable) {
  return AskList<FunctionPriorityStatus>(
      *session_, admin::ShowPriorityStatus(), "prioritystatus",
      admin::ParsePriorityStatusRow, unreadable);
}

absl::StatusOr<std::vector<ConnectedWorker>> AdminClient::GetWorkers(
    UnreadableRows* unreadable) {
  return AskList<ConnectedWorker>(*session_, admin::ShowWorkers(), "workers",
                                  admin::ParseWorkerRow, unreadable);
}

absl::StatusOr<std::vector<ServerJob>> AdminClient::GetJobs(
    UnreadableRows* unreadable) {
  return AskList<ServerJob>(*session_, admin::ShowJobs(), "show jobs",
                            admin::ParseJobRow, unreadable);
}

absl::StatusOr<std::vector<std::string>> AdminClient::GetUniqueJobs() {
  return AskList<std::string>(*session_, admin::ShowUniqueJobs(),
                              "show unique jobs", ParseUnique, nullptr);
}

absl::Status AdminClient::VisitStatus(
    absl::FunctionRef<void(FunctionStatus&&)> visit,
    UnreadableRows* unreadable) {
  return VisitList<FunctionStatus>(*session_, admin::ShowStatus(), "status",
                                   admin::ParseStatusRow, visit, unreadable);
}

absl::Status AdminClient::VisitWorkers(
    absl::FunctionRef<void(ConnectedWorker&&)> visit,
    UnreadableRows* unreadable) {
  return VisitList<ConnectedWorker>(*session_, admin::ShowWorkers(), "workers",
                                    admin::ParseWorkerRow, visit, unreadable);
}

absl::Status AdminClient::VisitJobs(absl::FunctionRef<void(ServerJob&&)> visit,
                                    UnreadableRows* unreadable) {
  return VisitList<ServerJob>(*session_, admin::ShowJobs(), "show jobs",
                              admin::ParseJobRow, visit, unreadable);
}

absl::Status AdminClient::VisitUniqueJobs(
    absl::FunctionRef<void(std::string&&)> visit) {
  return VisitList<std::string>(*session_, admin::ShowUniqueJobs(),
                                "show unique jobs", ParseUnique, visit,
                                nullptr);
}

absl::StatusOr<std::string> AdminClient::GetVersion() {
  return CallForLine(*session_, admin::GetVersion(), "version",
                     /*is_question=*/true);
}

absl::StatusOr<int64_t> AdminClient::GetPid() { return AskPid(*session_); }

absl::StatusOr<std::string> AdminClient::GetVerbosity() {
  return CallForLine(*session_, admin::GetVerbosity(), "verbose",
                     /*is_question=*/true);
}

absl::Status AdminClient::SetMaxQueue(StringView function, uint32_t jobs) {
  return SetMaxQueue(function, jobs, jobs, jobs);
}

absl::Status AdminClient::SetMaxQueue(StringView function, uint32_t high,
                                      uint32_t normal, uint32_t low) {
  return CallForLine(*session_, admin::MaxQueue{function, high, normal, low},
                     "maxqueue", /*is_question=*/false)
      .status();
}

absl::Status AdminClient::CreateFunction(StringView function) {
  return CallForLine(*session_, admin::CreateFunction{function},
                     "create function", /*is_question=*/false)
      .status();
}

absl::StatusOr<int> AdminClient::DropFunction(StringView function) {
  // User code may destroy this object meanwhile. The session lives as long as
  // `call`, so only `session` is used.
  AdminSession& session = *session_;
  const CallScope call(&session);
  absl::StatusOr<Reply> reply =
      session.Call(admin::DropFunction{function}, /*is_question=*/false);
  if (!reply.ok()) return reply.status();
  int dropped = 0;
  for (const absl::string_view line : reply->lines) {
    const LineReply answer = admin::ParseLineReply(line);
    if (answer.kind == LineReply::Kind::kError) {
      return RefusedError(session.server(), "drop function", answer);
    }
    ++dropped;
  }
  return dropped;
}

absl::Status AdminClient::CancelJob(StringView handle) {
  return CallForLine(*session_, admin::CancelJob{handle}, "cancel job",
                     /*is_question=*/false)
      .status();
}

absl::Status AdminClient::Shutdown(bool graceful) {
  const CallScope call(session_.get());
  AdminSession& session = *session_;
  absl::Status status = CallForLine(session, admin::Shutdown{graceful},
                                    "shutdown", /*is_question=*/false)
                            .status();
  if (!absl::IsUnimplemented(status)) return status;
  const absl::StatusOr<int64_t> pid = AskPid(session);
  return absl::UnimplementedError(absl::StrCat(
      status.message(), "; send ", graceful ? "SIGUSR1" : "SIGTERM",
      pid.ok() ? absl::StrCat(" to its process ", *pid) : " to its process",
      graceful ? " (it ends when its jobs have)" : ""));
}

}  // namespace gearman
