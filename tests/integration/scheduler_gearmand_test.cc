// Two schedulers and a real gearmand, which joins their submissions of a tick.
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/sdk/admin_client.h"
#include "gearman/sdk/scheduler.h"
#include "gearman/tests/sdk/client_fixture.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/wait_for.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

TEST(SchedulerGearmandTest, GearmandKeepsOneJobOfEachTick) {
  const support::GearmandProcess server;
  ASSERT_TRUE(server.ok());
  absl::Mutex mutex;
  std::set<std::string> ticks;
  Schedule schedule;
  schedule.name = "every minute";
  schedule.every = absl::Minutes(1);
  schedule.task = "tick";
  schedule.data_of = [&](absl::Time tick) {
    absl::MutexLock lock(&mutex);
    return *ticks.insert(absl::StrCat(absl::ToUnixSeconds(tick))).first;
  };
  std::vector<std::unique_ptr<Scheduler>> schedulers;
  for (int i = 0; i < 2; ++i) {
    SchedulerOptions options;
    options.client.servers = {server.address()};
    options.client.transports = TcpOnly();
    // All ticks of the next 10 hours.
    options.lead = absl::Hours(10);
    auto scheduler = Scheduler::Create(std::move(options));
    ASSERT_TRUE(scheduler.ok()) << scheduler.status();
    schedulers.push_back(*std::move(scheduler));
    ASSERT_TRUE(schedulers.back()->Add(schedule).ok());
    ASSERT_TRUE(schedulers.back()->Start().ok());
  }
  for (const auto& scheduler : schedulers) {
    EXPECT_TRUE(support::WaitFor(
        [&scheduler] { return scheduler->stats().accepted >= 599; }));
    EXPECT_EQ(scheduler->stats().missed, 0u);
  }
  schedulers.clear();
  AdminClientOptions admin_options;
  admin_options.server = server.address();
  admin_options.transports = TcpOnly();
  auto admin = AdminClient::Create(std::move(admin_options));
  ASSERT_TRUE(admin.ok()) << admin.status();
  const auto status = (*admin)->GetStatus();
  ASSERT_TRUE(status.ok()) << status.status();
  ASSERT_EQ(status->size(), 1u);
  EXPECT_EQ((*status)[0].function, "tick");
  // A tick that became due just now may not have been submitted.
  const auto made = static_cast<int64_t>(ticks.size());
  EXPECT_LE((*status)[0].total, made);
  EXPECT_GE((*status)[0].total, made - 1);
}

}  // namespace
}  // namespace gearman
