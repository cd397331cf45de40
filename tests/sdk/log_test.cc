#include "gearman/sdk/log.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/sdk/values/limited_log.h"
#include "gearman/sdk/values/log_pause.h"
#include "gearman/tests/support/hostile_names.h"
#include "gearman/text/safe_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// Keeps what it hears.
struct Listener {
  Logger At(LogLevel level) {
    return Logger(level, [this](LogLevel at, absl::string_view message) {
      heard.emplace_back(at, std::string(message));
    });
  }
  std::vector<std::pair<LogLevel, std::string>> heard;
};

TEST(Logger, IsQuietByDefault) {
  const Logger logger;
  EXPECT_FALSE(logger.enabled(LogLevel::kError));
  logger.Log(LogLevel::kError, "nobody hears this");
}

TEST(Logger, IsQuietWithAnEmptyFunction) {
  EXPECT_FALSE(Logger(LogLevel::kDebug, nullptr).enabled(LogLevel::kError));
}

TEST(Logger, PassesOnWhatIsImportantEnough) {
  Listener listener;
  const Logger logger = listener.At(LogLevel::kWarning);
  logger.Log(LogLevel::kDebug, "a");
  logger.Log(LogLevel::kInfo, "b");
  logger.Log(LogLevel::kWarning, "c", 1, "d");
  logger.Log(LogLevel::kError, "e");
  EXPECT_THAT(listener.heard, ElementsAre(Pair(LogLevel::kWarning, "c1d"),
                                          Pair(LogLevel::kError, "e")));
}

TEST(Logger, DoesNotPassOnWhatItsFunctionThrows) {
  int calls = 0;
  const Logger logger(LogLevel::kDebug, [&](LogLevel, absl::string_view) {
    ++calls;
    throw std::runtime_error("the disk is full");
  });
  logger.Log(LogLevel::kError, "a");
  logger.Log(LogLevel::kError, "b");
  EXPECT_EQ(calls, 2);
}

TEST(Logger, SharesItsFunctionWithItsCopies) {
  Listener listener;
  Logger copy;
  {
    const Logger logger = listener.At(LogLevel::kDebug);
    copy = logger;
  }
  copy.Log(LogLevel::kDebug, "x");
  EXPECT_THAT(listener.heard, ElementsAre(Pair(LogLevel::kDebug, "x")));
}

TEST(Logger, ShowsNoPayloadsUnlessAskedTo) {
  Listener listener;
  const Logger logger = listener.At(LogLevel::kDebug);
  EXPECT_EQ(logger.payload_bytes(), 0u);
  const Logger open = logger.WithPayloads(16);
  EXPECT_EQ(open.payload_bytes(), 16u);
  open.Log(LogLevel::kDebug, "heard");
  EXPECT_THAT(listener.heard, ElementsAre(Pair(LogLevel::kDebug, "heard")));
}

TEST(Logger, AMessageIsOneSafeLineWhateverIsInIt) {
  Listener listener;
  const Logger logger = listener.At(LogLevel::kDebug);
  for (const support::HostileName& name : support::HostileNames()) {
    listener.heard.clear();
    logger.Log(LogLevel::kInfo, "task \"", name.name, "\" is known");
    ASSERT_EQ(listener.heard.size(), 1u);
    EXPECT_TRUE(IsSafeLine(listener.heard[0].second))
        << listener.heard[0].second;
    // Nothing is escaped twice.
    listener.heard.clear();
    logger.Log(LogLevel::kInfo, "task \"", name.safe, "\" is known");
    EXPECT_THAT(listener.heard,
                ElementsAre(Pair(LogLevel::kInfo,
                                 "task \"" + name.safe + "\" is known")));
  }
}

TEST(Logger, DropsLineEndsAtTheEndOfAMessage) {
  Listener listener;
  listener.At(LogLevel::kDebug).Log(LogLevel::kInfo, "it said: \"no\"\r\n");
  EXPECT_THAT(listener.heard,
              ElementsAre(Pair(LogLevel::kInfo, "it said: \"no\"")));
}

// One of each kind in ten seconds, told by a clock of the test.
class LimitedLogTest : public ::testing::Test {
 protected:
  std::vector<std::string> Heard() {
    std::vector<std::string> lines;
    for (const auto& [level, line] : listener_.heard) lines.push_back(line);
    listener_.heard.clear();
    return lines;
  }

  Listener listener_;
  absl::Time now_ = absl::UnixEpoch();
  internal::LimitedLog log_{listener_.At(LogLevel::kWarning),
                            [this] { return now_; }};
};

TEST_F(LimitedLogTest, WritesOneOfAKindAndSaysHowManyItLeftOut) {
  log_.Write(LogLevel::kWarning, "lost a: timed out after 3s");
  log_.Write(LogLevel::kWarning, "lost a: timed out after 5s");
  log_.Write(LogLevel::kWarning, "lost a: refused");
  log_.Write(LogLevel::kError, "lost a: refused");
  log_.Write(LogLevel::kInfo, "unheard");
  EXPECT_THAT(Heard(), ElementsAre("lost a: timed out after 3s",
                                   "lost a: refused", "lost a: refused"));
  now_ += LogPause::kPause - absl::Nanoseconds(1);
  log_.Write(LogLevel::kWarning, "lost a: timed out after 7s");
  EXPECT_THAT(Heard(), ElementsAre());
  now_ += absl::Nanoseconds(1);
  log_.Write(LogLevel::kWarning, "lost a: timed out after 9s");
  log_.Write(LogLevel::kWarning, "lost a: timed out after 9s");
  EXPECT_THAT(Heard(), ElementsAre("lost a: timed out after 9s (and 2 like it "
                                   "before)"));
}

TEST_F(LimitedLogTest, ATimeThatIsSetBackSilencesNothing) {
  log_.Write(LogLevel::kWarning, "lost a");
  log_.Write(LogLevel::kWarning, "lost a");
  now_ -= absl::Hours(1);
  log_.Write(LogLevel::kWarning, "lost a");
  log_.Write(LogLevel::kWarning, "lost a");
  EXPECT_THAT(Heard(), ElementsAre("lost a", "lost a (and 1 like it before)"));
}

TEST_F(LimitedLogTest, NamesThatAPeerInventsAreOneKind) {
  for (int i = 0; i < 1000; ++i) {
    log_.Write(LogLevel::kWarning,
               absl::StrCat("the task \"", std::string(1, 'a' + i % 26),
                            "\" is not known"));
  }
  EXPECT_THAT(Heard(), ElementsAre("the task \"a\" is not known"));
}

TEST_F(LimitedLogTest, RemembersOnlySoManyKinds) {
  const auto write_many = [this](char first) {
    for (size_t i = 0; i < 10 * internal::LimitedLog::kMaxKinds; ++i) {
      log_.Write(LogLevel::kWarning, std::string(1 + i % 500, first));
    }
  };
  write_many('a');
  // Each kind once, and once what has no place.
  EXPECT_EQ(Heard().size(), internal::LimitedLog::kMaxKinds + 1);
  // Kinds of long ago make room.
  now_ += LogPause::kPause;
  write_many('b');
  EXPECT_EQ(Heard().size(), internal::LimitedLog::kMaxKinds + 1);
}

TEST(DefaultLogger, WritesWarningsAndErrorsToStandardErrorOnceInAWhile) {
  ::testing::internal::CaptureStderr();
  DefaultLogger().Log(LogLevel::kInfo, "unheard");
  DefaultLogger().Log(LogLevel::kWarning, "lost tcp://a:", 1);
  DefaultLogger().Log(LogLevel::kWarning, "lost tcp://a:", 2);
  DefaultLogger().Log(LogLevel::kError, "lost\nfor ever");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "gearman warning: lost tcp://a:1\n"
            "gearman error: lost\\x0afor ever\n");
}

TEST(StderrLogger, WritesOneLinePerMessage) {
  ::testing::internal::CaptureStderr();
  StderrLogger(LogLevel::kInfo).Log(LogLevel::kWarning, "server lost");
  StderrLogger(LogLevel::kInfo).Log(LogLevel::kDebug, "unheard");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "gearman warning: server lost\n");
}

}  // namespace
}  // namespace gearman
