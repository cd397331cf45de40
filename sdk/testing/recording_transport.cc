#include "gearman/sdk/testing/recording_transport.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/frame_reader.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace testing {
namespace {

// Whether `line` is `pattern`, in which each "*" stands for any characters.
bool Matches(absl::string_view pattern, absl::string_view line) {
  // The last "*" takes one more character whenever the text behind it differs.
  size_t star = absl::string_view::npos;
  size_t taken = 0;
  size_t p = 0;
  size_t l = 0;
  while (l < line.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = l;
    } else if (p < pattern.size() && pattern[p] == line[l]) {
      ++p;
      ++l;
    } else if (star != absl::string_view::npos) {
      p = star + 1;
      l = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

// --- Traffic -------------------------------------------------------------------

void Traffic::Add(std::string line) {
  absl::MutexLock lock(&mutex_);
  lines_.push_back(std::move(line));
}

std::vector<std::string> Traffic::lines() const {
  absl::MutexLock lock(&mutex_);
  return lines_;
}

std::string Traffic::text() const {
  std::string text;
  for (const std::string& line : lines()) absl::StrAppend(&text, line, "\n");
  return text;
}

void Traffic::Clear() {
  absl::MutexLock lock(&mutex_);
  lines_.clear();
}

std::string Traffic::Difference(StringView golden) const {
  std::vector<absl::string_view> expected;
  for (absl::string_view line :
       absl::StrSplit(absl::string_view(golden), '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty()) expected.push_back(line);
  }
  const std::vector<std::string> actual = lines();
  const size_t count = std::max(expected.size(), actual.size());
  for (size_t i = 0; i < count; ++i) {
    const bool both = i < expected.size() && i < actual.size();
    if (both && Matches(expected[i], actual[i])) continue;
    return absl::StrCat(
        "packet ", i + 1, ": expected ",
        i < expected.size() ? expected[i] : "no more packets", "\n  but was ",
        i < actual.size() ? actual[i] : "the end of the traffic",
        "\nthe whole traffic:\n", absl::StrJoin(actual, "\n"), "\n");
  }
  return "";
}

// --- RecordingTransport --------------------------------------------------------

// One direction of a connection.
class RecordingTransport::Direction {
 public:
  Direction(absl::string_view mark, std::shared_ptr<Traffic> traffic)
      : mark_(mark),
        traffic_(std::move(traffic)),
        reader_(wire::DecoderOptions()) {}

  void OnBytes(absl::string_view bytes) {
    while (!bytes.empty() && !broken_) {
      const absl::Span<char> room = reader_.Prepare();
      const size_t part = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), part);
      reader_.Commit(part);
      bytes.remove_prefix(part);
      AddPackets();
    }
  }

 private:
  void AddPackets() {
    wire::Frame frame;
    for (;;) {
      switch (reader_.Next(&frame,
                           [](const wire::Header&, const wire::CommandInfo&) {
                             return wire::FrameReader::Verdict::kRead;
                           })) {
        case wire::DecodeResult::kMessage:
          AddPacket(frame);
          continue;
        case wire::DecodeResult::kNeedMore:
          return;
        case wire::DecodeResult::kError:
          traffic_->Add(absl::StrCat(
              mark_, " no packet: ", SafeMessage(reader_.error().message())));
          broken_ = true;
          return;
      }
    }
  }
  void AddPacket(const wire::Frame& frame) {
    const wire::CommandInfo& info = *frame.info;
    std::string line = absl::StrCat(mark_, " ", info.name);
    for (size_t i = 0; i < info.argument_count; ++i) {
      AppendValue(info.arguments[i], frame.arguments[i], &line);
    }
    if (frame.body == wire::Frame::Body::kTooLarge) {
      absl::StrAppend(&line, " data too large to show");
    } else if (info.has_data) {
      AppendValue("data", frame.data.view(), &line);
    }
    traffic_->Add(std::move(line));
  }
  void AppendValue(absl::string_view name, absl::string_view value,
                   std::string* line) const {
    absl::StrAppend(
        line, " ", name, "=\"",
        EscapeBytes(SafeText(value, traffic_->max_value_bytes()), "\""), "\"");
  }

  const absl::string_view mark_;
  const std::shared_ptr<Traffic> traffic_;
  wire::FrameReader reader_;
  bool broken_ = false;
};

RecordingTransport::RecordingTransport(std::unique_ptr<Transport> next,
                                       std::shared_ptr<Traffic> traffic)
    : ForwardingTransport(std::move(next)),
      sent_(std::make_unique<Direction>(">", traffic)),
      received_(std::make_unique<Direction>("<", std::move(traffic))) {}

RecordingTransport::~RecordingTransport() = default;

IoResult RecordingTransport::Read(absl::Span<char> into) {
  IoResult result = next().Read(into);
  if (result.done()) {
    received_->OnBytes(absl::string_view(into.data(), result.bytes));
  }
  return result;
}

IoResult RecordingTransport::Write(absl::Span<const absl::string_view> pieces) {
  IoResult result = next().Write(pieces);
  if (!result.done()) return result;
  size_t left = result.bytes;
  for (const absl::string_view piece : pieces) {
    if (left == 0) break;
    const absl::string_view written = piece.substr(0, left);
    left -= written.size();
    sent_->OnBytes(written);
  }
  return result;
}

// --- RecordingTransportFactory -------------------------------------------------

absl::StatusOr<std::unique_ptr<Transport>> RecordingTransportFactory::Create(
    const Address& address, Poller* poller, Poller::Key key) {
  absl::StatusOr<std::unique_ptr<Transport>> next =
      next_->Create({scheme_, address.authority}, poller, key);
  if (!next.ok()) return next.status();
  return std::make_unique<RecordingTransport>(*std::move(next), traffic_);
}

absl::Status RecordingTransportFactory::Check(const Address& address) {
  return next_->Check({scheme_, address.authority});
}

}  // namespace testing
}  // namespace gearman
