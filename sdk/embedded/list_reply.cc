#include "gearman/sdk/embedded/list_reply.h"

#include <utility>

#include "gearman/codecs/admin/reply.h"
#include "gearman/codecs/priority.h"
#include "gearman/sdk/embedded/work_meter.h"

namespace gearman {
namespace embedded {
namespace {

int64_t Number(uint64_t count) { return static_cast<int64_t>(count); }

int64_t Queued(const Function& function, Priority priority) {
  return Number(function.queued[IndexOf(priority)]);
}

}  // namespace

ListReply::ListReply(Kind kind, ServerEngine* engine, wire::OutputBuffer* out)
    : kind_(kind),
      engine_(*engine),
      out_(*out),
      last_connection_(engine->connections_made()),
      last_job_(engine->queue().last_number()) {
  engine->queue().StartWalk(&job_);
  connection_.Start(&engine->connections());
}

bool ListReply::Run() {
  do {
    const uint64_t before = out_.total_appended();
    const bool more = AddRow();
    if (!more) admin::EncodeListEnd(out_);
    engine_.meter().Spend(cost::kRow +
                          cost::Bytes(out_.total_appended() - before));
    if (!more) return true;
  } while (!engine_.meter().UsedUp());
  return false;
}

bool ListReply::AddRow() {
  switch (kind_) {
    case Kind::kStatus:
    case Kind::kPriorityStatus:
      return AddFunction();
    case Kind::kWorkers:
      return AddConnection();
    case Kind::kJobs:
    case Kind::kUniqueJobs:
      break;
  }
  return AddJob();
}

bool ListReply::AddFunction() {
  const Function* const function =
      engine_.queue().FunctionAfter(began_ ? &function_ : nullptr);
  if (function == nullptr) return false;
  began_ = true;
  function_ = function->name;
  if (kind_ == Kind::kStatus) {
    Encode(
        admin::StatusRow{function->name, Number(function->total()),
                         Number(function->running), Number(function->workers)},
        out_);
  } else {
    Encode(admin::PriorityStatusRow{function->name,
                                    Queued(*function, Priority::kHigh),
                                    Queued(*function, Priority::kNone),
                                    Queued(*function, Priority::kLow),
                                    Number(function->workers)},
           out_);
  }
  return true;
}

bool ListReply::AddConnection() {
  size_t steps = 0;
  if (in_row_) {
    const Ability* const ability =
        abilities_left_ == 0 ? nullptr : ability_.Next(&steps);
    if (ability != nullptr) {
      --abilities_left_;
      admin::EncodeWorkerFunction(ability->function->name, out_);
    } else {
      admin::EncodeWorkerEnd(out_);
      in_row_ = false;
    }
  } else {
    EngineConnection* const connection = connection_.Next(&steps);
    if (connection == nullptr || connection->number() > last_connection_) {
      return false;
    }
    admin::EncodeWorkerStart(Number(connection->id()), connection->peer(),
                             connection->client_id(), out_);
    ability_.Start(&connection->abilities());
    abilities_left_ = connection->ability_count();
    in_row_ = true;
  }
  engine_.meter().Spend(cost::kLook * Number(steps));
  return true;
}

bool ListReply::AddJob() {
  size_t steps = 0;
  const QueuedJob* const job = job_.Next(&steps);
  engine_.meter().Spend(cost::kLook * Number(steps));
  if (job == nullptr || job->number > last_job_) return false;
  if (kind_ == Kind::kJobs) {
    Encode(admin::JobRow{std::string(job->handle()), job->retries,
                         job->abandoned, job->background},
           out_);
  } else {
    admin::EncodeUniqueRow(job->unique, out_);
  }
  return true;
}

}  // namespace embedded
}  // namespace gearman
