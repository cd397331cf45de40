#include "gearman/sdk/values/status_facts.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace internal {
namespace {

// The letters of the items.
constexpr char kOperation = 'o';
constexpr char kTask = 't';
constexpr char kServer = 's';
constexpr char kHandle = 'h';
constexpr char kAttempt = 'a';
constexpr char kMaxAttempts = 'm';
constexpr char kBytesSent = 'b';
constexpr char kFailed = 'f';
constexpr char kException = 'x';

// The message says whether bytes were sent by one of these.
constexpr absl::string_view kSent = "bytes sent";
constexpr absl::string_view kNotSent = "no byte sent";

uint32_t Checksum(absl::string_view bytes) {
  uint32_t sum = 2166136261u;
  for (const char byte : bytes) {
    sum = (sum ^ static_cast<unsigned char>(byte)) * 16777619u;
  }
  return sum;
}

class Encoder {
 public:
  explicit Encoder(absl::string_view message) : message_(message) {}

  void Add(char letter, absl::string_view value) {
    const std::string shown = SafeText(value);
    const size_t place = message_.find(shown);
    if (place == absl::string_view::npos) return Put(letter, value);
    PutPlace(letter, place, shown.size(), "");
  }
  void AddIfSet(char letter, absl::string_view value) {
    if (!value.empty()) Add(letter, value);
  }
  // The message may end with the exception, without the ends of its lines.
  void AddException(absl::string_view exception) {
    const std::string shown = SafeMessage(exception);
    if (!absl::EndsWith(message_, shown)) return Put(kException, exception);
    PutPlace(kException, message_.size() - shown.size(), shown.size(),
             exception.substr(FromSafeText(shown).size()));
  }
  // Adds a fact that is true.
  void AddMark(char letter) { absl::StrAppend(&items_, " ", Letter(letter)); }

  std::string Finish() const {
    const absl::string_view checked = message_.substr(message_.size() - end_);
    return absl::StrCat(end_, " ", absl::Hex(Checksum(checked)), items_);
  }

 private:
  static absl::string_view Letter(const char& letter) { return {&letter, 1}; }
  void Put(char letter, absl::string_view value) {
    absl::StrAppend(&items_, " ", Letter(letter));
    if (!value.empty()) absl::StrAppend(&items_, "=", value.size(), ":", value);
  }
  void PutPlace(char letter, size_t place, size_t length,
                absl::string_view rest) {
    const size_t from = message_.size() - place;
    end_ = std::max(end_, from);
    absl::StrAppend(&items_, " ", Letter(letter), from, "+", length);
    if (!rest.empty()) absl::StrAppend(&items_, "=", rest.size(), ":", rest);
  }

  const absl::string_view message_;
  size_t end_ = 0;
  std::string items_;
};

// Reads a payload, which may be anything.
class Decoder {
 public:
  Decoder(absl::string_view payload, absl::string_view message)
      : rest_(payload), message_(message) {}

  // Returns false if the payload does not belong to the message.
  bool ReadHead() {
    size_t end = 0;
    if (!ReadNumber(&end) || end > message_.size() || !Skip(' ')) return false;
    const absl::string_view sum = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(sum.size());
    return sum == absl::StrCat(absl::Hex(
                      Checksum(message_.substr(message_.size() - end))));
  }
  bool done() const { return rest_.empty(); }
  // Returns false if the item can't be read.
  bool ReadItem(char* letter, std::string* value) {
    if (!Skip(' ') || rest_.empty()) return false;
    *letter = rest_.front();
    rest_.remove_prefix(1);
    value->clear();
    size_t from = 0;
    size_t length = 0;
    if (!rest_.empty() && rest_.front() != ' ' && rest_.front() != '=') {
      if (!ReadNumber(&from) || !Skip('+') || !ReadNumber(&length))
        return false;
      if (from > message_.size() || length > from) return false;
      *value = FromSafeText(message_.substr(message_.size() - from, length));
    }
    if (!Skip('=')) return true;
    if (!ReadNumber(&length) || !Skip(':') || length > rest_.size()) {
      return false;
    }
    absl::StrAppend(value, rest_.substr(0, length));
    rest_.remove_prefix(length);
    return true;
  }

 private:
  bool Skip(char c) {
    return absl::ConsumePrefix(&rest_, absl::string_view(&c, 1));
  }
  bool ReadNumber(size_t* number) {
    size_t digits = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' &&
           rest_[digits] <= '9') {
      ++digits;
    }
    uint64_t value = 0;
    if (!absl::SimpleAtoi(rest_.substr(0, digits), &value)) return false;
    *number = value;
    rest_.remove_prefix(digits);
    return true;
  }

  absl::string_view rest_;
  const absl::string_view message_;
};

int Number(const std::string& text) {
  int number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

std::string EncodeFacts(const StatusFacts& facts, absl::string_view message) {
  Encoder encoder(message);
  encoder.AddIfSet(kOperation, facts.operation);
  encoder.AddIfSet(kTask, facts.task);
  encoder.AddIfSet(kServer, facts.server);
  encoder.AddIfSet(kHandle, facts.handle);
  if (facts.attempt > 0) encoder.Add(kAttempt, absl::StrCat(facts.attempt));
  if (facts.max_attempts > 0) {
    encoder.Add(kMaxAttempts, absl::StrCat(facts.max_attempts));
  }
  if (facts.bytes_sent.has_value()) {
    encoder.Add(kBytesSent, *facts.bytes_sent ? kSent : kNotSent);
  }
  if (facts.failed) encoder.AddMark(kFailed);
  if (facts.exception.has_value()) encoder.AddException(*facts.exception);
  return encoder.Finish();
}

StatusFacts DecodeFacts(absl::string_view payload, absl::string_view message) {
  Decoder decoder(payload, message);
  if (!decoder.ReadHead()) return StatusFacts();
  StatusFacts facts;
  while (!decoder.done()) {
    char letter = ' ';
    std::string value;
    if (!decoder.ReadItem(&letter, &value)) return StatusFacts();
    switch (letter) {
      case kOperation:
        facts.operation = std::move(value);
        break;
      case kTask:
        facts.task = std::move(value);
        break;
      case kServer:
        facts.server = std::move(value);
        break;
      case kHandle:
        facts.handle = std::move(value);
        break;
      case kAttempt:
        facts.attempt = Number(value);
        break;
      case kMaxAttempts:
        facts.max_attempts = Number(value);
        break;
      case kBytesSent:
        facts.bytes_sent = value == kSent;
        break;
      case kFailed:
        facts.failed = true;
        break;
      case kException:
        facts.exception = std::move(value);
        break;
      default:
        break;  // of a later version
    }
  }
  return facts;
}

}  // namespace internal
}  // namespace gearman
