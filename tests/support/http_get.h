// HttpGet: what a web server of the loopback answers.
#ifndef GEARMAN_TESTS_SUPPORT_HTTP_GET_H_
#define GEARMAN_TESTS_SUPPORT_HTTP_GET_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gearman {
namespace support {

struct HttpAnswer {
  int code = 0;  // 200
  std::string body;
};

// `path` begins with a slash and is sent as it is (UrlEncode parts of it).
// UNAVAILABLE: nobody listens, or the answer is none.
absl::StatusOr<HttpAnswer> HttpGet(uint16_t port, absl::string_view path);

// Any text as a part of a path or query.
std::string UrlEncode(absl::string_view text);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_HTTP_GET_H_
