#include "gearman/sdk/values/limited_log.h"

#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"

namespace gearman {
namespace internal {
namespace {

// Kinds differ in these first bytes.
constexpr size_t kMaxKindBytes = 160;

// Returns the message without numbers and without quoted text.
std::string KindOf(LogLevel level, absl::string_view message) {
  std::string kind(1, static_cast<char>('0' + static_cast<int>(level)));
  bool quoted = false;
  for (const char c : message) {
    if (kind.size() == kMaxKindBytes) break;
    if (c == '"') quoted = !quoted;
    if (!quoted && !absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      kind.push_back(c);
    }
  }
  return kind;
}

}  // namespace

LimitedLog::LimitedLog(Logger logger, std::function<absl::Time()> now)
    : logger_(std::move(logger)), now_(std::move(now)) {}

void LimitedLog::Write(LogLevel level, absl::string_view message) {
  if (!logger_.enabled(level)) return;
  uint64_t skipped = 0;
  {
    const absl::Time now = now_();
    absl::MutexLock lock(&mutex_);
    LogPause& pause = PauseOf(level, message, now);
    if (!pause.over(now)) return pause.Skip();
    skipped = pause.skipped();
    pause.Written(now);
  }
  if (skipped > 0) {
    logger_.Log(level, message, " (and ", skipped, " like it before)");
  } else {
    logger_.Log(level, message);
  }
}

LogPause& LimitedLog::PauseOf(LogLevel level, absl::string_view message,
                              absl::Time now) {
  std::string kind = KindOf(level, message);
  const auto found = kinds_.find(kind);
  if (found != kinds_.end()) return found->second;
  if (kinds_.size() >= kMaxKinds) {
    for (auto it = kinds_.begin(); it != kinds_.end();) {
      if (it->second.over(now)) {
        kinds_.erase(it++);
      } else {
        ++it;
      }
    }
    if (kinds_.size() >= kMaxKinds) return others_;
  }
  return kinds_[std::move(kind)];
}

}  // namespace internal
}  // namespace gearman
