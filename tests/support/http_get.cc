#include "gearman/tests/support/http_get.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/support/raw_connection.h"

namespace gearman {
namespace support {

absl::StatusOr<HttpAnswer> HttpGet(uint16_t port, absl::string_view path) {
  absl::StatusOr<RawConnection> connection = RawConnection::Connect(port);
  if (!connection.ok()) return connection.status();
  // 1.0: the body is neither in chunks nor followed by another answer.
  absl::Status status = connection->Send(
      absl::StrCat("GET ", path, " HTTP/1.0\r\nHost: localhost\r\n\r\n"));
  if (!status.ok()) return status;
  const absl::StatusOr<std::string> answer = connection->ReceiveUntilClosed();
  if (!answer.ok()) return answer.status();
  const std::vector<std::string> words =
      absl::StrSplit(*answer, absl::MaxSplits(' ', 2));
  const size_t end = answer->find("\r\n\r\n");
  HttpAnswer parsed;
  if (end == std::string::npos || words.size() < 3 ||
      !absl::SimpleAtoi(words[1], &parsed.code)) {
    return absl::UnavailableError(absl::StrCat("no HTTP answer: ", *answer));
  }
  parsed.body = answer->substr(end + 4);
  return parsed;
}

std::string UrlEncode(absl::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (absl::ascii_isalnum(c)) {
      encoded.push_back(c);
    } else {
      absl::StrAppend(
          &encoded, "%",
          absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return encoded;
}

}  // namespace support
}  // namespace gearman
