#include "gearman/sdk/embedded/server_engine.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/progress.h"
#include "gearman/sdk/embedded/engine_output.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace embedded {
namespace {

// gearmand accepts 64 bytes, but gives the worker 63 of them and puts a NUL in
// front of the data. Here all 64 arrive.
constexpr size_t kMaxUniqueBytes = 64;
// gearmand's check of a reduce job looks at the reducer.
constexpr size_t kMaxReducerBytes = 64;
// An assignment also has to hold the handle, the unique and the reducer, with
// their separators.
constexpr size_t kMaxFunctionBytes = wire::kMaxArgumentBytes -
                                     wire::kMaxHandleBytes - kMaxUniqueBytes -
                                     kMaxReducerBytes - 4;
// An assignment has more arguments than a submission.
constexpr size_t kMaxDataBytes =
    std::numeric_limits<uint32_t>::max() - wire::kMaxArgumentBytes;
constexpr size_t kMaxClientIdBytes = 127;
constexpr size_t kMaxOptionBytes = 63;
constexpr absl::string_view kNotInResult = "Job given in work result not found";
constexpr absl::string_view kTooManyFunctions = "Too many functions";
constexpr absl::Duration kMinTimeLimit = absl::Seconds(1);

absl::string_view UntilNul(absl::string_view text) {
  return text.substr(0, text.find('\0'));
}

// The value that the server stores for a worker's number: that of atoi.
uint32_t StoredNumber(absl::string_view text) {
  return static_cast<uint32_t>(wire::ParseProgress(text));
}

// The limit of CAN_DO_TIMEOUT. Text that is no number, zero and negative
// numbers mean no limit. A limit of less than a second is raised to a second.
absl::Duration TimeLimit(absl::string_view milliseconds) {
  const int64_t number = wire::ParseProgress(milliseconds);
  // A number beyond 63 bits means no limit, too: no worker intends it.
  if (number <= 0 || number == std::numeric_limits<int64_t>::max()) {
    return absl::InfiniteDuration();
  }
  return std::max(absl::Milliseconds(number), kMinTimeLimit);
}

}  // namespace

ServerEngine::ServerEngine(EngineOptions options)
    : options_(std::move(options)),
      ranking_(options_.max_connection_memory, &account_),
      queue_(options_.queue, &account_),
      workers_(options_.workers, &queue_) {}

// --- sending -----------------------------------------------------------------

EngineConnection& ServerEngine::ConnectionOf(Party& party) {
  return *static_cast<EngineConnection::Seat&>(
              static_cast<EngineWorker&>(party))
              .connection;
}

void ServerEngine::NoteOutput(EngineConnection& connection) {
  if (connection.ListLink<OutputTag>::linked()) return;
  meter().Spend(cost::kWrite);
  with_output_.PushBack(connection);
}

EngineConnection* ServerEngine::NextWithOutput() {
  if (with_output_.empty()) {
    bytes_forwarded_ = 0;
    has_failed_ = false;
    return nullptr;
  }
  EngineConnection& connection = with_output_.front();
  connection.ListLink<OutputTag>::Unlink();
  return &connection;
}

void ServerEngine::SetFailed(EngineConnection& connection,
                             absl::Status failure) {
  if (connection.failure_.ok()) connection.failure_ = std::move(failure);
  has_failed_ = true;
  NoteOutput(connection);
}

void ServerEngine::Weigh(EngineConnection& connection) {
  size_t owned = connection.output_->owned_bytes();
  size_t shared = connection.output_->shared_bytes();
  for (const auto& later : connection.later_) {
    owned += later->owned_bytes();
    shared += later->shared_bytes();
  }
  connection.memory_.SetSeat(connection.seat_.memory);
  connection.memory_.SetOutput(owned, shared);
  ranking_.Note(connection.memory_);
  while (ranking_.over()) {
    ConnectionMemory* const largest = ranking_.Largest();
    if (largest == nullptr) return;
    EngineConnection& goes =
        *static_cast<EngineConnection::Memory*>(largest)->connection;
    const size_t bytes = largest->bytes();
    ranking_.LetGo(*largest);
    goes.output_->Clear();
    for (const auto& later : goes.later_) later->Clear();
    SetFailed(goes, Exhausted("all connections together hold more than ",
                              ranking_.limit(),
                              " bytes (max_connection_memory), and it the most "
                              "of them, ",
                              bytes));
  }
}

void ServerEngine::SendError(EngineConnection& connection,
                             absl::string_view code, absl::string_view text) {
  Send(connection, wire::Error{code, text});
}

void ServerEngine::SendNoop(EngineWorker& worker) {
  Send(ConnectionOf(worker), wire::Noop{});
}

void ServerEngine::WakeFor(Function& function) {
  workers_.WakeFor(function,
                   [this](EngineWorker& worker) { SendNoop(worker); });
}

// --- what the commands share -------------------------------------------------

QueuedJob* ServerEngine::HeldJob(EngineConnection& connection,
                                 absl::string_view handle) {
  QueuedJob* const job = queue_.FindByHandle(handle);
  return job != nullptr && job->state == QueuedJob::State::kRunning &&
                 job->holder == &connection.seat_
             ? job
             : nullptr;
}

bool ServerEngine::CheckFunctionName(EngineConnection& connection,
                                     absl::string_view name) {
  // gearmand closes the connection instead.
  if (name.size() > kMaxFunctionBytes) {
    SendError(connection, "ARGUMENT_TOO_LARGE", "Function name too large");
    return false;
  }
  if (!IsListable(name)) {
    SendError(connection, "INVALID_ARGS",
              "A function name must not hold control characters");
    return false;
  }
  return true;
}

void ServerEngine::Submit(EngineConnection& connection, Submission submission,
                          bool background) {
  if (submission.unique.size() > kMaxUniqueBytes) {
    return SendError(connection, "ARGUMENT_TOO_LARGE",
                     "Unique value too large");
  }
  if (!CheckFunctionName(connection, submission.function)) return;
  if (submission.data.size() > kMaxDataBytes) {
    return SendError(connection, "ARGUMENT_TOO_LARGE", "Data too large");
  }
  meter().Spend(cost::Bytes(submission.data.size()));
  submission.waiter = background ? nullptr : &connection.seat_;
  JobQueue::Submitted submitted = {JobQueue::Outcome::kFull, nullptr};
  try {
    submitted = queue_.Submit(std::move(submission), wall_);
  } catch (const std::bad_alloc&) {
    // The submission is refused, as by a full queue.
  }
  if (submitted.outcome == JobQueue::Outcome::kFull) {
    return SendError(connection, "QUEUE_ERROR", "Job queue is full");
  }
  if (submitted.outcome == JobQueue::Outcome::kTooManyFunctions) {
    return SendError(connection, "QUEUE_ERROR", kTooManyFunctions);
  }
  // Send the NOOP first: a connection that sleeps until its own job comes gets
  // NOOP, then JOB_CREATED. Like gearmand, the server sends it also for a job
  // that is not due yet.
  if (submitted.outcome == JobQueue::Outcome::kNew) {
    WakeFor(*submitted.job->function);
  }
  Send(connection, wire::JobCreated{submitted.job->handle()});
}

// --- events ------------------------------------------------------------------

// One overload for each packet that a peer may send to a server.
class ServerEngine::Dispatcher {
 public:
  Dispatcher(ServerEngine* engine, EngineConnection* connection)
      : engine_(*engine), connection_(*connection) {}
  // The event has been handled.
  bool handled() const { return handled_; }

  // --- clients ---
  void operator()(wire::SubmitJob& event) {
    Submission submission;
    submission.function = event.function;
    submission.unique = event.unique;
    submission.priority = event.priority;
    submission.data = std::move(event.data);
    engine_.Submit(connection_, std::move(submission), event.background);
  }

  void operator()(wire::SubmitJobEpoch& event) {
    const int64_t epoch = wire::ParseProgress(event.epoch);
    // gearmand does not answer a number beyond 63 bits at all.
    if (epoch == std::numeric_limits<int64_t>::max()) {
      return Error("ARGUMENT_TOO_LARGE", "Epoch value too large");
    }
    Submission submission;
    submission.function = event.function;
    submission.unique = event.unique;
    submission.data = std::move(event.data);
    submission.not_before = absl::FromUnixSeconds(epoch);
    engine_.Submit(connection_, std::move(submission), /*background=*/true);
  }

  void operator()(wire::SubmitReduceJob& event) {
    if (event.reducer.size() > kMaxReducerBytes) {
      return Error("ARGUMENT_TOO_LARGE", "Unique value too large");
    }
    Submission submission;
    submission.function = event.function;
    submission.unique = event.unique;
    submission.reducer = event.reducer;
    submission.data = std::move(event.data);
    engine_.Submit(connection_, std::move(submission), event.background);
  }

  void operator()(wire::GetStatus& event) {
    const absl::string_view handle = UntilNul(event.handle);
    const QueuedJob* const job = engine_.queue_.FindByHandle(handle);
    if (job == nullptr) {
      return Send(wire::StatusResult{handle, "0", "0", "0", "0"});
    }
    const absl::AlphaNum numerator(job->numerator);
    const absl::AlphaNum denominator(job->denominator);
    Send(wire::StatusResult{handle, "1", Running(*job), numerator.Piece(),
                            denominator.Piece()});
  }

  void operator()(wire::GetStatusUnique& event) {
    const absl::string_view unique = UntilNul(event.unique);
    const QueuedJob* const job = engine_.queue_.FindByUnique(unique);
    if (job == nullptr) {
      return Send(wire::StatusResultUnique{unique, "0", "0", "0", "0", "0"});
    }
    const absl::AlphaNum numerator(job->numerator);
    const absl::AlphaNum denominator(job->denominator);
    const absl::AlphaNum clients(job->waiter_count);
    Send(wire::StatusResultUnique{unique, "1", Running(*job), numerator.Piece(),
                                  denominator.Piece(), clients.Piece()});
  }

  // --- clients and workers ---
  void operator()(wire::EchoRequest& event) {
    Send(wire::EchoResponse{std::move(event.data)});
  }

  void operator()(wire::OptionRequest& event) {
    const absl::string_view option = UntilNul(event.option);
    if (option.size() > kMaxOptionBytes ||
        !absl::EqualsIgnoreCase(option, "exceptions")) {
      return Error("UNKNOWN_OPTION", "Server does not recognize given option");
    }
    connection_.exceptions_ = true;
    Send(wire::OptionResponse{option});
  }

  void operator()(wire::SetClientId& event) {
    const absl::string_view id =
        UntilNul(event.id).substr(0, kMaxClientIdBytes);
    if (!IsListable(id)) {
      return Error("INVALID_ARGS",
                   "A client id must not hold control characters");
    }
    connection_.client_id_.assign(id.data(), id.size());
  }

  // --- workers ---
  void operator()(wire::CanDo& event) {
    CanDo(event.function, absl::InfiniteDuration());
  }

  void operator()(wire::CanDoTimeout& event) {
    CanDo(event.function, TimeLimit(event.timeout_ms));
  }

  void operator()(wire::CantDo& event) {
    engine_.workers_.Remove(connection_.seat_, event.function, Waker());
  }

  void operator()(wire::ResetAbilities&) {
    if (!engine_.workers_.RemoveAll(connection_.seat_, Waker())) NotYet();
  }

  void operator()(wire::PreSleep&) {
    bool again = false;
    const bool sleeps = engine_.workers_.GoToSleep(connection_.seat_, &again);
    if (again) return NotYet();
    if (!sleeps) Send(wire::Noop{});
  }

  void operator()(wire::GrabJob& event) {
    bool again = false;
    const QueuedJob* const job =
        engine_.workers_.Grab(connection_.seat_, engine_.now_, Waker(), &again);
    if (again) return NotYet();
    if (job == nullptr) return Send(wire::NoJob{});
    wire::GrabKind kind = event.kind;
    // GRAB_JOB_ALL is answered with JOB_ASSIGN_ALL only for a reduce job.
    if (kind == wire::GrabKind::kAll && job->reducer.empty()) {
      kind = wire::GrabKind::kUnique;
    }
    engine_.meter().Spend(cost::Bytes(job->data.size()));
    Send(wire::JobAssign{kind, job->handle(), job->function->name, job->unique,
                         job->reducer, job->data.payload()});
  }

  void operator()(wire::WorkData& event) {
    Answer(wire::Command::kWorkData, event.handle, event.data,
           "Job does not exist on server");
  }

  void operator()(wire::WorkWarning& event) {
    Answer(wire::Command::kWorkWarning, event.handle, event.data,
           "Job does not exist on server");
  }

  void operator()(wire::WorkStatus& event) {
    QueuedJob* const job = Held(event.handle, kNotInResult);
    if (job == nullptr) return;
    // The last argument of a worker's packet may hold a NUL. That of a client's
    // packet may not.
    Update update;
    update.kind = wire::Command::kWorkStatus;
    update.numerator = event.numerator;
    update.denominator = UntilNul(event.denominator);
    if (update.numerator.size() + update.denominator.size() >
        kMaxFunctionBytes) {
      return Error("ARGUMENT_TOO_LARGE", "Status value too large");
    }
    job->numerator = StoredNumber(event.numerator);
    // gearmand parses at most 10 bytes of it. Clients get the worker's own
    // text.
    job->denominator = StoredNumber(update.denominator.substr(0, 10));
    engine_.UpdateJob(&connection_, *job, update);
  }

  void operator()(wire::WorkComplete& event) {
    Answer(wire::Command::kWorkComplete, event.handle, event.data,
           kNotInResult);
  }

  void operator()(wire::WorkFail& event) {
    if (event.handle.size() > wire::kMaxHandleBytes) {
      return Error("ARGUMENT_TOO_LARGE",
                   "Error occurred due to GEARMAND_JOB_HANDLE_SIZE being too "
                   "small from snprintf");
    }
    Payload none;
    Answer(wire::Command::kWorkFail, event.handle, none, kNotInResult);
  }

  void operator()(wire::WorkException& event) {
    Answer(wire::Command::kWorkException, event.handle, event.data,
           "An exception was received for a job that does not exist");
  }

  // The payload has been skipped. A job whose result or update is too large for
  // the server ends with an exception that says so: another run would bring as
  // much.
  void operator()(wire::TooLargePacket& event) {
    if (event.info->client_to_server) {
      return Error("ARGUMENT_TOO_LARGE", event.Describe());
    }
    Payload text(event.Describe());
    Answer(wire::Command::kWorkException, event.argument("handle"), text,
           kNotInResult);
  }

  // --- what no server does ---
  void operator()(wire::SubmitJobScheduled&) { NotExpected(); }
  void operator()(wire::AllYours&) { NotExpected(); }
  void operator()(wire::RefusedPacket& event) { Error(event.code, event.text); }

 private:
  template <typename Message>
  void Send(Message&& message) {
    engine_.Send(connection_, std::forward<Message>(message));
  }
  void Error(absl::string_view code, absl::string_view text) {
    engine_.SendError(connection_, code, text);
  }
  void NotExpected() { Error("INVALID_COMMAND", "Command not expected"); }

  // The turn is over before the answer is known.
  void NotYet() { handled_ = false; }

  // The job of `handle`, if this worker holds it and its last update has
  // reached all waiters. Null: an error has been sent, or the turn is over and
  // the event must be offered again.
  QueuedJob* Held(absl::string_view handle, absl::string_view refusal) {
    QueuedJob* const job = engine_.HeldJob(connection_, handle);
    if (job == nullptr) {
      Error("JOB_NOT_FOUND", refusal);
    } else if (!engine_.FinishUpdate(*job)) {
      NotYet();
      return nullptr;
    }
    return job;
  }
  void Answer(wire::Command kind, absl::string_view handle, Payload& data,
              absl::string_view refusal) {
    QueuedJob* const job = Held(handle, refusal);
    if (job == nullptr) return;
    Update update;
    update.kind = kind;
    update.data = std::move(data);
    if (kind == wire::Command::kWorkData ||
        kind == wire::Command::kWorkWarning) {
      engine_.UpdateJob(&connection_, *job, update);
    } else {
      engine_.EndJob(&connection_, *job, update);
    }
  }

  static absl::string_view Running(const QueuedJob& job) {
    return job.state == QueuedJob::State::kRunning ? "1" : "0";
  }

  struct NoopSender {
    ServerEngine* engine;
    void operator()(EngineWorker& worker) const { engine->SendNoop(worker); }
  };
  NoopSender Waker() { return NoopSender{&engine_}; }

  void CanDo(absl::string_view function, absl::Duration limit) {
    // A CAN_DO has no answer. But a worker that does not learn of a refusal
    // waits forever. The name tells the worker which of many functions was
    // refused.
    if (!engine_.CheckFunctionName(connection_, function)) return;
    switch (engine_.workers_.Add(connection_.seat_, function, limit, Waker())) {
      case WorkerTable::Added::kYes:
        return;
      case WorkerTable::Added::kTooManyFunctions:
        return Error("QUEUE_ERROR",
                     absl::StrCat(kTooManyFunctions, ": ", function));
      case WorkerTable::Added::kTooManyAbilities:
        return Error(
            "QUEUE_ERROR",
            absl::StrCat("Too many functions of one worker: ", function));
    }
  }

  ServerEngine& engine_;
  EngineConnection& connection_;
  bool handled_ = true;
};

bool ServerEngine::OnEvent(EngineConnection* connection,
                           wire::ToServer& event) {
  meter().Spend(cost::kPacket);
  Dispatcher dispatcher(this, connection);
  std::visit(dispatcher, event);
  return dispatcher.handled();
}

}  // namespace embedded
}  // namespace gearman
