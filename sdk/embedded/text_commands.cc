#include "gearman/sdk/embedded/text_commands.h"

#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/admin/reply.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gearman/sdk/embedded/server_engine.h"

namespace gearman {
namespace embedded {
namespace {

// One overload for each command.
class Runner {
 public:
  Runner(ServerEngine* engine, wire::OutputBuffer* out)
      : engine_(*engine), out_(*out) {}

  void operator()(const admin::ShowStatus&) {
    for (const Function* function : engine_.queue().Functions()) {
      Encode(admin::StatusRow{function->name, Number(function->total()),
                              Number(function->running),
                              Number(function->workers)},
             out_);
    }
    admin::EncodeListEnd(out_);
  }

  void operator()(const admin::ShowPriorityStatus&) {
    for (const Function* function : engine_.queue().Functions()) {
      const auto queued = [function](Priority priority) {
        return Number(function->queued[IndexOf(priority)]);
      };
      Encode(admin::PriorityStatusRow{function->name, queued(Priority::kHigh),
                                      queued(Priority::kNone),
                                      queued(Priority::kLow),
                                      Number(function->workers)},
             out_);
    }
    admin::EncodeListEnd(out_);
  }

  void operator()(const admin::ShowWorkers&) {
    for (EngineConnection& connection : engine_.connections()) {
      admin::WorkerRow row;
      row.descriptor = Number(connection.id());
      row.peer = std::string(connection.peer());
      row.id = std::string(connection.client_id());
      for (const absl::string_view function : connection.functions()) {
        row.functions.emplace_back(function);
      }
      Encode(row, out_);
    }
    admin::EncodeListEnd(out_);
  }

  void operator()(const admin::ShowJobs&) {
    for (const Job* job : engine_.queue().Jobs()) {
      Encode(admin::JobRow{std::string(job->handle()), job->retries,
                           job->abandoned, job->background},
             out_);
    }
    admin::EncodeListEnd(out_);
  }

  void operator()(const admin::ShowUniqueJobs&) {
    for (const Job* job : engine_.queue().Jobs()) {
      admin::EncodeUniqueRow(job->unique, out_);
    }
    admin::EncodeListEnd(out_);
  }

  void operator()(const admin::GetVersion&) {
    admin::EncodeOk(engine_.options().version, out_);
  }
  void operator()(const admin::GetPid&) {
    admin::EncodeOk(absl::StrCat(getpid()), out_);
  }
  // The level of gearmand's log; this server has none of its own.
  void operator()(const admin::GetVerbosity&) {
    admin::EncodeOk("ERROR", out_);
  }

  void operator()(const admin::CreateFunction& command) {
    if (engine_.queue().GetFunction(command.function) == nullptr) {
      return Encode(admin::Refusal::kTooManyFunctions, out_);
    }
    admin::EncodeOk(out_);
  }

  // Case does not count, as by gearmand: every spelling is dropped, and has a
  // line of its own in the reply.
  void operator()(const admin::DropFunction& command) {
    bool found = false;
    for (Function* function : engine_.queue().Functions()) {
      if (!absl::EqualsIgnoreCase(function->name, command.function)) continue;
      found = true;
      if (engine_.Drop(*function)) {
        admin::EncodeOk(out_);
      } else {
        Encode(admin::Refusal::kFunctionInUse, out_);
      }
    }
    if (!found) Encode(admin::Refusal::kFunctionNotFound, out_);
  }

  void operator()(const admin::MaxQueue& command) {
    // A name that nobody has used is no error, and nothing is kept.
    Function* const function = engine_.queue().FindFunction(command.function);
    if (function != nullptr) {
      engine_.queue().SetMaxQueue(*function, command.high, command.normal,
                                  command.low);
    }
    admin::EncodeOk(out_);
  }

  void operator()(const admin::CancelJob& command) {
    Job* const job = engine_.queue().FindByHandle(command.handle);
    if (job == nullptr) return Encode(admin::Refusal::kUnknownJob, out_);
    engine_.Cancel(*job);
    admin::EncodeOk(out_);
  }

  // Parse yields it never: 1.1.20 has no such command.
  void operator()(const admin::Shutdown&) {}
  void operator()(const admin::RefusedCommand& command) {
    out_.Append(command.reply);
  }

 private:
  static int64_t Number(uint64_t count) { return static_cast<int64_t>(count); }

  ServerEngine& engine_;
  wire::OutputBuffer& out_;
};

}  // namespace

void RunTextCommand(ServerEngine& engine, const admin::CommandLine& line,
                    wire::OutputBuffer& out) {
  std::visit(Runner(&engine, &out), admin::Parse(line));
}

}  // namespace embedded
}  // namespace gearman
