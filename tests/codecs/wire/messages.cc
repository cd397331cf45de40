#include "gearman/tests/codecs/wire/messages.h"

#include <array>
#include <initializer_list>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gearman/codecs/priority.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/tests/support/raw_packet.h"

namespace gearman {
namespace wire {
namespace {

using support::RequestPacket;
using support::ResponsePacket;

constexpr char kHandle[] = "H:machine:42";
// Data that a reader of C strings would misread.
const std::string& Bytes() {
  static const std::string* const bytes = new std::string("\0a\0\0REQ\0", 8);
  return *bytes;
}

Payload View(const std::string& bytes) { return Payload::View(bytes); }

// --- description ------------------------------------------------------------

std::string Words(absl::string_view name,
                  std::initializer_list<absl::string_view> arguments) {
  std::string text(name);
  for (const absl::string_view argument : arguments) {
    absl::StrAppend(&text, " \"", absl::CHexEscape(argument), "\"");
  }
  return text;
}

absl::string_view KindName(GrabKind kind) {
  switch (kind) {
    case GrabKind::kPlain:
      return "plain";
    case GrabKind::kUnique:
      return "unique";
    case GrabKind::kAll:
      return "all";
  }
  return "?";
}

absl::string_view Mode(bool background) {
  return background ? "background" : "foreground";
}

struct Describer {
  std::string operator()(const CanDo& m) {
    return Words("CanDo", {m.function});
  }
  std::string operator()(const CanDoTimeout& m) {
    return Words("CanDoTimeout", {m.function, m.timeout_ms});
  }
  std::string operator()(const CantDo& m) {
    return Words("CantDo", {m.function});
  }
  std::string operator()(const ResetAbilities&) { return "ResetAbilities"; }
  std::string operator()(const PreSleep&) { return "PreSleep"; }
  std::string operator()(const AllYours&) { return "AllYours"; }
  std::string operator()(const SetClientId& m) {
    return Words("SetClientId", {m.id});
  }
  std::string operator()(const GrabJob& m) {
    return Words("GrabJob", {KindName(m.kind)});
  }
  std::string operator()(const WorkStatus& m) {
    return Words("WorkStatus", {m.handle, m.numerator, m.denominator});
  }
  std::string operator()(const WorkComplete& m) {
    return Words("WorkComplete", {m.handle, m.data.view()});
  }
  std::string operator()(const WorkFail& m) {
    return Words("WorkFail", {m.handle});
  }
  std::string operator()(const WorkException& m) {
    return Words("WorkException", {m.handle, m.data.view()});
  }
  std::string operator()(const WorkData& m) {
    return Words("WorkData", {m.handle, m.data.view()});
  }
  std::string operator()(const WorkWarning& m) {
    return Words("WorkWarning", {m.handle, m.data.view()});
  }
  std::string operator()(const SubmitJob& m) {
    return Words("SubmitJob", {PriorityName(m.priority), Mode(m.background),
                               m.function, m.unique, m.data.view()});
  }
  std::string operator()(const SubmitJobScheduled& m) {
    return Words("SubmitJobScheduled",
                 {m.function, m.unique, m.minute, m.hour, m.day_of_month,
                  m.month, m.day_of_week, m.data.view()});
  }
  std::string operator()(const SubmitJobEpoch& m) {
    return Words("SubmitJobEpoch",
                 {m.function, m.unique, m.epoch, m.data.view()});
  }
  std::string operator()(const SubmitReduceJob& m) {
    return Words("SubmitReduceJob", {Mode(m.background), m.function, m.unique,
                                     m.reducer, m.unused, m.data.view()});
  }
  std::string operator()(const GetStatus& m) {
    return Words("GetStatus", {m.handle});
  }
  std::string operator()(const GetStatusUnique& m) {
    return Words("GetStatusUnique", {m.unique});
  }
  std::string operator()(const EchoRequest& m) {
    return Words("EchoRequest", {m.data.view()});
  }
  std::string operator()(const OptionRequest& m) {
    return Words("OptionRequest", {m.option});
  }
  std::string operator()(const EchoResponse& m) {
    return Words("EchoResponse", {m.data.view()});
  }
  std::string operator()(const OptionResponse& m) {
    return Words("OptionResponse", {m.option});
  }
  std::string operator()(const Error& m) {
    return Words("Error", {m.code, m.text});
  }
  std::string operator()(const JobCreated& m) {
    return Words("JobCreated", {m.handle});
  }
  std::string operator()(const StatusResult& m) {
    return Words("StatusResult",
                 {m.handle, m.known, m.running, m.numerator, m.denominator});
  }
  std::string operator()(const StatusResultUnique& m) {
    return Words("StatusResultUnique",
                 {m.unique, m.known, m.running, m.numerator, m.denominator,
                  m.client_count});
  }
  std::string operator()(const Noop&) { return "Noop"; }
  std::string operator()(const NoJob&) { return "NoJob"; }
  std::string operator()(const JobAssign& m) {
    return Words("JobAssign", {KindName(m.kind), m.handle, m.function, m.unique,
                               m.reducer, m.data.view()});
  }
  std::string operator()(const RefusedPacket& m) {
    return Words("RefusedPacket", {m.code, m.text});
  }
  std::string operator()(const PayloadBegins& m) {
    return absl::StrCat("PayloadBegins ", m.info->name, " ", m.argument, " ",
                        m.size);
  }
  std::string operator()(const PayloadPiece& m) {
    return absl::StrCat("PayloadPiece ", m.bytes, " ", m.left);
  }
  std::string operator()(const TooLargePacket& m) {
    return absl::StrCat("TooLargePacket ", absl::StrJoin(m.arguments, "|"),
                        ": ", m.Describe());
  }
};

// --- encoding ---------------------------------------------------------------

struct RequestEncoder {
  OutputBuffer& out;
  template <typename Message>
  absl::Status operator()(const Message& message) {
    return Encode(message, out);
  }
  absl::Status operator()(const RefusedPacket&) {
    return absl::InternalError("no packet");
  }
  absl::Status operator()(const TooLargePacket&) {
    return absl::InternalError("no packet");
  }
};

struct ResponseEncoder {
  OutputBuffer& out;
  template <typename Message>
  absl::Status operator()(const Message& message) {
    return Encode(message, out, Sender::kServer);
  }
  absl::Status operator()(const PayloadBegins&) {
    return absl::InternalError("no packet");
  }
  absl::Status operator()(const PayloadPiece&) {
    return absl::InternalError("no packet");
  }
  absl::Status operator()(const TooLargePacket&) {
    return absl::InternalError("no packet");
  }
};

// --- examples ---------------------------------------------------------------

template <typename Receiver>
void AddWork(std::vector<Example<Receiver>>* examples,
             std::string (*packet)(uint32_t, const std::vector<std::string>&)) {
  const std::string handle = kHandle;
  examples->push_back({"WorkStatus", WorkStatus{kHandle, "7", "10"},
                       packet(12, {handle, "7", "10"})});
  examples->push_back({"WorkStatusWithoutNumbers", WorkStatus{kHandle, "", ""},
                       packet(12, {handle, "", ""})});
  examples->push_back({"WorkComplete", WorkComplete{kHandle, View(Bytes())},
                       packet(13, {handle, Bytes()})});
  examples->push_back({"WorkCompleteEmpty", WorkComplete{kHandle, {}},
                       packet(13, {handle, ""})});
  examples->push_back({"WorkFail", WorkFail{kHandle}, packet(14, {handle})});
  examples->push_back({"WorkException", WorkException{kHandle, View(Bytes())},
                       packet(25, {handle, Bytes()})});
  examples->push_back({"WorkData", WorkData{kHandle, View(Bytes())},
                       packet(28, {handle, Bytes()})});
  examples->push_back(
      {"WorkDataEmpty", WorkData{kHandle, {}}, packet(28, {handle, ""})});
  examples->push_back({"WorkWarning", WorkWarning{kHandle, View(Bytes())},
                       packet(29, {handle, Bytes()})});
}

template <typename Receiver>
void AddResponsesToBoth(std::vector<Example<Receiver>>* examples) {
  examples->push_back({"EchoResponse", EchoResponse{View(Bytes())},
                       ResponsePacket(17, {Bytes()})});
  examples->push_back(
      {"EchoResponseEmpty", EchoResponse{}, ResponsePacket(17, {})});
  examples->push_back({"OptionResponse", OptionResponse{"exceptions"},
                       ResponsePacket(27, {"exceptions"})});
  examples->push_back(
      {"Error", Error{"QUEUE_ERROR", "Job queue is full"},
       ResponsePacket(19, {"QUEUE_ERROR", "Job queue is full"})});
  examples->push_back({"ErrorWithoutText", Error{"server_error", ""},
                       ResponsePacket(19, {"server_error", ""})});
}

}  // namespace

std::vector<Example<ToServer>> ExamplesToServer() {
  std::vector<Example<ToServer>> examples = {
      {"CanDo", CanDo{"reverse"}, RequestPacket(1, {"reverse"})},
      {"CanDoOfNoName", CanDo{""}, RequestPacket(1, {""})},
      {"CantDo", CantDo{"reverse"}, RequestPacket(2, {"reverse"})},
      {"ResetAbilities", ResetAbilities{}, RequestPacket(3)},
      {"PreSleep", PreSleep{}, RequestPacket(4)},
      {"GrabJob", GrabJob{GrabKind::kPlain}, RequestPacket(9)},
      {"GetStatus", GetStatus{kHandle}, RequestPacket(15, {kHandle})},
      {"EchoRequest", EchoRequest{View(Bytes())}, RequestPacket(16, {Bytes()})},
      {"EchoRequestEmpty", EchoRequest{}, RequestPacket(16)},
      {"SetClientId", SetClientId{"id 7"}, RequestPacket(22, {"id 7"})},
      {"CanDoTimeout", CanDoTimeout{"reverse", "1500"},
       RequestPacket(23, {"reverse", "1500"})},
      {"AllYours", AllYours{}, RequestPacket(24)},
      {"OptionRequest", OptionRequest{"exceptions"},
       RequestPacket(26, {"exceptions"})},
      {"GrabJobUniq", GrabJob{GrabKind::kUnique}, RequestPacket(30)},
      {"SubmitJobSched",
       SubmitJobScheduled{"f", "u", "0", "12", "1", "6", "5", View(Bytes())},
       RequestPacket(35, {"f", "u", "0", "12", "1", "6", "5", Bytes()})},
      {"SubmitJobEpoch",
       SubmitJobEpoch{"f", "u", "9223372036854775807", View(Bytes())},
       RequestPacket(36, {"f", "u", "9223372036854775807", Bytes()})},
      {"SubmitReduceJob",
       SubmitReduceJob{false, "f", "u", "merge", "", View(Bytes())},
       RequestPacket(37, {"f", "u", "merge", "", Bytes()})},
      {"SubmitReduceJobBackground",
       SubmitReduceJob{true, "f", "u", "merge", "x", {}},
       RequestPacket(38, {"f", "u", "merge", "x", ""})},
      {"GrabJobAll", GrabJob{GrabKind::kAll}, RequestPacket(39)},
      {"GetStatusUnique", GetStatusUnique{"u"}, RequestPacket(41, {"u"})},
  };
  const struct {
    absl::string_view name;
    uint32_t type;
    Priority priority;
    bool background;
  } submits[] = {
      {"SubmitJob", 7, Priority::kNone, false},
      {"SubmitJobBg", 18, Priority::kNone, true},
      {"SubmitJobHigh", 21, Priority::kHigh, false},
      {"SubmitJobHighBg", 32, Priority::kHigh, true},
      {"SubmitJobLow", 33, Priority::kLow, false},
      {"SubmitJobLowBg", 34, Priority::kLow, true},
  };
  for (const auto& submit : submits) {
    examples.push_back(
        {std::string(submit.name),
         SubmitJob{submit.priority, submit.background, "reverse", "u 1",
                   View(Bytes())},
         RequestPacket(submit.type, {"reverse", "u 1", Bytes()})});
    examples.push_back(
        {absl::StrCat(submit.name, "Empty"),
         SubmitJob{submit.priority, submit.background, "reverse", "", {}},
         RequestPacket(submit.type, {"reverse", "", ""})});
  }
  AddWork(&examples, &RequestPacket);
  return examples;
}

std::vector<Example<ToClient>> ExamplesToClient() {
  std::vector<Example<ToClient>> examples = {
      {"JobCreated", JobCreated{kHandle}, ResponsePacket(8, {kHandle})},
      {"StatusRes", StatusResult{kHandle, "1", "0", "7", "4294967295"},
       ResponsePacket(20, {kHandle, "1", "0", "7", "4294967295"})},
      {"StatusResEmpty", StatusResult{kHandle, "1", "1", "", ""},
       ResponsePacket(20, {kHandle, "1", "1", "", ""})},
      {"StatusResUnique", StatusResultUnique{"u", "1", "1", "0", "0", "12"},
       ResponsePacket(42, {"u", "1", "1", "0", "0", "12"})},
  };
  AddWork(&examples, &ResponsePacket);
  AddResponsesToBoth(&examples);
  return examples;
}

std::vector<Example<ToWorker>> ExamplesToWorker() {
  std::vector<Example<ToWorker>> examples = {
      {"Noop", Noop{}, ResponsePacket(6)},
      {"NoJob", NoJob{}, ResponsePacket(10)},
      {"JobAssign",
       JobAssign{GrabKind::kPlain, kHandle, "reverse", "", "", View(Bytes())},
       ResponsePacket(11, {kHandle, "reverse", Bytes()})},
      {"JobAssignEmpty",
       JobAssign{GrabKind::kPlain, kHandle, "reverse", "", "", {}},
       ResponsePacket(11, {kHandle, "reverse", ""})},
      {"JobAssignUniq",
       JobAssign{GrabKind::kUnique, kHandle, "reverse", "u", "", View(Bytes())},
       ResponsePacket(31, {kHandle, "reverse", "u", Bytes()})},
      {"JobAssignUniqWithoutUnique",
       JobAssign{GrabKind::kUnique, kHandle, "reverse", "", "", {}},
       ResponsePacket(31, {kHandle, "reverse", "", ""})},
      {"JobAssignAll",
       JobAssign{GrabKind::kAll, kHandle, "map", "u", "merge", View(Bytes())},
       ResponsePacket(40, {kHandle, "map", "u", "merge", Bytes()})},
  };
  AddResponsesToBoth(&examples);
  return examples;
}

template <>
std::vector<Example<ToServer>> Examples<ToServer>() {
  return ExamplesToServer();
}
template <>
std::vector<Example<ToClient>> Examples<ToClient>() {
  return ExamplesToClient();
}
template <>
std::vector<Example<ToWorker>> Examples<ToWorker>() {
  return ExamplesToWorker();
}

std::string Describe(const ToServer& message) {
  return std::visit(Describer(), message);
}
std::string Describe(const ToClient& message) {
  return std::visit(Describer(), message);
}
std::string Describe(const ToWorker& message) {
  return std::visit(Describer(), message);
}

absl::Status EncodeTo(const ToServer& message, OutputBuffer& out) {
  return std::visit(RequestEncoder{out}, message);
}
absl::Status EncodeTo(const ToClient& message, OutputBuffer& out) {
  return std::visit(ResponseEncoder{out}, message);
}
absl::Status EncodeTo(const ToWorker& message, OutputBuffer& out) {
  return std::visit(ResponseEncoder{out}, message);
}

std::string Drain(OutputBuffer& out) {
  std::string bytes;
  std::array<absl::string_view, 16> pieces;
  while (!out.empty()) {
    const size_t count = out.Gather(absl::MakeSpan(pieces));
    size_t size = 0;
    for (size_t i = 0; i < count; ++i) {
      absl::StrAppend(&bytes, pieces[i]);
      size += pieces[i].size();
    }
    out.Consume(size);
  }
  return bytes;
}

}  // namespace wire
}  // namespace gearman
