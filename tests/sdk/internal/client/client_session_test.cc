// ClientSession, driven by events: no bytes are read, no I/O is done.
#include "gearman/sdk/internal/client/client_session.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/tests/sdk/internal/client/client_session_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

TEST_F(ClientSessionTest, APayloadInPiecesGoesToTheOneRequestOfItsHandle) {
  const auto request = Request();
  WantPieces(request.get());
  const auto other = Request();
  const auto& complete =
      *wire::FindCommand(static_cast<uint32_t>(wire::Command::kWorkComplete));
  const auto& data =
      *wire::FindCommand(static_cast<uint32_t>(wire::Command::kWorkData));
  const auto& exception =
      *wire::FindCommand(static_cast<uint32_t>(wire::Command::kWorkException));
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Submit(other).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:2"}).ok());
  EXPECT_TRUE(session_.PassesInPieces(complete, "H:1"));
  EXPECT_TRUE(session_.PassesInPieces(data, "H:1"));
  EXPECT_FALSE(session_.PassesInPieces(exception, "H:1"));
  EXPECT_FALSE(session_.PassesInPieces(complete, "H:2"));
  EXPECT_FALSE(session_.PassesInPieces(complete, "H:3"));

  for (const auto* const info : {&data, &complete}) {
    ASSERT_TRUE(Receive(wire::PayloadBegins{info, "H:1", 5}).ok());
    EXPECT_THAT(effects_, IsEmpty());
    ASSERT_TRUE(Receive(wire::PayloadPiece{"ab", 3}).ok());
    ASSERT_THAT(effects_, SizeIs(1));
    EXPECT_TRUE(effects_[0].piece);
    EXPECT_EQ(effects_[0].operation, request.get());
    EXPECT_EQ(effects_[0].size, 5u);
    ASSERT_TRUE(Receive(wire::PayloadPiece{"cde", 0}).ok());
    EXPECT_EQ(effects_[0].offset, 2u);
    EXPECT_EQ(effects_[0].data.view(), "cde");
  }
  ASSERT_THAT(effects_, SizeIs(2)) << "the end of the job follows";
  EXPECT_EQ(effects_[1].kind, Effect::Kind::kCompleted);
  EXPECT_TRUE(effects_[1].in_pieces);
  EXPECT_EQ(session_.jobs_running(), 1u);
}

TEST_F(ClientSessionTest, PiecesForARequestThatHasLeftAreDropped) {
  const auto request = Request();
  WantPieces(request.get());
  const auto& complete =
      *wire::FindCommand(static_cast<uint32_t>(wire::Command::kWorkComplete));
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  ASSERT_TRUE(Receive(wire::PayloadBegins{&complete, "H:1", 5}).ok());
  session_.Detach(request.get());
  ASSERT_TRUE(Receive(wire::PayloadPiece{"ab", 3}).ok());
  ASSERT_TRUE(Receive(wire::PayloadPiece{"cde", 0}).ok());
  EXPECT_THAT(effects_, IsEmpty());
  EXPECT_EQ(session_.jobs_running(), 0u);
}

// Trap 13.
TEST_F(ClientSessionTest, MatchesRepliesToSubmissionsInOrder) {
  std::vector<std::shared_ptr<JobRequestState>> requests;
  for (int i = 0; i < 1000; ++i) {
    requests.push_back(Request());
    ASSERT_TRUE(Submit(requests.back()).ok());
  }
  for (int i = 0; i < 1000; ++i) {
    const std::string handle = "H:x:" + std::to_string(i);
    ASSERT_TRUE(Receive(wire::JobCreated{handle}).ok());
    ASSERT_THAT(Concerned(), ElementsAre(requests[i].get()));
    EXPECT_EQ(requests[i]->handle.view(), handle);
  }
  EXPECT_EQ(session_.replies_due(), 0u);
}

// Trap 14.
TEST_F(ClientSessionTest, AnErrorRefusesOnlyTheOldestSubmission) {
  auto first = Request(), second = Request(), third = Request();
  for (auto& request : {first, second, third}) {
    ASSERT_TRUE(Submit(request).ok());
  }
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  ASSERT_TRUE(Receive(wire::Error{"QUEUE_ERROR", "Job queue is full"}).ok());
  ASSERT_THAT(effects_, SizeIs(1));
  EXPECT_EQ(effects_[0].kind, Effect::Kind::kRefused);
  EXPECT_EQ(effects_[0].operation, second.get());
  EXPECT_EQ(effects_[0].code, "QUEUE_ERROR");
  ASSERT_TRUE(Receive(wire::JobCreated{"H:3"}).ok());
  EXPECT_THAT(Concerned(), ElementsAre(third.get()));
}

TEST_F(ClientSessionTest, AnErrorForTheOptionHurtsNoSubmission) {
  session_.AskForExceptions();
  auto request = Request();
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::Error{"unknown_option", ""}).ok());
  EXPECT_THAT(effects_, IsEmpty());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  EXPECT_THAT(Concerned(), ElementsAre(request.get()));
}

// Trap 16.
TEST_F(ClientSessionTest, EqualUniquesShareOneSubmissionAndEachEndsOnce) {
  auto first = Request("t", "u"), second = Request("t", "u");
  ASSERT_TRUE(Submit(first).ok());
  const size_t bytes = output_.size();
  ASSERT_TRUE(Submit(second).ok());
  EXPECT_EQ(output_.size(), bytes);
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  EXPECT_THAT(effects_, SizeIs(2));
  ASSERT_TRUE(
      Receive(wire::WorkData{"H:1", Payload(std::string("part"))}).ok());
  ASSERT_THAT(effects_, SizeIs(2));
  EXPECT_EQ(effects_[0].data.view(), "part");
  EXPECT_EQ(effects_[1].data.view(), "part");
  ASSERT_TRUE(
      Receive(wire::WorkComplete{"H:1", Payload(std::string("done"))}).ok());
  EXPECT_THAT(effects_, SizeIs(2));
  EXPECT_EQ(session_.jobs_running(), 0u);
}

TEST_F(ClientSessionTest, ARequestSharesASubmissionThatWasAcceptedAlready) {
  auto first = Request("t", "u"), second = Request("t", "u");
  ASSERT_TRUE(Submit(first).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  effects_.clear();
  ASSERT_TRUE(Submit(second).ok());
  ASSERT_THAT(effects_, SizeIs(1));
  EXPECT_TRUE(effects_[0].accepted);
  EXPECT_EQ(second->handle.view(), "H:1");
  ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
  EXPECT_THAT(effects_, SizeIs(2));
}

TEST_F(ClientSessionTest, EqualUniquesOfTwoTasksAreTwoJobs) {
  auto first = Request("t1", "u"), second = Request("t2", "u");
  ASSERT_TRUE(Submit(first).ok());
  ASSERT_TRUE(Submit(second).ok());
  EXPECT_EQ(session_.replies_due(), 2u);
}

TEST_F(ClientSessionTest, ANewSubmissionFollowsOneThatEnded) {
  auto first = Request("t", "u"), second = Request("t", "u");
  ASSERT_TRUE(Submit(first).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  ASSERT_TRUE(Receive(wire::WorkFail{"H:1"}).ok());
  ASSERT_TRUE(Submit(second).ok());
  EXPECT_EQ(session_.replies_due(), 1u);
}

// The server has joined a request that wants pieces, which shares nothing in
// this session, and one that shares.
TEST_F(ClientSessionTest, ANewSubmissionFollowsOneThatEndedBehindPieces) {
  for (const bool leaves : {false, true}) {
    const auto pieces = Request("t", "u");
    WantPieces(pieces.get());
    const auto shares = Request("t", "u");
    ASSERT_TRUE(Submit(pieces).ok());
    ASSERT_TRUE(Submit(shares).ok());
    ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
    ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
    if (leaves) session_.Detach(shares.get());
    for (int copy = 0; copy < 2; ++copy) {
      ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
      EXPECT_THAT(effects_, SizeIs(copy > 0 ? 0 : leaves ? 1 : 2));
    }
    const auto next = Request("t", "u");
    ASSERT_TRUE(Submit(next).ok());
    EXPECT_EQ(session_.replies_due(), 1u) << leaves;
    ASSERT_TRUE(Receive(wire::JobCreated{"H:2"}).ok());
    ASSERT_TRUE(Receive(wire::WorkComplete{"H:2", Payload()}).ok());
    EXPECT_THAT(Concerned(), ElementsAre(next.get()));
  }
}

// No server joins them; a wrong one may answer as if it had.
TEST_F(ClientSessionTest, ANewSubmissionFollowsJobsThatGotOneHandle) {
  for (const bool leaves : {false, true}) {
    const auto one = Request("t", "u1");
    const auto two = Request("t", "u2");
    for (const auto& request : {one, two}) {
      ASSERT_TRUE(Submit(request).ok());
    }
    ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
    ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
    if (leaves) session_.Detach(one.get());
    for (int copy = 0; copy < 2; ++copy) {
      ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
    }
    for (const char* unique : {"u1", "u2"}) {
      ASSERT_TRUE(Submit(Request("t", unique)).ok());
    }
    EXPECT_EQ(session_.replies_due(), 2u) << leaves;
    ASSERT_TRUE(Receive(wire::Error{"QUEUE_ERROR", ""}).ok());
    ASSERT_TRUE(Receive(wire::Error{"QUEUE_ERROR", ""}).ok());
  }
}

TEST_F(ClientSessionTest, CopiesThatAJoinedJobSendsCountOnce) {
  // "-" is joined by the server, without this session's knowing in advance.
  auto first = Request("t", "-"), second = Request("t", "-");
  ASSERT_TRUE(Submit(first).ok());
  ASSERT_TRUE(Submit(second).ok());
  EXPECT_EQ(session_.replies_due(), 2u);
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  ASSERT_TRUE(Receive(wire::WorkData{"H:1", Payload()}).ok());
  EXPECT_THAT(effects_, SizeIs(1));
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  for (int copy = 0; copy < 2; ++copy) {
    ASSERT_TRUE(Receive(wire::WorkData{"H:1", Payload()}).ok());
    EXPECT_THAT(effects_, SizeIs(copy == 0 ? 2 : 0));
  }
  for (int copy = 0; copy < 2; ++copy) {
    ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
    EXPECT_THAT(effects_, SizeIs(copy == 0 ? 2 : 0));
  }
  EXPECT_EQ(session_.jobs_running(), 0u);
}

TEST_F(ClientSessionTest, ADetachedSubmissionLeavesATombstone) {
  auto first = Request(), second = Request();
  ASSERT_TRUE(Submit(first).ok());
  ASSERT_TRUE(Submit(second).ok());
  session_.Detach(first.get());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  EXPECT_THAT(effects_, IsEmpty());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:2"}).ok());
  EXPECT_THAT(Concerned(), ElementsAre(second.get()));
  ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
  EXPECT_THAT(effects_, IsEmpty());
  EXPECT_EQ(session_.jobs_running(), 1u);
}

TEST_F(ClientSessionTest, ADetachedRunningJobIsIgnoredUntilItEnds) {
  auto request = Request();
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  session_.Detach(request.get());
  request->handle.Assign("something else");
  ASSERT_TRUE(Receive(wire::WorkData{"H:1", Payload()}).ok());
  ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
  EXPECT_THAT(effects_, IsEmpty());
  EXPECT_EQ(session_.jobs_running(), 0u);
}

TEST_F(ClientSessionTest, TheOthersOfASharedJobGoOnWhenOneIsDetached) {
  for (int detached = 0; detached < 3; ++detached) {
    for (const bool accepted_first : {false, true}) {
      std::vector<std::shared_ptr<JobRequestState>> shared = {
          Request("t", "u"), Request("t", "u"), Request("t", "u")};
      for (auto& request : shared) ASSERT_TRUE(Submit(request).ok());
      if (!accepted_first) session_.Detach(shared[detached].get());
      ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
      if (accepted_first) session_.Detach(shared[detached].get());
      shared[detached]->handle.Assign("freed");
      ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
      EXPECT_THAT(effects_, SizeIs(2)) << detached << accepted_first;
      EXPECT_EQ(session_.jobs_running(), 0u);
    }
  }
}

// Each request leaves in a moment, wherever it stands among the others: were it
// a walk, this would be billions of steps.
TEST_F(ClientSessionTest, ManyMayShareOneSubmissionAndLeaveIt) {
  constexpr int kCount = 200000;
  for (const bool accepted_first : {false, true}) {
    std::vector<std::shared_ptr<JobRequestState>> shared;
    for (int i = 0; i < kCount; ++i) {
      shared.push_back(Request("t", "u"));
      ASSERT_TRUE(Submit(shared.back()).ok());
    }
    EXPECT_EQ(session_.replies_due(), 1u);
    if (accepted_first) {
      ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
    }
    const int kept = kCount / 2;
    for (int i = 0; i < kCount; ++i) {
      if (i != kept) session_.Detach(shared[i].get());
    }
    if (!accepted_first) {
      ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
    }
    // The remaining request stands for all.
    auto late = Request("t", "u");
    ASSERT_TRUE(Submit(late).ok());
    EXPECT_EQ(session_.replies_due(), 0u);
    ASSERT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
    EXPECT_THAT(Concerned(), ElementsAre(shared[kept].get(), late.get()));
    EXPECT_EQ(session_.jobs_running(), 0u);
  }
}

// Trap 57.
TEST_F(ClientSessionTest, PacketsAfterAWorkFailAreIgnored) {
  auto request = Request();
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  ASSERT_TRUE(Receive(wire::WorkFail{"H:1"}).ok());
  EXPECT_TRUE(Receive(wire::WorkData{"H:1", Payload()}).ok());
  EXPECT_TRUE(Receive(wire::WorkComplete{"H:1", Payload()}).ok());
  EXPECT_THAT(effects_, IsEmpty());
}

TEST_F(ClientSessionTest, AWarningWithTheMarkOfAFailureIsItsText) {
  auto request = Request();
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  ASSERT_TRUE(
      Receive(wire::WorkWarning{
                  "H:1", Payload(std::string("gearman exception: no image"))})
          .ok());
  ASSERT_THAT(effects_, SizeIs(1));
  EXPECT_EQ(effects_[0].kind, Effect::Kind::kFailureText);
  ASSERT_TRUE(Receive(wire::WorkWarning{
                          "H:1", Payload(std::string("gearman exceptional"))})
                  .ok());
  ASSERT_THAT(effects_, SizeIs(1));
  EXPECT_EQ(effects_[0].kind, Effect::Kind::kWarning);
}

TEST_F(ClientSessionTest, AHandleNobodyAskedForIsABreach) {
  const absl::Status status = Receive(wire::WorkComplete{"H:9", Payload()});
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("WORK_COMPLETE"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("H:9"));
}

TEST_F(ClientSessionTest, AReplyOutOfTurnIsABreach) {
  EXPECT_EQ(Receive(wire::JobCreated{"H:1"}).code(),
            absl::StatusCode::kDataLoss);
  ASSERT_TRUE(Submit(Request()).ok());
  EXPECT_EQ(Receive(wire::EchoResponse{Payload()}).code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(ClientSessionTest, AnErrorWithoutACommandIsABreach) {
  EXPECT_EQ(Receive(wire::Error{"QUEUE_ERROR", ""}).code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(ClientSessionTest, AHandleOfImpossibleLengthIsABreach) {
  ASSERT_TRUE(Submit(Request()).ok());
  EXPECT_EQ(Receive(wire::JobCreated{std::string(64, 'h')}).code(),
            absl::StatusCode::kDataLoss);
}

// Trap 24 and 25.
TEST_F(ClientSessionTest, ProgressThatIsNoNumberCountsAsZero) {
  auto request = Request();
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  ASSERT_TRUE(Receive(wire::WorkStatus{"H:1", "oops", ""}).ok());
  ASSERT_THAT(effects_, SizeIs(1));
  EXPECT_EQ(effects_[0].numerator, 0);
  EXPECT_EQ(effects_[0].denominator, 0);
}

TEST_F(ClientSessionTest, APacketThatCantBeMadeLeavesNothingBehind) {
  auto request = Request(std::string("a\0b", 3), "u");
  EXPECT_EQ(Submit(request).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(output_.size(), 0u);
  EXPECT_EQ(session_.replies_due(), 0u);
  request->task = "ok";
  EXPECT_TRUE(Submit(request).ok());
}

TEST_F(ClientSessionTest, ALossTellsWhatWasSentAndWhatAccepted) {
  auto accepted = Request(), sent = Request(), unsent = Request();
  ASSERT_TRUE(Submit(accepted).ok());
  ASSERT_TRUE(Submit(sent).ok());
  output_.Consume(output_.size() - 1);
  ASSERT_TRUE(Submit(unsent).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  std::vector<Orphan> orphans;
  session_.OnConnectionLost(&orphans);
  ASSERT_THAT(orphans, SizeIs(3));
  EXPECT_EQ(orphans[0].operation, sent.get());
  EXPECT_TRUE(orphans[0].bytes_sent);
  EXPECT_FALSE(orphans[0].accepted);
  EXPECT_EQ(orphans[1].operation, unsent.get());
  EXPECT_FALSE(orphans[1].bytes_sent);
  EXPECT_EQ(orphans[2].operation, accepted.get());
  EXPECT_TRUE(orphans[2].accepted);
  EXPECT_EQ(session_.replies_due(), 0u);
  EXPECT_EQ(session_.jobs_running(), 0u);
}

TEST_F(ClientSessionTest, ABackgroundJobEndsWithItsAcceptance) {
  auto request = Request();
  request->background = true;
  ASSERT_TRUE(Submit(request).ok());
  ASSERT_TRUE(Receive(wire::JobCreated{"H:1"}).ok());
  EXPECT_EQ(session_.jobs_running(), 0u);
  EXPECT_EQ(request->session, nullptr);
}

// A connection is needed as long as somebody waits for something of it.
TEST_F(ClientSessionTest, TellsWhenNobodyWaitsAnyMore) {
  int told = 0;
  ClientSession session(&effects_, &output_, "", [&told] { ++told; });
  auto first = Request();
  auto second = Request();
  ASSERT_TRUE(session.Submit(first.get()).ok());
  ASSERT_TRUE(session.Submit(second.get()).ok());
  EXPECT_FALSE(session.unused());
  wire::ToClient one = wire::JobCreated{"H:1"};
  ASSERT_TRUE(session.OnEvent(one).ok());
  session.Detach(first.get());
  EXPECT_EQ(session.jobs_running(), 1u);
  EXPECT_EQ(session.jobs_awaited(), 0u);
  // The reply to the second one is due.
  EXPECT_EQ(told, 0);
  wire::ToClient two = wire::JobCreated{"H:2"};
  ASSERT_TRUE(session.OnEvent(two).ok());
  EXPECT_EQ(session.jobs_awaited(), 1u);
  session.Detach(second.get());
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(session.unused());
  EXPECT_EQ(session.jobs_running(), 2u);
}

}  // namespace
}  // namespace internal
}  // namespace gearman
