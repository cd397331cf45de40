#include "gearman/sdk/embedded/text_commands.h"

#include <unistd.h>

#include <memory>
#include <variant>

#include "absl/strings/str_cat.h"
#include "gearman/codecs/admin/reply.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/embedded/job.h"
#include "gearman/sdk/embedded/job_queue.h"
#include "gearman/sdk/embedded/list_reply.h"
#include "gearman/sdk/embedded/server_engine.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace embedded {
namespace {

// One overload for each command.
class Runner {
 public:
  Runner(ServerEngine* engine, EngineConnection* connection)
      : engine_(*engine),
        connection_(connection),
        out_(ServerEngine::ReplyTo(connection)) {}
  // The command has been run.
  bool done() const { return done_; }

  void operator()(const admin::ShowStatus&) { List(ListReply::Kind::kStatus); }
  void operator()(const admin::ShowPriorityStatus&) {
    List(ListReply::Kind::kPriorityStatus);
  }
  void operator()(const admin::ShowWorkers&) {
    List(ListReply::Kind::kWorkers);
  }
  void operator()(const admin::ShowJobs&) { List(ListReply::Kind::kJobs); }
  void operator()(const admin::ShowUniqueJobs&) {
    List(ListReply::Kind::kUniqueJobs);
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
    if (!IsListable(command.function)) {
      return Encode(admin::Refusal::kNameWithControl, out_);
    }
    if (engine_.queue().GetFunction(command.function) == nullptr) {
      return Encode(admin::Refusal::kTooManyFunctions, out_);
    }
    admin::EncodeOk(out_);
  }

  // Like gearmand, the server ignores case: it drops every spelling. Each
  // spelling has a line of its own in the reply.
  void operator()(const admin::DropFunction& command) {
    engine_.Drop(command.function, connection_);
  }

  void operator()(const admin::MaxQueue& command) {
    // A name that the server does not know is no error, and its limits are not
    // kept.
    Function* const function = engine_.queue().FindFunction(command.function);
    if (function != nullptr) {
      engine_.queue().SetMaxQueue(*function, command.high, command.normal,
                                  command.low);
    }
    admin::EncodeOk(out_);
  }

  void operator()(const admin::CancelJob& command) {
    QueuedJob* const job = engine_.queue().FindByHandle(command.handle);
    if (job == nullptr) return Encode(admin::Refusal::kUnknownJob, out_);
    done_ = engine_.Cancel(*job, connection_);
    if (done_) admin::EncodeOk(out_);
  }

  // Parse never yields this: gearmand 1.1.20 has no such command.
  void operator()(const admin::Shutdown&) {}
  void operator()(const admin::RefusedCommand& command) {
    out_.Append(command.reply);
  }

 private:
  void List(ListReply::Kind kind) {
    engine_.Begin(connection_,
                  std::make_unique<ListReply>(kind, &engine_, &out_));
  }

  ServerEngine& engine_;
  EngineConnection* const connection_;
  wire::OutputBuffer& out_;
  bool done_ = true;
};

}  // namespace

bool RunTextCommand(ServerEngine& engine, const admin::CommandLine& line,
                    EngineConnection* connection) {
  Runner runner(&engine, connection);
  std::visit(runner, admin::Parse(line));
  return runner.done();
}

}  // namespace embedded
}  // namespace gearman
