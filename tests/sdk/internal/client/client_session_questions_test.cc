// The questions that ClientSession asks a server: those of users, and its own
// after jobs that may have been dropped.
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/sdk/internal/client/client_session.h"
#include "gearman/tests/sdk/internal/client/client_session_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using ClientSessionQuestionsTest = ClientSessionTest;

TEST_F(ClientSessionQuestionsTest, AnswersQueriesInOrder) {
  Query by_handle(Operation::Kind::kStatusQuery);
  by_handle.handle = "H:1";
  Query by_unique(Operation::Kind::kStatusQuery);
  by_unique.unique = "u";
  Query echo(Operation::Kind::kEcho);
  echo.data = "ping";
  for (Query* query : {&by_handle, &by_unique, &echo}) {
    ASSERT_TRUE(session_.Ask(query).ok());
  }
  ASSERT_TRUE(Receive(wire::StatusResult{"H:1", "1", "1", "3", "4"}).ok());
  ASSERT_THAT(Concerned(), ElementsAre(&by_handle));
  EXPECT_TRUE(effects_[0].known);
  EXPECT_EQ(effects_[0].numerator, 3);
  ASSERT_TRUE(
      Receive(wire::StatusResultUnique{"u", "1", "0", "0", "0", "2"}).ok());
  ASSERT_THAT(Concerned(), ElementsAre(&by_unique));
  EXPECT_EQ(effects_[0].client_count, 2);
  ASSERT_TRUE(Receive(wire::EchoResponse{Payload::View("ping")}).ok());
  EXPECT_THAT(Concerned(), ElementsAre(&echo));
}

// --- questions after jobs that may have been dropped ---

TEST_F(ClientSessionQuestionsTest,
       AJobThatTheServerHasNoMoreIsDroppedForAllItsRequests) {
  auto first = Request("t", "u"), second = Request("t", "u");
  ASSERT_TRUE(Submit(first).ok());
  ASSERT_TRUE(Submit(second).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  auto other = Request();
  ASSERT_TRUE(Submit(other).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:2"}).ok());
  session_.AskAfterJob("H:1");
  ASSERT_TRUE(Receive(wire::StatusResult{"H:1", "0", "0", "0", "0"}).ok());
  EXPECT_THAT(Concerned(), UnorderedElementsAre(first.get(), second.get()));
  for (const Effect& effect : effects_) {
    EXPECT_EQ(effect.kind, Effect::Kind::kDropped);
    EXPECT_EQ(effect.operation->session, nullptr);
  }
  EXPECT_EQ(session_.jobs_running(), 1u);
  EXPECT_EQ(session_.replies_due(), 0u);
  // The next submission is a new one.
  const size_t bytes = output_.size();
  ASSERT_TRUE(Submit(first).ok());
  EXPECT_GT(output_.size(), bytes);
  // A server whose answer was wrong breaks nothing.
  ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
  EXPECT_THAT(effects_, IsEmpty());
}

TEST_F(ClientSessionQuestionsTest, AJobThatTheServerKnowsGoesOn) {
  auto request = Request();
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  session_.AskAfterJob("H:1");
  ASSERT_TRUE(Receive(wire::StatusResult{"H:1", "1", "0", "0", "0"}).ok());
  EXPECT_THAT(effects_, IsEmpty());
  ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
  EXPECT_THAT(Concerned(), ElementsAre(request.get()));
}

TEST_F(ClientSessionQuestionsTest, AnEndThatCameBeforeTheAnswerCounts) {
  auto request = Request();
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  session_.AskAfterJob("H:1");
  ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
  EXPECT_THAT(Concerned(), ElementsAre(request.get()));
  ASSERT_TRUE(Receive(wire::StatusResult{"H:1", "0", "0", "0", "0"}).ok());
  EXPECT_THAT(effects_, IsEmpty());
}

TEST_F(ClientSessionQuestionsTest,
       ItsQuestionsAndThoseOfUsersGetTheirOwnAnswers) {
  auto request = Request();
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  Query before(Operation::Kind::kStatusQuery), after(before.kind);
  before.handle = after.handle = "H:1";
  ASSERT_TRUE(session_.Ask(&before).ok());
  session_.AskAfterJob("H:1");
  ASSERT_TRUE(session_.Ask(&after).ok());
  // The answer to a user's question ends no attempt.
  ASSERT_TRUE(Receive(wire::StatusResult{"H:1", "0", "0", "0", "0"}).ok());
  EXPECT_THAT(Concerned(), ElementsAre(&before));
  EXPECT_EQ(effects_[0].kind, Effect::Kind::kStatus);
  ASSERT_TRUE(Receive(wire::StatusResult{"H:1", "0", "0", "0", "0"}).ok());
  EXPECT_THAT(Concerned(), ElementsAre(request.get()));
  EXPECT_EQ(effects_[0].kind, Effect::Kind::kDropped);
  ASSERT_TRUE(Receive(wire::StatusResult{"H:1", "0", "0", "0", "0"}).ok());
  EXPECT_THAT(Concerned(), ElementsAre(&after));
}

TEST_F(ClientSessionQuestionsTest, AServerThatCantAnswerItsQuestionHurtsNoJob) {
  auto request = Request();
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  session_.AskAfterJob("H:1");
  ASSERT_TRUE(Receive(wire::Error{"UNKNOWN_COMMAND", ""}).ok());
  EXPECT_THAT(effects_, IsEmpty());
  session_.AskAfterJob("H:1");
  EXPECT_EQ(Receive(wire::EchoResponse{Payload()}).code(),
            absl::StatusCode::kDataLoss);
  std::vector<Orphan> orphans;
  session_.OnConnectionLost(&orphans);
  EXPECT_THAT(orphans, SizeIs(1));
}

// Trap 8.
TEST_F(ClientSessionQuestionsTest,
       AStatusQueryOf64BytesIsRefusedBeforeSending) {
  Query query(Operation::Kind::kStatusQuery);
  query.handle = std::string(64, 'h');
  EXPECT_EQ(session_.Ask(&query).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(output_.size(), 0u);
  EXPECT_EQ(session_.replies_due(), 0u);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
