// Logger: where the SDK says what it does, and how loudly.
//
// Clients, workers and servers have DefaultLogger unless they are given another
// one: warnings and errors go to standard error. `options.logger = Logger()`
// silences them. Messages name packets, tasks, uniques, handles, sizes and
// servers; never payloads, unless asked to (WithPayloads).
//
// A message is one line of safe text (text/safe_text.h), whatever peers and
// users have put into it: what is unsafe is escaped here, and line ends at its
// end are dropped.
//
// A Logger is a value, cheap to copy; copies share one function. Thread-safe
// when the function is. The function is called on whichever thread has
// something to say, mostly with the lock of the client or worker held: that
// stands still meanwhile. The function must not block for long. It must not
// call the client or worker that logs, nor a request or job of it: these would
// wait for the lock for ever. A function that hands messages to a thread of its
// own is free of all that.
// What it throws is ignored: the message is lost, and nothing else.
#ifndef GEARMAN_SDK_LOG_H_
#define GEARMAN_SDK_LOG_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gearman {

// In ascending order of importance.
enum class LogLevel : unsigned char {
  kDebug,    // every packet by direction, name, handle and size
  kInfo,     // connections made, lost and replaced; workers draining
  kWarning,  // something was wrong and has been dealt with
  kError,    // something is wrong and stays so
};

// "debug", "info", "warning" or "error".
absl::string_view LogLevelName(LogLevel level);

class Logger {
 public:
  using Function = std::function<void(LogLevel, absl::string_view message)>;

  // Drops everything.
  Logger() = default;
  // Calls `function` with each message of `at_least` or above. An empty
  // function drops everything.
  Logger(LogLevel at_least, Function function);

  // The same Logger, whose messages about packets (debug) also show the first
  // `max_bytes` bytes of their payload, escaped. 0: none. For hunting an error:
  // payloads may hold what no log should.
  Logger WithPayloads(size_t max_bytes) const;
  size_t payload_bytes() const { return payload_bytes_; }

  // Whether a message of this level would be heard: ask before composing one
  // that costs something.
  bool enabled(LogLevel level) const {
    return function_ != nullptr && level >= at_least_;
  }

  // Logs the pieces, joined by absl::StrCat; composes nothing when not enabled.
  template <typename... Pieces>
  void Log(LogLevel level, const Pieces&... pieces) const {
    if (enabled(level)) Write(level, absl::StrCat(pieces...));
  }

 private:
  void Write(LogLevel level, absl::string_view message) const;

  LogLevel at_least_ = LogLevel::kError;
  size_t payload_bytes_ = 0;
  std::shared_ptr<const Function> function_;
};

// The logger of options that are given none: as StderrLogger(kWarning), but of
// each kind of message one in ten seconds is written, which says how many were
// left out. Two messages are of one kind when they differ only in numbers and
// in what is quoted. All clients and workers of the process share it.
Logger DefaultLogger();

// Writes lines such as "gearman warning: ..." to standard error, each in one
// piece.
Logger StderrLogger(LogLevel at_least);

}  // namespace gearman

#endif  // GEARMAN_SDK_LOG_H_
