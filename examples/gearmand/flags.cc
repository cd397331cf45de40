#include "gearman/examples/gearmand/flags.h"

#include <cstdint>
#include <iostream>
#include <iterator>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

ABSL_FLAG(std::string, host, "localhost", "the job server's host");
ABSL_FLAG(uint16_t, port, 4730, "the job server's port");
ABSL_FLAG(int, timeout, -1,
          "milliseconds: of a client for each job, of a worker without a job; "
          "negative: no limit");

namespace gearmand_examples {

std::vector<std::string> ParseArguments(absl::string_view usage, int argc,
                                        char** argv) {
  absl::SetProgramUsageMessage(usage);
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  return {rest.begin() + 1, rest.end()};
}

std::string Server() {
  return absl::StrCat("tcp://", absl::GetFlag(FLAGS_host), ":",
                      absl::GetFlag(FLAGS_port));
}

absl::Duration Timeout() {
  const int milliseconds = absl::GetFlag(FLAGS_timeout);
  return milliseconds < 0 ? absl::InfiniteDuration()
                          : absl::Milliseconds(milliseconds);
}

absl::StatusOr<std::string> Text(const std::vector<std::string>& arguments) {
  if (arguments.size() > 1) {
    return absl::InvalidArgumentError("more than one text was given");
  }
  std::string text = arguments.empty()
                         ? std::string(std::istreambuf_iterator<char>(std::cin),
                                       std::istreambuf_iterator<char>())
                         : arguments.front();
  if (text.empty()) {
    return absl::InvalidArgumentError(
        "no text was given, as argument or as standard input");
  }
  return text;
}

}  // namespace gearmand_examples
