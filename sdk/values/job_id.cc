#include "gearman/sdk/job_id.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/text/safe_text.h"

namespace gearman {
namespace {

bool IsPlain(char c) {
  return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '%' &&
         c != '|';
}

bool IsHexDigit(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c));
}

void AppendField(absl::string_view field, std::string* out) {
  for (const char c : field) {
    if (IsPlain(c)) {
      out->push_back(c);
    } else {
      absl::StrAppend(out, "%",
                      absl::BytesToHexString(absl::string_view(&c, 1)));
    }
  }
}

bool ParseField(absl::string_view text, std::string* field) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      field->push_back(text[i]);
      continue;
    }
    const absl::string_view digits = text.substr(i + 1, 2);
    uint32_t byte = 0;
    // SimpleHexAtoi also takes white space and signs.
    if (digits.size() != 2 || !IsHexDigit(digits[0]) ||
        !IsHexDigit(digits[1]) || !absl::SimpleHexAtoi(digits, &byte)) {
      return false;
    }
    field->push_back(static_cast<char>(byte));
    i += 2;
  }
  return true;
}

absl::Status Invalid(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", SafeText(text), "\" is no job id: ", why,
                   "; it should be SERVER|HANDLE|UNIQUE, such as "
                   "tcp://localhost:4730|H:jobs:17|report-7"));
}

}  // namespace

std::string JobId::ToString() const {
  std::string text;
  AppendField(server, &text);
  text.push_back('|');
  AppendField(handle, &text);
  text.push_back('|');
  AppendField(unique, &text);
  return text;
}

absl::StatusOr<JobId> JobId::Parse(StringView text) {
  const std::vector<absl::string_view> fields = absl::StrSplit(text, '|');
  if (fields.size() != 3) {
    return Invalid(text, absl::StrCat("it has ", fields.size(), " fields"));
  }
  JobId id;
  if (!ParseField(fields[0], &id.server) ||
      !ParseField(fields[1], &id.handle) ||
      !ParseField(fields[2], &id.unique)) {
    return Invalid(text, "a '%' is not followed by two hex digits");
  }
  if (id.handle.empty() && id.unique.empty()) {
    return Invalid(text, "it has neither a handle nor a unique");
  }
  if (!id.handle.empty() && id.server.empty()) {
    return Invalid(text, "a handle means nothing without its server");
  }
  return id;
}

}  // namespace gearman
