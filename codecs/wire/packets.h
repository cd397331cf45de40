// The packets of the binary protocol, as data: a row for each packet says its
// number, its name, its directions, and which member of which message is which
// argument. The command table, the encoder and the decoder are made of these
// rows when they are compiled, so that they can't differ.
//
// message.h says how to add a packet. Only the code of this folder and its
// tests include this file.
//
// Source: docs/protocol.md, section "Packets".
#ifndef GEARMAN_CODECS_WIRE_PACKETS_H_
#define GEARMAN_CODECS_WIRE_PACKETS_H_

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/packet_row.h"

namespace gearman {
namespace wire {
namespace layout {

// Rows that several packets of one message, or of one kind, share.

template <GrabKind kKind>
constexpr auto Grab(Command command, absl::string_view name) {
  return Packet<GrabJob, When<&GrabJob::kind, kKind>>(command, name,
                                                      kWorkerToServer);
}

template <Priority kPriority, bool kBackground>
constexpr auto Submit(Command command, absl::string_view name) {
  return Packet<SubmitJob, When<&SubmitJob::priority, kPriority>,
                When<&SubmitJob::background, kBackground>>(
      command, name, kClientToServer,
      {{"function", &SubmitJob::function},
       {"unique", &SubmitJob::unique, kKey}},
      &SubmitJob::data);
}

template <bool kBackground>
constexpr auto SubmitReduce(Command command, absl::string_view name) {
  return Packet<SubmitReduceJob,
                When<&SubmitReduceJob::background, kBackground>>(
      command, name, kClientToServer,
      {{"function", &SubmitReduceJob::function},
       {"unique", &SubmitReduceJob::unique, kKey},
       {"reducer", &SubmitReduceJob::reducer},
       {"unused", &SubmitReduceJob::unused}},
      &SubmitReduceJob::data);
}

template <typename Message>
constexpr auto WorkWithData(Command command, absl::string_view name) {
  return Packet<Message>(command, name, kForwarded,
                         {{"handle", &Message::handle, kKey}}, &Message::data);
}

inline constexpr std::tuple kPackets(
    Packet<CanDo>(Command::kCanDo, "CAN_DO", kWorkerToServer,
                  {{"function", &CanDo::function}}),
    Packet<CantDo>(Command::kCantDo, "CANT_DO", kWorkerToServer,
                   {{"function", &CantDo::function}}),
    Packet<ResetAbilities>(Command::kResetAbilities, "RESET_ABILITIES",
                           kWorkerToServer),
    Packet<PreSleep>(Command::kPreSleep, "PRE_SLEEP", kWorkerToServer),
    Packet<NoMessage>(Command::kUnused5, "UNUSED_5", kNeverImplemented),
    Packet<Noop>(Command::kNoop, "NOOP", kServerToWorker),
    Submit<Priority::kNone, false>(Command::kSubmitJob, "SUBMIT_JOB"),
    Packet<JobCreated>(Command::kJobCreated, "JOB_CREATED", kServerToClient,
                       {{"handle", &JobCreated::handle, kKey}}),
    Grab<GrabKind::kPlain>(Command::kGrabJob, "GRAB_JOB"),
    Packet<NoJob>(Command::kNoJob, "NO_JOB", kServerToWorker),
    Packet<JobAssign, When<&JobAssign::kind, GrabKind::kPlain>>(
        Command::kJobAssign, "JOB_ASSIGN", kServerToWorker,
        {{"handle", &JobAssign::handle, kKey},
         {"function", &JobAssign::function}},
        &JobAssign::data),
    Packet<WorkStatus>(Command::kWorkStatus, "WORK_STATUS", kForwarded,
                       {{"handle", &WorkStatus::handle, kKey},
                        {"numerator", &WorkStatus::numerator, kNumber},
                        {"denominator", &WorkStatus::denominator, kNumber}}),
    WorkWithData<WorkComplete>(Command::kWorkComplete, "WORK_COMPLETE"),
    Packet<WorkFail>(Command::kWorkFail, "WORK_FAIL", kForwarded,
                     {{"handle", &WorkFail::handle, kKey}}),
    Packet<GetStatus>(Command::kGetStatus, "GET_STATUS", kClientToServer,
                      {{"handle", &GetStatus::handle, kKey}}),
    Packet<EchoRequest>(Command::kEchoReq, "ECHO_REQ", kBothToServer,
                        &EchoRequest::data),
    Packet<EchoResponse>(Command::kEchoRes, "ECHO_RES", kServerToBoth,
                         &EchoResponse::data),
    Submit<Priority::kNone, true>(Command::kSubmitJobBg, "SUBMIT_JOB_BG"),
    // The text runs to the end and may hold NULs, so it is data.
    Packet<Error>(Command::kError, "ERROR", kServerToBoth,
                  {{"code", &Error::code}}, &Error::text),
    Packet<StatusResult>(Command::kStatusRes, "STATUS_RES", kServerToClient,
                         {{"handle", &StatusResult::handle, kKey},
                          {"known", &StatusResult::known, kNumber},
                          {"running", &StatusResult::running, kNumber},
                          {"numerator", &StatusResult::numerator, kNumber},
                          {"denominator", &StatusResult::denominator,
                           kNumber}}),
    Submit<Priority::kHigh, false>(Command::kSubmitJobHigh, "SUBMIT_JOB_HIGH"),
    Packet<SetClientId>(Command::kSetClientId, "SET_CLIENT_ID", kWorkerToServer,
                        {{"id", &SetClientId::id}}),
    Packet<CanDoTimeout>(
        Command::kCanDoTimeout, "CAN_DO_TIMEOUT", kWorkerToServer,
        {{"function", &CanDoTimeout::function},
         {"timeout", &CanDoTimeout::timeout_ms, kMilliseconds}}),
    Packet<AllYours>(Command::kAllYours, "ALL_YOURS",
                     kWorkerToServer | kNeverImplemented),
    WorkWithData<WorkException>(Command::kWorkException, "WORK_EXCEPTION"),
    Packet<OptionRequest>(Command::kOptionReq, "OPTION_REQ", kBothToServer,
                          {{"option", &OptionRequest::option}}),
    Packet<OptionResponse>(Command::kOptionRes, "OPTION_RES", kServerToBoth,
                           {{"option", &OptionResponse::option}}),
    WorkWithData<WorkData>(Command::kWorkData, "WORK_DATA"),
    WorkWithData<WorkWarning>(Command::kWorkWarning, "WORK_WARNING"),
    Grab<GrabKind::kUnique>(Command::kGrabJobUniq, "GRAB_JOB_UNIQ"),
    Packet<JobAssign, When<&JobAssign::kind, GrabKind::kUnique>>(
        Command::kJobAssignUniq, "JOB_ASSIGN_UNIQ", kServerToWorker,
        {{"handle", &JobAssign::handle, kKey},
         {"function", &JobAssign::function},
         {"unique", &JobAssign::unique, kKey}},
        &JobAssign::data),
    Submit<Priority::kHigh, true>(Command::kSubmitJobHighBg,
                                  "SUBMIT_JOB_HIGH_BG"),
    Submit<Priority::kLow, false>(Command::kSubmitJobLow, "SUBMIT_JOB_LOW"),
    Submit<Priority::kLow, true>(Command::kSubmitJobLowBg, "SUBMIT_JOB_LOW_BG"),
    Packet<SubmitJobScheduled>(
        Command::kSubmitJobSched, "SUBMIT_JOB_SCHED",
        kClientToServer | kNeverImplemented,
        {{"function", &SubmitJobScheduled::function},
         {"unique", &SubmitJobScheduled::unique, kKey},
         {"minute", &SubmitJobScheduled::minute},
         {"hour", &SubmitJobScheduled::hour},
         {"day_of_month", &SubmitJobScheduled::day_of_month},
         {"month", &SubmitJobScheduled::month},
         {"day_of_week", &SubmitJobScheduled::day_of_week}},
        &SubmitJobScheduled::data),
    Packet<SubmitJobEpoch>(Command::kSubmitJobEpoch, "SUBMIT_JOB_EPOCH",
                           kClientToServer,
                           {{"function", &SubmitJobEpoch::function},
                            {"unique", &SubmitJobEpoch::unique, kKey},
                            {"epoch", &SubmitJobEpoch::epoch, kEpoch}},
                           &SubmitJobEpoch::data),
    SubmitReduce<false>(Command::kSubmitReduceJob, "SUBMIT_REDUCE_JOB"),
    SubmitReduce<true>(Command::kSubmitReduceJobBackground,
                       "SUBMIT_REDUCE_JOB_BACKGROUND"),
    Grab<GrabKind::kAll>(Command::kGrabJobAll, "GRAB_JOB_ALL"),
    Packet<JobAssign, When<&JobAssign::kind, GrabKind::kAll>>(
        Command::kJobAssignAll, "JOB_ASSIGN_ALL", kServerToWorker,
        {{"handle", &JobAssign::handle, kKey},
         {"function", &JobAssign::function},
         {"unique", &JobAssign::unique, kKey},
         {"reducer", &JobAssign::reducer}},
        &JobAssign::data),
    Packet<GetStatusUnique>(Command::kGetStatusUnique, "GET_STATUS_UNIQUE",
                            kClientToServer,
                            {{"unique", &GetStatusUnique::unique, kKey}}),
    Packet<StatusResultUnique>(
        Command::kStatusResUnique, "STATUS_RES_UNIQUE", kServerToClient,
        {{"unique", &StatusResultUnique::unique, kKey},
         {"known", &StatusResultUnique::known, kNumber},
         {"running", &StatusResultUnique::running, kNumber},
         {"numerator", &StatusResultUnique::numerator, kNumber},
         {"denominator", &StatusResultUnique::denominator, kNumber},
         {"client_count", &StatusResultUnique::client_count, kNumber}}));

// The number of packets. The row of packet n is n - 1.
inline constexpr size_t kPacketCount = std::tuple_size_v<decltype(kPackets)>;
using Rows = std::make_index_sequence<kPacketCount>;
template <size_t kRow>
inline constexpr const auto& kPacket = std::get<kRow>(kPackets);
template <size_t kRow>
using MessageOf =
    typename std::tuple_element_t<kRow, decltype(kPackets)>::Message;

template <typename Message, size_t... kRow>
constexpr size_t NextRow(size_t from, std::index_sequence<kRow...>) {
  const bool has_message[] = {std::is_same_v<MessageOf<kRow>, Message>...};
  while (from < kPacketCount && !has_message[from]) ++from;
  return from;
}
// Returns the first row of a message from the row `from` on, or kPacketCount.
template <typename Message>
constexpr size_t NextRow(size_t from) {
  return NextRow<Message>(from, Rows());
}

}  // namespace layout
}  // namespace wire
}  // namespace gearman

#endif  // GEARMAN_CODECS_WIRE_PACKETS_H_
