#include "gearman/sdk/log.h"

#include <cstdio>
#include <string>
#include <utility>

#include "gearman/plugins/guarded_call.h"

namespace gearman {

absl::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

Logger::Logger(LogLevel at_least, Function function) : at_least_(at_least) {
  if (function) {
    function_ = std::make_shared<const Function>(std::move(function));
  }
}

Logger Logger::WithPayloads(size_t max_bytes) const {
  Logger logger = *this;
  logger.payload_bytes_ = max_bytes;
  return logger;
}

void Logger::Write(LogLevel level, absl::string_view message) const {
  // Whoever logs is in the middle of something, perhaps with a lock held.
  internal::CallIgnoringThrow([&] { (*function_)(level, message); });
}

Logger StderrLogger(LogLevel at_least) {
  return Logger(at_least, [](LogLevel level, absl::string_view message) {
    const std::string line =
        absl::StrCat("gearman ", LogLevelName(level), ": ", message, "\n");
    std::fwrite(line.data(), 1, line.size(), stderr);
  });
}

}  // namespace gearman
