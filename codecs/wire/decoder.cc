#include "gearman/codecs/wire/decoder.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace gearman {
namespace wire {
namespace {

using Verdict = FrameReader::Verdict;

// For last arguments, which may hold NULs by the framing but should hold none
// by their meaning. gearmand sends a WORK_FAIL in place of an exception with a
// NUL behind its handle, and accepts handles with one.
absl::string_view WithoutNuls(absl::string_view argument) {
  while (!argument.empty() && argument.back() == '\0') {
    argument.remove_suffix(1);
  }
  return argument;
}

// Bytes of an ERROR's text that are passed on. The text is copied into messages
// and logs.
constexpr size_t kMaxErrorText = 4096;

// gearmand, too, treats an argument that it passes on as a C string.
absl::string_view UntilNul(absl::string_view argument) {
  return argument.substr(0, argument.find('\0'));
}

Verdict JudgeResponse(FrameReader* reader, const Header& header,
                      const CommandInfo& info, bool allowed,
                      absl::string_view receiver) {
  if (!header.response) {
    reader->Fail(absl::StrCat(info.name, " with the magic of a request"));
    return Verdict::kError;
  }
  if (!allowed) {
    reader->Fail(
        absl::StrCat(info.name, ", which no server sends to a ", receiver));
    return Verdict::kError;
  }
  return Verdict::kRead;
}

Verdict Judge(FrameReader* reader, const Header& header,
              const CommandInfo& info, const ToClient*) {
  return JudgeResponse(reader, header, info, info.server_to_client, "client");
}

Verdict Judge(FrameReader* reader, const Header& header,
              const CommandInfo& info, const ToWorker*) {
  return JudgeResponse(reader, header, info, info.server_to_worker, "worker");
}

Verdict Judge(FrameReader*, const Header& header, const CommandInfo& info,
              const ToServer*) {
  return !header.response && info.to_server() ? Verdict::kRead : Verdict::kSkip;
}

void Build(Frame& frame, ToClient* event) {
  const auto& args = frame.arguments;
  switch (frame.info->command) {
    case Command::kJobCreated:
      event->emplace<JobCreated>(JobCreated{WithoutNuls(args[0])});
      return;
    case Command::kWorkStatus:
      event->emplace<WorkStatus>(
          WorkStatus{args[0], args[1], WithoutNuls(args[2])});
      return;
    case Command::kWorkComplete:
      event->emplace<WorkComplete>(
          WorkComplete{args[0], std::move(frame.data)});
      return;
    case Command::kWorkFail:
      event->emplace<WorkFail>(WorkFail{WithoutNuls(args[0])});
      return;
    case Command::kWorkException:
      event->emplace<WorkException>(
          WorkException{args[0], std::move(frame.data)});
      return;
    case Command::kWorkData:
      event->emplace<WorkData>(WorkData{args[0], std::move(frame.data)});
      return;
    case Command::kWorkWarning:
      event->emplace<WorkWarning>(WorkWarning{args[0], std::move(frame.data)});
      return;
    case Command::kStatusRes:
      event->emplace<StatusResult>(StatusResult{args[0], args[1], args[2],
                                                args[3], WithoutNuls(args[4])});
      return;
    case Command::kStatusResUnique:
      event->emplace<StatusResultUnique>(StatusResultUnique{
          args[0], args[1], args[2], args[3], args[4], WithoutNuls(args[5])});
      return;
    case Command::kEchoRes:
      event->emplace<EchoResponse>(EchoResponse{std::move(frame.data)});
      return;
    case Command::kOptionRes:
      event->emplace<OptionResponse>(OptionResponse{args[0]});
      return;
    default:  // ERROR; Judge lets no other packet through.
      event->emplace<Error>(
          Error{args[0], frame.data.view().substr(0, kMaxErrorText)});
      return;
  }
}

void Build(Frame& frame, ToWorker* event) {
  const auto& args = frame.arguments;
  switch (frame.info->command) {
    case Command::kNoop:
      event->emplace<Noop>();
      return;
    case Command::kNoJob:
      event->emplace<NoJob>();
      return;
    case Command::kJobAssign:
      event->emplace<JobAssign>(JobAssign{
          GrabKind::kPlain, args[0], args[1], {}, {}, std::move(frame.data)});
      return;
    case Command::kJobAssignUniq:
      event->emplace<JobAssign>(JobAssign{GrabKind::kUnique,
                                          args[0],
                                          args[1],
                                          args[2],
                                          {},
                                          std::move(frame.data)});
      return;
    case Command::kJobAssignAll:
      event->emplace<JobAssign>(JobAssign{GrabKind::kAll, args[0], args[1],
                                          args[2], args[3],
                                          std::move(frame.data)});
      return;
    case Command::kEchoRes:
      event->emplace<EchoResponse>(EchoResponse{std::move(frame.data)});
      return;
    case Command::kOptionRes:
      event->emplace<OptionResponse>(OptionResponse{args[0]});
      return;
    default:  // ERROR; Judge lets no other packet through.
      event->emplace<Error>(
          Error{args[0], frame.data.view().substr(0, kMaxErrorText)});
      return;
  }
}

void BuildSubmit(Frame& frame, Priority priority, bool background,
                 ToServer* event) {
  event->emplace<SubmitJob>(SubmitJob{priority, background, frame.arguments[0],
                                      frame.arguments[1],
                                      std::move(frame.data)});
}

void Build(Frame& frame, ToServer* event) {
  const auto& args = frame.arguments;
  if (frame.body == Frame::Body::kSkipped) {
    event->emplace<RefusedPacket>(
        frame.header.response
            ? RefusedPacket{"INVALID_MAGIC", "Request magic expected"}
            : RefusedPacket{"INVALID_COMMAND", "Command not expected"});
    return;
  }
  switch (frame.info->command) {
    case Command::kCanDo:
      event->emplace<CanDo>(CanDo{args[0]});
      return;
    case Command::kCantDo:
      event->emplace<CantDo>(CantDo{args[0]});
      return;
    case Command::kResetAbilities:
      event->emplace<ResetAbilities>();
      return;
    case Command::kPreSleep:
      event->emplace<PreSleep>();
      return;
    case Command::kSubmitJob:
      return BuildSubmit(frame, Priority::kNone, false, event);
    case Command::kSubmitJobBg:
      return BuildSubmit(frame, Priority::kNone, true, event);
    case Command::kSubmitJobHigh:
      return BuildSubmit(frame, Priority::kHigh, false, event);
    case Command::kSubmitJobHighBg:
      return BuildSubmit(frame, Priority::kHigh, true, event);
    case Command::kSubmitJobLow:
      return BuildSubmit(frame, Priority::kLow, false, event);
    case Command::kSubmitJobLowBg:
      return BuildSubmit(frame, Priority::kLow, true, event);
    case Command::kGrabJob:
      event->emplace<GrabJob>(GrabJob{GrabKind::kPlain});
      return;
    case Command::kGrabJobUniq:
      event->emplace<GrabJob>(GrabJob{GrabKind::kUnique});
      return;
    case Command::kGrabJobAll:
      event->emplace<GrabJob>(GrabJob{GrabKind::kAll});
      return;
    case Command::kWorkStatus:
      event->emplace<WorkStatus>(
          WorkStatus{args[0], args[1], UntilNul(args[2])});
      return;
    case Command::kWorkComplete:
      event->emplace<WorkComplete>(
          WorkComplete{args[0], std::move(frame.data)});
      return;
    case Command::kWorkFail:
      event->emplace<WorkFail>(WorkFail{UntilNul(args[0])});
      return;
    case Command::kWorkException:
      event->emplace<WorkException>(
          WorkException{args[0], std::move(frame.data)});
      return;
    case Command::kWorkData:
      event->emplace<WorkData>(WorkData{args[0], std::move(frame.data)});
      return;
    case Command::kWorkWarning:
      event->emplace<WorkWarning>(WorkWarning{args[0], std::move(frame.data)});
      return;
    case Command::kGetStatus:
      event->emplace<GetStatus>(GetStatus{UntilNul(args[0])});
      return;
    case Command::kGetStatusUnique:
      event->emplace<GetStatusUnique>(GetStatusUnique{UntilNul(args[0])});
      return;
    case Command::kEchoReq:
      event->emplace<EchoRequest>(EchoRequest{std::move(frame.data)});
      return;
    case Command::kOptionReq:
      event->emplace<OptionRequest>(OptionRequest{args[0]});
      return;
    case Command::kSetClientId:
      event->emplace<SetClientId>(SetClientId{args[0]});
      return;
    case Command::kCanDoTimeout:
      event->emplace<CanDoTimeout>(CanDoTimeout{args[0], args[1]});
      return;
    case Command::kAllYours:
      event->emplace<AllYours>();
      return;
    case Command::kSubmitJobEpoch:
      event->emplace<SubmitJobEpoch>(
          SubmitJobEpoch{args[0], args[1], args[2], std::move(frame.data)});
      return;
    case Command::kSubmitReduceJob:
    case Command::kSubmitReduceJobBackground:
      event->emplace<SubmitReduceJob>(SubmitReduceJob{
          frame.info->command == Command::kSubmitReduceJobBackground, args[0],
          args[1], args[2], args[3], std::move(frame.data)});
      return;
    default:  // SUBMIT_JOB_SCHED; Judge lets no other through.
      event->emplace<SubmitJobScheduled>(
          SubmitJobScheduled{args[0], args[1], args[2], args[3], args[4],
                             args[5], args[6], std::move(frame.data)});
      return;
  }
}

}  // namespace

template <typename Receiver>
DecodeResult Decoder<Receiver>::Next(Receiver* event) {
  const DecodeResult result = reader_.Next(
      &frame_, [this, event](const Header& header, const CommandInfo& info) {
        return Judge(&reader_, header, info, event);
      });
  if (result != DecodeResult::kMessage) return result;
  if (frame_.body == Frame::Body::kTooLarge) {
    event->template emplace<TooLargePacket>(
        TooLargePacket{frame_.info,
                       absl::MakeConstSpan(frame_.arguments.data(),
                                           frame_.info->argument_count),
                       uint64_t{frame_.header.body_bytes} + kHeaderBytes,
                       reader_.max_packet_bytes()});
  } else {
    Build(frame_, event);
  }
  return result;
}

template class Decoder<ToClient>;
template class Decoder<ToWorker>;
template class Decoder<ToServer>;

}  // namespace wire
}  // namespace gearman
