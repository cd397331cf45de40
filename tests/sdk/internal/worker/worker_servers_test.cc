// Tests of a worker's links as servers come and go, of the sharing of grabs,
// and of what a turn costs. tests/sdk/worker_servers_test.cc tests what passes
// over the links.
#include "gearman/sdk/internal/worker/worker_servers.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/sdk/health.h"
#include "gearman/sdk/internal/job/mailbox.h"
#include "gearman/sdk/internal/job/task.h"
#include "gearman/sdk/internal/job/task_table.h"
#include "gearman/sdk/internal/worker/worker_counters.h"
#include "gearman/sdk/internal/worker/worker_session.h"
#include "gearman/sdk/testing/simulation.h"
#include "gearman/tests/sdk/testing/played_server.h"
#include "gearman/tests/sdk/testing/refusing_transport.h"
#include "gearman/transports/address.h"
#include "gearman/transports/inproc/inproc_network.h"
#include "gearman/transports/inproc/inproc_transport_factory.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Command = wire::Command;

class WorkerServersTest : public ::testing::Test {
 protected:
  WorkerServersTest() {
    task_->name = task_->function = "f";
    tasks_.Put(task_);
    options_.set.transports = std::make_shared<TransportRegistry>();
    EXPECT_TRUE(
        options_.set.transports
            ->Register("inproc",
                       std::make_shared<InprocTransportFactory>(network_))
            .ok());
    EXPECT_TRUE(
        options_.set.transports
            ->Register("connecting",
                       std::make_shared<testing::RefusingFactory>(
                           nullptr, absl::ZeroDuration(), /*later=*/true))
            .ok());
    options_.set.connect_timeout = absl::Seconds(5);
    options_.max_output_bytes = 1 << 20;
  }
  ~WorkerServersTest() override { servers_.reset(); }

  // The set with these servers.
  void Make(const std::vector<Address>& addresses) {
    servers_.emplace(addresses, options_, &tasks_, &mailbox_, poller_.get(),
                     &random_, &counters_);
  }
  // The set with so many servers that the test plays, inproc://0 and so on.
  void MakePlayed(int count) {
    std::vector<Address> addresses;
    for (int i = 0; i < count; ++i) {
      addresses.push_back({"inproc", absl::StrCat(i)});
      played_.push_back(std::make_unique<testing::PlayedServer>(
          &simulation_, network_, addresses.back().authority));
    }
    Make(addresses);
  }
  // A turn of the worker. Jobs that come are kept in jobs_.
  void Turn(int room, bool quick = false) {
    std::vector<Poller::Key> ready;
    poller_->Wait(absl::InfinitePast(), &ready);
    for (const Poller::Key key : ready) {
      servers_->OnReady(
          key, now(), [this](WorkerLink& link, wire::ToWorker& event) {
            SessionEvent result;
            absl::Status status = link.session->OnEvent(event, now(), &result);
            if (result.kind == SessionEvent::Kind::kJob) {
              jobs_.emplace_back(&link, std::string(result.assigned->handle));
            }
            return status;
          });
    }
    servers_->OnTime(now());
    if (!servers_->draining()) {
      servers_->Open(now());
      servers_->Grab(room, quick, now());
    }
    servers_->Flush(now());
    while (const auto lost = servers_->TakeLost()) {
      lost_.push_back(lost->link->server->name);
      servers_->CloseLost(*lost, now());
    }
  }
  void AnswerAll() {
    for (const auto& [link, handle] : std::exchange(jobs_, {})) {
      link->session->Complete(task_.get(), handle, "");
      servers_->Touch(*link);
    }
  }
  // The packets that have come to a played server.
  static std::vector<std::string> Came(testing::PlayedConnection& server) {
    return server.ReceiveFor(absl::ZeroDuration());
  }
  absl::Time now() { return simulation_.now(); }

  testing::Simulation simulation_{1};
  const std::shared_ptr<Poller> poller_ = simulation_.MakePoller("worker");
  const std::shared_ptr<InprocNetwork> network_ =
      std::make_shared<InprocNetwork>();
  const std::shared_ptr<Task> task_ = std::make_shared<Task>();
  TaskTable tasks_;
  Mailbox mailbox_{poller_, 1 << 20, 1 << 20};
  std::mt19937_64 random_{1};
  WorkerCounters counters_;
  WorkerServers::Options options_;
  std::vector<std::unique_ptr<testing::PlayedServer>> played_;
  std::vector<std::pair<WorkerLink*, std::string>> jobs_;
  std::vector<std::string> lost_;
  std::optional<WorkerServers> servers_;
};

TEST_F(WorkerServersTest, ServersThatComeAndGoAreForgotten) {
  Make({{"inproc", "0"}});
  for (int i = 1; i <= 1000; ++i) {
    servers_->SetServers(std::vector<Address>{{"inproc", "always"},
                                              {"inproc", absl::StrCat(i)}});
  }
  const std::vector<ServerHealth> health = servers_->health();
  ASSERT_EQ(health.size(), 2u);
  // In the order in which they came.
  EXPECT_EQ(health[0].server, "inproc://always");
  EXPECT_EQ(health[1].server, "inproc://1000");
  int known = 0;
  for (int i = 0; i <= 1000; ++i) {
    if (servers_->Find(absl::StrCat("inproc://", i)) != nullptr) ++known;
  }
  EXPECT_LE(known, 3);
}

TEST_F(WorkerServersTest, AServerThatComesBackBeginsAnew) {
  Make({{"inproc", "none"}, {"inproc", "other"}});
  Turn(0);
  const WorkerServerPtr server = servers_->servers()[0];
  EXPECT_EQ(server->failures, 1);
  EXPECT_GT(server->retry_at, now());
  EXPECT_EQ(counters_.Read().connect_failures, 2u);
  servers_->SetServers(std::vector<Address>{{"inproc", "other"}});
  servers_->SetServers(
      std::vector<Address>{{"inproc", "other"}, {"inproc", "none"}});
  EXPECT_EQ(servers_->servers()[1], server);
  EXPECT_EQ(servers_->health()[1].state, ServerState::kConnecting);
  EXPECT_LE(servers_->next_deadline(), now());
}

// Without a delay between attempts, one turn makes one attempt.
TEST_F(WorkerServersTest, ATurnTriesAServerOnce) {
  options_.set.reconnect.first_delay = absl::ZeroDuration();
  options_.set.reconnect.initial_delay = absl::ZeroDuration();
  Make({{"inproc", "none"}});
  for (int i = 1; i <= 3; ++i) {
    Turn(0);
    EXPECT_EQ(servers_->servers()[0]->failures, i);
  }
}

// --- grabs -------------------------------------------------------------------

TEST_F(WorkerServersTest, GrabsGoToTheServersInTurn) {
  MakePlayed(3);
  Turn(/*room=*/0);
  EXPECT_TRUE(servers_->want_grabs());
  const auto a = played_[0]->Accept();
  const auto b = played_[1]->Accept();
  const auto c = played_[2]->Accept();
  for (const auto* server : {&a, &b, &c}) {
    EXPECT_THAT(Came(**server), ElementsAre("CAN_DO f"));
  }
  // Each server is due a grab, as none has brought a job yet.
  Turn(/*room=*/2);
  EXPECT_EQ(servers_->outstanding(), 2);
  EXPECT_THAT(Came(*a), ElementsAre("GRAB_JOB_ALL"));
  EXPECT_THAT(Came(*b), ElementsAre("GRAB_JOB_ALL"));
  EXPECT_THAT(Came(*c), IsEmpty());
  // Grabs that a server does not want are left for the others.
  Turn(/*room=*/2);
  EXPECT_THAT(Came(*c), ElementsAre("GRAB_JOB_ALL"));
  EXPECT_EQ(servers_->outstanding(), 3);
  EXPECT_FALSE(servers_->want_grabs());
  // After jobs, each wants more than there is room for. None comes first again
  // before all others have had a grab.
  for (const auto* server : {&a, &b, &c}) {
    (*server)->Send(Command::kJobAssignUniq, {"H:1", "f", "u", ""});
  }
  Turn(/*room=*/0);
  ASSERT_THAT(jobs_, SizeIs(3));
  EXPECT_EQ(servers_->outstanding(), 0);
  EXPECT_TRUE(servers_->want_grabs());
  for (int round = 0; round < 2; ++round) {
    size_t grabs = 0;
    for (int turn = 0; turn < 3; ++turn) Turn(/*room=*/1);
    for (const auto* server : {&a, &b, &c}) {
      const std::vector<std::string> came = Came(**server);
      EXPECT_THAT(came, ElementsAre("GRAB_JOB_ALL")) << round;
      grabs += came.size();
    }
    EXPECT_EQ(grabs, 3u);
  }
  EXPECT_EQ(counters_.Read().grabs_sent, 9u);
}

TEST_F(WorkerServersTest, AClosedLinkLeavesItsPlaceInTheLineAndItsGrabs) {
  MakePlayed(2);
  Turn(/*room=*/1);
  EXPECT_EQ(servers_->outstanding(), 1);
  EXPECT_TRUE(servers_->want_grabs());
  played_[0]->Accept()->Close();
  played_[1]->Accept()->Close();
  Turn(/*room=*/0);
  EXPECT_THAT(lost_, SizeIs(2));
  EXPECT_EQ(servers_->outstanding(), 0);
  EXPECT_FALSE(servers_->want_grabs());
  EXPECT_EQ(counters_.Read().connections_lost, 2u);
}

TEST_F(WorkerServersTest, ACongestedLinkWantsNoGrabUntilItsOutputHasLeft) {
  options_.max_output_bytes = 1000;
  MakePlayed(1);
  Turn(/*room=*/0);
  const auto connection = played_[0]->Accept();
  WorkerLink& link = *servers_->links()[0];
  // More than a pipe of the network holds, in parts that do not pass whole.
  for (int i = 0; i < 110; ++i) {
    EXPECT_TRUE(link.session->SendData("H:1", std::string(10000, 'x')).ok());
  }
  servers_->Touch(link);
  Turn(/*room=*/0);
  EXPECT_TRUE(link.session->congested);
  EXPECT_FALSE(servers_->want_grabs());
  for (int i = 0; i < 100 && link.session->congested; ++i) {
    connection->ReceiveFor(absl::ZeroDuration());
    Turn(/*room=*/0);
  }
  EXPECT_FALSE(link.session->congested);
  EXPECT_TRUE(servers_->want_grabs());
}

// A session that skips grabs, because handlers are quick, may wait for room
// when they become quick.
TEST_F(WorkerServersTest, ALinkInLineGoesToSleepIfItsGrabIsSkipped) {
  MakePlayed(1);
  Turn(/*room=*/1);
  const auto connection = played_[0]->Accept();
  EXPECT_THAT(Came(*connection), ElementsAre("CAN_DO f", "GRAB_JOB_ALL"));
  const auto give = [&] {
    connection->Send(Command::kJobAssignUniq, {"H:1", "f", "u", ""});
  };
  connection->Send(Command::kNoJob, {});
  Turn(1);
  EXPECT_THAT(Came(*connection), ElementsAre("PRE_SLEEP"));
  // A wake-up brings one job, and the worker sleeps ahead.
  simulation_.RunFor(absl::Seconds(1));
  connection->Send(Command::kNoop, {});
  Turn(1, /*quick=*/true);
  EXPECT_THAT(Came(*connection), ElementsAre("GRAB_JOB_ALL"));
  give();
  Turn(0, false);
  AnswerAll();
  Turn(1, true);
  EXPECT_THAT(Came(*connection),
              ElementsAre("WORK_COMPLETE H:1|", "GRAB_JOB_ALL", "PRE_SLEEP"));
  connection->Send(Command::kNoJob, {});
  Turn(1, true);
  // The grab after the job of the next wake-up would be skipped.
  simulation_.RunFor(absl::Seconds(1));
  connection->Send(Command::kNoop, {});
  Turn(1, true);
  EXPECT_THAT(Came(*connection), ElementsAre("GRAB_JOB_ALL"));
  give();
  Turn(0, false);
  AnswerAll();
  Turn(0, false);
  EXPECT_THAT(Came(*connection), ElementsAre("WORK_COMPLETE H:1|"));
  EXPECT_TRUE(servers_->want_grabs());
  Turn(0, false);
  EXPECT_THAT(Came(*connection), IsEmpty());
  Turn(1, true);
  EXPECT_THAT(Came(*connection), ElementsAre("PRE_SLEEP"));
  EXPECT_FALSE(servers_->want_grabs());
}

// --- the end -----------------------------------------------------------------

TEST_F(WorkerServersTest, ADrainClosesEachLinkWhenItHasEnded) {
  MakePlayed(2);
  Turn(/*room=*/2);
  const auto a = played_[0]->Accept();
  const auto b = played_[1]->Accept();
  Came(*a);
  Came(*b);
  a->Send(Command::kJobAssignUniq, {"H:1", "f", "u", ""});
  b->Send(Command::kNoJob, {});
  Turn(/*room=*/0);
  Came(*b);
  ASSERT_THAT(jobs_, SizeIs(1));
  servers_->SetServers(std::vector<Address>{{"inproc", "0"},
                                            {"inproc", "1"},
                                            {"inproc", "none"},
                                            {"connecting", "x"}});
  servers_->Open(now());
  ASSERT_THAT(servers_->links(), SizeIs(3));
  servers_->Drain();
  servers_->Flush(now());
  // The connection that is being made is not waited for, none is made again,
  // and the one without a job or an answer on its way ends at once.
  EXPECT_THAT(servers_->links(), SizeIs(1));
  EXPECT_EQ(servers_->health()[0].state, ServerState::kUp);
  EXPECT_THAT(Came(*a), IsEmpty());
  EXPECT_THAT(Came(*b), ElementsAre("closed"));
  AnswerAll();
  Turn(0);
  EXPECT_THAT(Came(*a), ElementsAre("WORK_COMPLETE H:1|",
                                    "ECHO_REQ gearman_sdk receipt"));
  a->Send(Command::kEchoRes, {"gearman_sdk receipt"});
  Turn(0);
  EXPECT_THAT(Came(*a), ElementsAre("closed"));
  EXPECT_THAT(servers_->links(), IsEmpty());
  EXPECT_THAT(lost_, IsEmpty());
  EXPECT_EQ(servers_->next_deadline(), absl::InfiniteFuture());
}

// --- what a turn costs -------------------------------------------------------

// The other links wait for answers, or in line for room.
TEST_F(WorkerServersTest, ATurnWithAJobLooksAtItsOwnLinkOnly) {
  for (const int room : {0, 2000}) {
    std::vector<uint64_t> looks;
    for (const int count : {1, 1000}) {
      played_.clear();
      MakePlayed(count);
      Turn(room);
      EXPECT_EQ(servers_->connected(), static_cast<size_t>(count));
      EXPECT_EQ(servers_->want_grabs(), room == 0);
      if (room == 0) Turn(/*room=*/1);
      const auto connection = played_[0]->Accept();
      const uint64_t before = servers_->looks();
      for (int job = 0; job < 100; ++job) {
        connection->Send(Command::kJobAssignUniq,
                         {absl::StrCat("H:", job), "f", "u", ""});
        Turn(/*room=*/0);
        ASSERT_THAT(jobs_, SizeIs(1));
        AnswerAll();
        // The one that is served next is this link, as the test has it so.
        WorkerLink& link = *servers_->servers()[0]->link;
        link.session->Grab(1, now());
        servers_->Touch(link);
        Turn(/*room=*/0);
      }
      looks.push_back(servers_->looks() - before);
      servers_.reset();
    }
    EXPECT_GT(looks[0], 300u);
    EXPECT_EQ(looks[1], looks[0]);
  }
}

// A turn with room for one grab looks at one link of those in line.
TEST_F(WorkerServersTest, AGrabLooksAtOneLinkInLine) {
  MakePlayed(1000);
  Turn(/*room=*/0);
  for (int turn = 1; turn <= 100; ++turn) {
    const uint64_t before = servers_->looks();
    Turn(/*room=*/1);
    EXPECT_EQ(servers_->outstanding(), turn);
    // Flush, and its owner's list of touched links.
    EXPECT_LE(servers_->looks() - before, 3u);
  }
}

}  // namespace
}  // namespace internal
}  // namespace gearman
