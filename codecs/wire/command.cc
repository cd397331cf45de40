#include "gearman/codecs/wire/command.h"

#include <cstring>

namespace gearman {
namespace wire {
namespace {

// The directions of packets.
enum Way : unsigned {
  kClientToServer = 1,
  kWorkerToServer = 2,
  kServerToClient = 4,
  kServerToWorker = 8,
  kBothToServer = kClientToServer | kWorkerToServer,
  kServerToBoth = kServerToClient | kServerToWorker,
  kForwarded = kWorkerToServer | kServerToClient,
};

template <size_t kCount>
constexpr CommandInfo Row(Command command, absl::string_view name, unsigned way,
                          const char* const (&arguments)[kCount],
                          bool has_data = false) {
  CommandInfo info{command,
                   name,
                   (way & kClientToServer) != 0,
                   (way & kWorkerToServer) != 0,
                   (way & kServerToClient) != 0,
                   (way & kServerToWorker) != 0,
                   {},
                   0,
                   has_data,
                   false};
  for (size_t i = 0; i < kCount && arguments[i][0] != '\0'; ++i) {
    info.arguments[info.argument_count++] = arguments[i];
  }
  return info;
}

constexpr CommandInfo Unused(CommandInfo info) {
  info.never_implemented = true;
  return info;
}

constexpr bool kData = true;
constexpr const char* kNone[] = {""};

constexpr CommandInfo kCommands[] = {
    Row(Command::kCanDo, "CAN_DO", kWorkerToServer, {"function"}),
    Row(Command::kCantDo, "CANT_DO", kWorkerToServer, {"function"}),
    Row(Command::kResetAbilities, "RESET_ABILITIES", kWorkerToServer, kNone),
    Row(Command::kPreSleep, "PRE_SLEEP", kWorkerToServer, kNone),
    Unused(Row(Command::kUnused5, "UNUSED_5", 0, kNone)),
    Row(Command::kNoop, "NOOP", kServerToWorker, kNone),
    Row(Command::kSubmitJob, "SUBMIT_JOB", kClientToServer,
        {"function", "unique"}, kData),
    Row(Command::kJobCreated, "JOB_CREATED", kServerToClient, {"handle"}),
    Row(Command::kGrabJob, "GRAB_JOB", kWorkerToServer, kNone),
    Row(Command::kNoJob, "NO_JOB", kServerToWorker, kNone),
    Row(Command::kJobAssign, "JOB_ASSIGN", kServerToWorker,
        {"handle", "function"}, kData),
    Row(Command::kWorkStatus, "WORK_STATUS", kForwarded,
        {"handle", "numerator", "denominator"}),
    Row(Command::kWorkComplete, "WORK_COMPLETE", kForwarded, {"handle"}, kData),
    Row(Command::kWorkFail, "WORK_FAIL", kForwarded, {"handle"}),
    Row(Command::kGetStatus, "GET_STATUS", kClientToServer, {"handle"}),
    Row(Command::kEchoReq, "ECHO_REQ", kBothToServer, kNone, kData),
    Row(Command::kEchoRes, "ECHO_RES", kServerToBoth, kNone, kData),
    Row(Command::kSubmitJobBg, "SUBMIT_JOB_BG", kClientToServer,
        {"function", "unique"}, kData),
    // The text runs to the end and may hold NULs, so this table calls it data.
    Row(Command::kError, "ERROR", kServerToBoth, {"code"}, kData),
    Row(Command::kStatusRes, "STATUS_RES", kServerToClient,
        {"handle", "known", "running", "numerator", "denominator"}),
    Row(Command::kSubmitJobHigh, "SUBMIT_JOB_HIGH", kClientToServer,
        {"function", "unique"}, kData),
    Row(Command::kSetClientId, "SET_CLIENT_ID", kWorkerToServer, {"id"}),
    Row(Command::kCanDoTimeout, "CAN_DO_TIMEOUT", kWorkerToServer,
        {"function", "timeout"}),
    Unused(Row(Command::kAllYours, "ALL_YOURS", kWorkerToServer, kNone)),
    Row(Command::kWorkException, "WORK_EXCEPTION", kForwarded, {"handle"},
        kData),
    Row(Command::kOptionReq, "OPTION_REQ", kBothToServer, {"option"}),
    Row(Command::kOptionRes, "OPTION_RES", kServerToBoth, {"option"}),
    Row(Command::kWorkData, "WORK_DATA", kForwarded, {"handle"}, kData),
    Row(Command::kWorkWarning, "WORK_WARNING", kForwarded, {"handle"}, kData),
    Row(Command::kGrabJobUniq, "GRAB_JOB_UNIQ", kWorkerToServer, kNone),
    Row(Command::kJobAssignUniq, "JOB_ASSIGN_UNIQ", kServerToWorker,
        {"handle", "function", "unique"}, kData),
    Row(Command::kSubmitJobHighBg, "SUBMIT_JOB_HIGH_BG", kClientToServer,
        {"function", "unique"}, kData),
    Row(Command::kSubmitJobLow, "SUBMIT_JOB_LOW", kClientToServer,
        {"function", "unique"}, kData),
    Row(Command::kSubmitJobLowBg, "SUBMIT_JOB_LOW_BG", kClientToServer,
        {"function", "unique"}, kData),
    Unused(Row(Command::kSubmitJobSched, "SUBMIT_JOB_SCHED", kClientToServer,
               {"function", "unique", "minute", "hour", "day_of_month", "month",
                "day_of_week"},
               kData)),
    Row(Command::kSubmitJobEpoch, "SUBMIT_JOB_EPOCH", kClientToServer,
        {"function", "unique", "epoch"}, kData),
    Row(Command::kSubmitReduceJob, "SUBMIT_REDUCE_JOB", kClientToServer,
        {"function", "unique", "reducer", "unused"}, kData),
    Row(Command::kSubmitReduceJobBackground, "SUBMIT_REDUCE_JOB_BACKGROUND",
        kClientToServer, {"function", "unique", "reducer", "unused"}, kData),
    Row(Command::kGrabJobAll, "GRAB_JOB_ALL", kWorkerToServer, kNone),
    Row(Command::kJobAssignAll, "JOB_ASSIGN_ALL", kServerToWorker,
        {"handle", "function", "unique", "reducer"}, kData),
    Row(Command::kGetStatusUnique, "GET_STATUS_UNIQUE", kClientToServer,
        {"unique"}),
    Row(Command::kStatusResUnique, "STATUS_RES_UNIQUE", kServerToClient,
        {"unique", "known", "running", "numerator", "denominator",
         "client_count"}),
};
static_assert(sizeof(kCommands) / sizeof(kCommands[0]) == kLastCommand,
              "one row for each number");

void WriteNumber(uint32_t value, char* out) {
  out[0] = static_cast<char>(value >> 24);
  out[1] = static_cast<char>(value >> 16);
  out[2] = static_cast<char>(value >> 8);
  out[3] = static_cast<char>(value);
}

uint32_t ReadNumber(const char* bytes) {
  // Written without a loop, because compilers then make one load of it.
  const auto byte = [bytes](int i) {
    return uint32_t{static_cast<unsigned char>(bytes[i])};
  };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

}  // namespace

absl::Span<const CommandInfo> Commands() { return kCommands; }

const CommandInfo* FindCommand(uint32_t number) {
  if (number == 0 || number > kLastCommand) return nullptr;
  return &kCommands[number - 1];
}

absl::string_view CommandName(uint32_t number) {
  const CommandInfo* info = FindCommand(number);
  return info == nullptr ? absl::string_view("UNKNOWN") : info->name;
}

void WriteHeader(const Header& header, char* out) {
  const absl::string_view magic =
      header.response ? kResponseMagic : kRequestMagic;
  std::memcpy(out, magic.data(), 4);
  WriteNumber(header.type, out + 4);
  WriteNumber(header.body_bytes, out + 8);
}

bool ReadHeader(const char* bytes, Header* header) {
  if (std::memcmp(bytes, kRequestMagic.data(), 4) == 0) {
    header->response = false;
  } else if (std::memcmp(bytes, kResponseMagic.data(), 4) == 0) {
    header->response = true;
  } else {
    return false;
  }
  header->type = ReadNumber(bytes + 4);
  header->body_bytes = ReadNumber(bytes + 8);
  return true;
}

}  // namespace wire
}  // namespace gearman
