#include "gearman/sdk/embedded/server_engine.h"

#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/progress.h"
#include "gearman/sdk/embedded/counted_payload.h"

namespace gearman {
namespace embedded {
namespace {

// gearmand takes 64 bytes, but then gives the worker 63 of them and the data
// with a NUL in front. Here all 64 arrive.
constexpr size_t kMaxUniqueBytes = 64;
// Its check of a reduce job looks at the reducer.
constexpr size_t kMaxReducerBytes = 64;
// What an assignment says beside the function: handle, unique and reducer with
// their separators.
constexpr size_t kMaxFunctionBytes = wire::kMaxArgumentBytes -
                                     wire::kMaxHandleBytes - kMaxUniqueBytes -
                                     kMaxReducerBytes - 4;
// An assignment has more arguments than a submit.
constexpr size_t kMaxDataBytes =
    std::numeric_limits<uint32_t>::max() - wire::kMaxArgumentBytes;
constexpr size_t kMaxClientIdBytes = 127;
constexpr size_t kMaxOptionBytes = 63;
constexpr absl::string_view kTooManyFunctions = "Too many functions";
constexpr absl::Duration kMinTimeLimit = absl::Seconds(1);

// With the pieces as its text, or without one when there is no memory for it.
template <typename... Pieces>
absl::Status Exhausted(const Pieces&... pieces) {
  try {
    return absl::ResourceExhaustedError(absl::StrCat(pieces...));
  } catch (const std::bad_alloc&) {
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}

absl::string_view UntilNul(absl::string_view text) {
  return text.substr(0, text.find('\0'));
}

// A worker's number as the server keeps it: what atoi makes of it.
uint32_t StoredNumber(absl::string_view text) {
  return static_cast<uint32_t>(wire::ParseProgress(text));
}

// The limit of CAN_DO_TIMEOUT: no number, zero and negative ones are none, and
// less than a second is raised to one.
absl::Duration TimeLimit(absl::string_view milliseconds) {
  const int64_t number = wire::ParseProgress(milliseconds);
  // No worker means a limit beyond 63 bits.
  if (number <= 0 || number == std::numeric_limits<int64_t>::max()) {
    return absl::InfiniteDuration();
  }
  return std::max(absl::Milliseconds(number), kMinTimeLimit);
}

}  // namespace

std::vector<absl::string_view> EngineConnection::functions() {
  std::vector<absl::string_view> names;
  names.reserve(seat_.by_function.size());
  for (const Ability& ability : seat_.abilities) {
    names.push_back(ability.function->name);
  }
  return names;
}

ServerEngine::ServerEngine(EngineOptions options)
    : options_(std::move(options)),
      ranking_(options_.max_connection_memory, &account_),
      queue_(options_.queue, &account_),
      workers_(options_.workers, &queue_) {}

ServerEngine::~ServerEngine() {
  while (!connections_.empty()) OnDisconnect(&connections_.front());
}

// --- sending -----------------------------------------------------------------

EngineConnection& ServerEngine::ConnectionOf(Party& party) {
  return *static_cast<EngineConnection::Seat&>(static_cast<Worker&>(party))
              .connection;
}

void ServerEngine::NoteOutput(EngineConnection& connection) {
  if (connection.ListLink<OutputTag>::linked()) return;
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

template <typename Append>
void ServerEngine::AppendTo(EngineConnection& connection, Append&& append) {
  NoteOutput(connection);
  if (!connection.failure_.ok()) return;
  try {
    absl::Status status = append(connection.output_);
    if (!status.ok()) SetFailed(connection, std::move(status));
  } catch (const std::bad_alloc&) {
    SetFailed(connection, Exhausted("there is no memory for its output"));
  }
}

void ServerEngine::Weigh(EngineConnection& connection) {
  connection.memory_.SetSeat(connection.seat_.memory);
  connection.memory_.SetOutput(connection.output_.owned_bytes(),
                               connection.output_.shared_bytes());
  ranking_.Note(connection.memory_);
  while (ranking_.over()) {
    ConnectionMemory* const largest = ranking_.Largest();
    if (largest == nullptr) return;
    EngineConnection& goes =
        *static_cast<EngineConnection::Memory*>(largest)->connection;
    const size_t bytes = largest->bytes();
    ranking_.LetGo(*largest);
    goes.output_.Clear();
    SetFailed(goes, Exhausted("all connections together hold more than ",
                              ranking_.limit(),
                              " bytes (max_connection_memory), and it the most "
                              "of them, ",
                              bytes));
  }
}

template <typename Message>
void ServerEngine::Send(EngineConnection& connection, Message&& message) {
  // What comes in is checked so that encoding does not fail.
  AppendTo(connection, [&message](wire::OutputBuffer& output) {
    return wire::Encode(std::forward<Message>(message), output);
  });
}

template <typename Message>
void ServerEngine::Forward(EngineConnection& connection, Message&& message) {
  AppendTo(connection, [this, &message](wire::OutputBuffer& output) {
    const size_t before = output.size();
    // A connection that has joined a job a thousand times gets its packets a
    // thousand times.
    if (before > options_.max_output_bytes) {
      return Exhausted(before, " bytes wait for it (max_output_bytes)");
    }
    absl::Status status = wire::Encode(std::forward<Message>(message), output,
                                       wire::Sender::kServer);
    bytes_forwarded_ += output.size() - before;
    return status;
  });
  // Here and not at the end of the turn: a single packet may be for thousands.
  Weigh(connection);
}

template <typename Make>
void ServerEngine::ForwardToWaiters(Job& job, Payload data, Make make) {
  if (job.waiter_count == 1) {
    Forward(ConnectionOf(*job.waiters.front().party), make(std::move(data)));
    return;
  }
  if (data.size() < wire::OutputBuffer::kExternalBytes) {
    for (const Waiter& waiter : job.waiters) {
      Forward(ConnectionOf(*waiter.party), make(Payload::View(data.view())));
    }
    return;
  }
  if (job.waiters.empty()) return;
  const std::shared_ptr<const std::string> shared =
      CountedPayload(std::move(data), ranking_.account());
  for (const Waiter& waiter : job.waiters) {
    Forward(ConnectionOf(*waiter.party), make(Payload(shared)));
  }
}

void ServerEngine::SendError(EngineConnection& connection,
                             absl::string_view code, absl::string_view text) {
  Send(connection, wire::Error{code, text});
}

void ServerEngine::SendFailToWaiters(Job& job) {
  for (const Waiter& waiter : job.waiters) {
    Forward(ConnectionOf(*waiter.party), wire::WorkFail{job.handle()});
  }
}

void ServerEngine::SendFailForException(EngineConnection& connection,
                                        const Job& job) {
  const absl::string_view handle = job.handle();
  AppendTo(connection, [handle](wire::OutputBuffer& output) {
    const size_t body_bytes = handle.size() + 1;
    char* bytes = output.AppendUninitialized(wire::kHeaderBytes + body_bytes);
    wire::WriteHeader(
        {/*response=*/true, static_cast<uint32_t>(wire::Command::kWorkFail),
         static_cast<uint32_t>(body_bytes)},
        bytes);
    bytes += wire::kHeaderBytes;
    std::memcpy(bytes, handle.data(), handle.size());
    bytes[handle.size()] = '\0';
    return absl::OkStatus();
  });
}

void ServerEngine::EndWithException(Job& job, Payload data) {
  const Payload shared(CountedPayload(std::move(data), ranking_.account()));
  for (const Waiter& waiter : job.waiters) {
    EngineConnection& client = ConnectionOf(*waiter.party);
    if (client.exceptions_ || options_.exceptions_for_all) {
      Forward(client, wire::WorkException{job.handle(), shared});
    } else {
      SendFailForException(client, job);
    }
  }
  queue_.Remove(job);
}

void ServerEngine::SendNoop(Worker& worker) {
  Send(ConnectionOf(worker), wire::Noop{});
}

void ServerEngine::WakeFor(Function& function) {
  workers_.WakeFor(function, [this](Worker& worker) { SendNoop(worker); });
}

// --- what the commands share -------------------------------------------------

Job* ServerEngine::HeldJob(EngineConnection& connection,
                           absl::string_view handle) {
  Job* const job = queue_.FindByHandle(handle);
  return job != nullptr && job->state == Job::State::kRunning &&
                 job->holder == &connection.seat_
             ? job
             : nullptr;
}

void ServerEngine::Submit(EngineConnection& connection, Submission submission,
                          bool background) {
  if (submission.unique.size() > kMaxUniqueBytes) {
    return SendError(connection, "ARGUMENT_TOO_LARGE",
                     "Unique value too large");
  }
  // gearmand closes the connection.
  if (submission.function.size() > kMaxFunctionBytes) {
    return SendError(connection, "ARGUMENT_TOO_LARGE",
                     "Function name too large");
  }
  if (submission.data.size() > kMaxDataBytes) {
    return SendError(connection, "ARGUMENT_TOO_LARGE", "Data too large");
  }
  submission.waiter = background ? nullptr : &connection.seat_;
  JobQueue::Submitted submitted = {JobQueue::Outcome::kFull, nullptr};
  try {
    submitted = queue_.Submit(std::move(submission), now_);
  } catch (const std::bad_alloc&) {
    // Refused, as by a full queue.
  }
  if (submitted.outcome == JobQueue::Outcome::kFull) {
    return SendError(connection, "QUEUE_ERROR", "Job queue is full");
  }
  if (submitted.outcome == JobQueue::Outcome::kTooManyFunctions) {
    return SendError(connection, "QUEUE_ERROR", kTooManyFunctions);
  }
  // The NOOP first: one who waits for his own job sees NOOP, JOB_CREATED. As by
  // gearmand it comes for a job that is not due yet, too.
  if (submitted.outcome == JobQueue::Outcome::kNew) {
    WakeFor(*submitted.job->function);
  }
  Send(connection, wire::JobCreated{submitted.job->handle()});
}

// --- events ------------------------------------------------------------------

// One overload for each packet that a server may be sent.
class ServerEngine::Dispatcher {
 public:
  Dispatcher(ServerEngine* engine, EngineConnection* connection)
      : engine_(*engine), connection_(*connection) {}

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
    const Job* const job = engine_.queue_.FindByHandle(handle);
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
    const Job* const job = engine_.queue_.FindByUnique(unique);
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
    engine_.workers_.RemoveAll(connection_.seat_, Waker());
  }

  void operator()(wire::PreSleep&) {
    if (!engine_.workers_.GoToSleep(connection_.seat_)) Send(wire::Noop{});
  }

  void operator()(wire::GrabJob& event) {
    const Job* const job =
        engine_.workers_.Grab(connection_.seat_, engine_.now_, Waker());
    if (job == nullptr) return Send(wire::NoJob{});
    wire::GrabKind kind = event.kind;
    // GRAB_JOB_ALL earns JOB_ASSIGN_ALL only for a reduce job.
    if (kind == wire::GrabKind::kAll && job->reducer.empty()) {
      kind = wire::GrabKind::kUnique;
    }
    Send(wire::JobAssign{kind, job->handle(), job->function->name, job->unique,
                         job->reducer, job->data.payload()});
  }

  void operator()(wire::WorkData& event) {
    Job* const job = engine_.HeldJob(connection_, event.handle);
    if (job == nullptr) {
      return Error("JOB_NOT_FOUND", "Job does not exist on server");
    }
    engine_.ForwardToWaiters(*job, std::move(event.data), [job](Payload data) {
      return wire::WorkData{job->handle(), std::move(data)};
    });
  }

  void operator()(wire::WorkWarning& event) {
    Job* const job = engine_.HeldJob(connection_, event.handle);
    if (job == nullptr) {
      return Error("JOB_NOT_FOUND", "Job does not exist on server");
    }
    engine_.ForwardToWaiters(*job, std::move(event.data), [job](Payload data) {
      return wire::WorkWarning{job->handle(), std::move(data)};
    });
  }

  void operator()(wire::WorkStatus& event) {
    Job* const job = engine_.HeldJob(connection_, event.handle);
    if (job == nullptr) {
      return Error("JOB_NOT_FOUND", "Job given in work result not found");
    }
    // The last argument may hold anything, but not on its way to a client.
    const absl::string_view denominator = UntilNul(event.denominator);
    if (event.numerator.size() + denominator.size() > kMaxFunctionBytes) {
      return Error("ARGUMENT_TOO_LARGE", "Status value too large");
    }
    job->numerator = StoredNumber(event.numerator);
    // gearmand looks at no more than 10 bytes of it.
    job->denominator = StoredNumber(denominator.substr(0, 10));
    // Clients get the worker's own words.
    for (const Waiter& waiter : job->waiters) {
      engine_.Forward(
          ConnectionOf(*waiter.party),
          wire::WorkStatus{job->handle(), event.numerator, denominator});
    }
  }

  void operator()(wire::WorkComplete& event) {
    Job* const job = engine_.HeldJob(connection_, event.handle);
    if (job == nullptr) {
      return Error("JOB_NOT_FOUND", "Job given in work result not found");
    }
    engine_.ForwardToWaiters(*job, std::move(event.data), [job](Payload data) {
      return wire::WorkComplete{job->handle(), std::move(data)};
    });
    engine_.queue_.Remove(*job);
  }

  void operator()(wire::WorkFail& event) {
    if (event.handle.size() > wire::kMaxHandleBytes) {
      return Error("ARGUMENT_TOO_LARGE",
                   "Error occurred due to GEARMAND_JOB_HANDLE_SIZE being too "
                   "small from snprintf");
    }
    Job* const job = engine_.HeldJob(connection_, event.handle);
    if (job == nullptr) {
      return Error("JOB_NOT_FOUND", "Job given in work result not found");
    }
    engine_.SendFailToWaiters(*job);
    engine_.queue_.Remove(*job);
  }

  void operator()(wire::WorkException& event) {
    Job* const job = engine_.HeldJob(connection_, event.handle);
    if (job == nullptr) {
      return Error("JOB_NOT_FOUND",
                   "An exception was received for a job that does not exist");
    }
    engine_.EndWithException(*job, std::move(event.data));
  }

  // The payload is skipped. A job whose result or update nobody can be given
  // ends with a text that says so: to run it again would bring as much.
  void operator()(wire::TooLargePacket& event) {
    if (event.info->client_to_server) {
      return Error("ARGUMENT_TOO_LARGE", event.Describe());
    }
    Job* const job = engine_.HeldJob(connection_, event.argument("handle"));
    if (job == nullptr) {
      return Error("JOB_NOT_FOUND", "Job given in work result not found");
    }
    engine_.EndWithException(*job, Payload(event.Describe()));
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

  static absl::string_view Running(const Job& job) {
    return job.state == Job::State::kRunning ? "1" : "0";
  }

  struct NoopSender {
    ServerEngine* engine;
    void operator()(Worker& worker) const { engine->SendNoop(worker); }
  };
  NoopSender Waker() { return NoopSender{&engine_}; }

  void CanDo(absl::string_view function, absl::Duration limit) {
    // Nothing answers a CAN_DO, but a worker that takes a refused one for
    // granted waits for ever.
    switch (engine_.workers_.Add(connection_.seat_, function, limit, Waker())) {
      case WorkerTable::Added::kYes:
        return;
      case WorkerTable::Added::kTooManyFunctions:
        return Error("QUEUE_ERROR", kTooManyFunctions);
      case WorkerTable::Added::kTooManyAbilities:
        return Error("QUEUE_ERROR", "Too many functions of one worker");
    }
  }

  ServerEngine& engine_;
  EngineConnection& connection_;
};

void ServerEngine::OnEvent(EngineConnection* connection,
                           wire::ToServer& event) {
  std::visit(Dispatcher(this, connection), event);
}

}  // namespace embedded
}  // namespace gearman
