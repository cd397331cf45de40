// Logger: gets what the SDK reports, each message with a level.
//
// Clients, workers and servers use DefaultLogger unless their options have
// another one: warnings and errors go to standard error. `options.logger =
// Logger()` silences them. Messages name packets, tasks, uniques, handles,
// sizes and servers. They show payloads only with WithPayloads.
//
// A message is one line of safe text (text/safe_text.h), whatever peers and
// users have put into it: the Logger escapes unsafe characters and drops line
// ends at the end.
#ifndef GEARMAN_SDK_LOG_H_
#define GEARMAN_SDK_LOG_H_

#include <cstddef>
#include <memory>

#include "absl/strings/str_cat.h"
#include "gearman/base/callback.h"
#include "gearman/base/cpp17.h"
#include "gearman/base/string_view.h"

namespace gearman {

// The levels of messages, in ascending order of importance.
enum class LogLevel : unsigned char {
  kDebug,    // every packet by direction, name, handle and size
  kInfo,     // connections made, closed and replaced; workers draining
  kWarning,  // something was wrong and has been handled: a lost connection
  kError,    // something is wrong and stays wrong
};

// "debug", "info", "warning" or "error".
StringView LogLevelName(LogLevel level);

// A Logger is a value and cheap to copy. Copies share one function. A Logger is
// thread-safe if its function is.
//
// The SDK calls the function on the thread that has a message, usually with the
// lock of the client or worker held. The client or worker stands still during
// the call, so the function must not block for long. It must not call the
// client or worker that logs, nor a request or job of it: that call would wait
// for the lock forever. A function that hands its messages to another thread
// has none of these problems. An exception from the function is ignored: the
// message is lost, and nothing else.
class Logger {
 public:
  // Writes a message. The view is valid during the call.
  using Function = Callback<void(LogLevel, StringView message)>;

  // Makes a Logger that drops every message.
  Logger() = default;
  // Makes a Logger that calls `function` with each message of level `at_least`
  // or above. An empty function drops every message.
  Logger(LogLevel at_least, Function function);

  // Returns a Logger whose messages about packets (level debug) also show the
  // first `max_bytes` bytes of each payload, escaped. 0 shows none. This is for
  // debugging only: payloads may hold data that no log should have.
  Logger WithPayloads(size_t max_bytes) const;
  // The bytes of each payload that messages show.
  size_t payload_bytes() const { return payload_bytes_; }

  // Whether a message of this level would be written. Ask before composing an
  // expensive message.
  bool enabled(LogLevel level) const {
    return function_ != nullptr && level >= at_least_;
  }

  // Joins the pieces with absl::StrCat and logs them. Composes nothing if the
  // level is not enabled.
  template <typename... Pieces>
  void Log(LogLevel level, const Pieces&... pieces) const {
    if (enabled(level)) Write(level, absl::StrCat(pieces...));
  }

 private:
  void Write(LogLevel level, StringView message) const;

  LogLevel at_least_ = LogLevel::kError;
  size_t payload_bytes_ = 0;
  std::shared_ptr<const Function> function_;
};

// Returns the logger of options that have no other. It writes like
// StderrLogger(kWarning), but only one message of each kind in ten seconds, and
// says how many it skipped. Two messages are of one kind if they differ only in
// numbers and in quoted text. All clients and workers of the process share this
// logger.
Logger DefaultLogger();

// Returns a logger that writes lines such as "gearman warning: ..." to standard
// error, each in one write.
Logger StderrLogger(LogLevel at_least);

}  // namespace gearman

#endif  // GEARMAN_SDK_LOG_H_
