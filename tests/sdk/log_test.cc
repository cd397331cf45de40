#include "gearman/sdk/log.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
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

TEST(StderrLogger, WritesOneLinePerMessage) {
  ::testing::internal::CaptureStderr();
  StderrLogger(LogLevel::kInfo).Log(LogLevel::kWarning, "server lost");
  StderrLogger(LogLevel::kInfo).Log(LogLevel::kDebug, "unheard");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "gearman warning: server lost\n");
}

}  // namespace
}  // namespace gearman
