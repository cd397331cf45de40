#include "gearman/sdk/log.h"

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "gearman/plugins/guarded_call.h"
#include "gearman/process/per_process.h"
#include "gearman/sdk/values/limited_log.h"
#include "gearman/text/safe_text.h"

namespace gearman {

StringView LogLevelName(LogLevel level) {
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

void Logger::Write(LogLevel level, StringView message) const {
  while (!message.empty() &&
         (message.back() == '\n' || message.back() == '\r')) {
    message.remove_suffix(1);
  }
  std::string safe;
  if (!IsSafeLine(message)) {
    safe = SafeLine(message);
    message = safe;
  }
  // The code that logs may hold a lock, so no exception may pass through it.
  internal::CallIgnoringThrow([&] { (*function_)(level, message); });
}

Logger DefaultLogger() {
  // Never destroyed, because threads may log until the process ends. A child
  // made by fork has its own object, whose lock is free.
  static const auto* const limited = new PerProcess<internal::LimitedLog>([] {
    return std::make_unique<internal::LimitedLog>(
        StderrLogger(LogLevel::kWarning), [] { return absl::Now(); });
  });
  static const auto* const logger = new Logger(
      LogLevel::kWarning, [](LogLevel level, absl::string_view text) {
        limited->Get().Write(level, text);
      });
  return *logger;
}

Logger StderrLogger(LogLevel at_least) {
  return Logger(at_least, [](LogLevel level, absl::string_view message) {
    const std::string line =
        absl::StrCat("gearman ", LogLevelName(level), ": ", message, "\n");
    std::fwrite(line.data(), 1, line.size(), stderr);
  });
}

}  // namespace gearman
