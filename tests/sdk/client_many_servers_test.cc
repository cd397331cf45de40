// Tests of the cost of a request that many servers refuse. Steps are counted,
// and time is the virtual clock's.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gearman/plugins/retry/exponential_backoff.h"
#include "gearman/plugins/retry/immediate_retry.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gearman/plugins/server_selection/ordered_selector.h"
#include "gearman/plugins/server_selection/random_selector.h"
#include "gearman/plugins/server_selection/round_robin_selector.h"
#include "gearman/plugins/server_selection/server_selector.h"
#include "gearman/plugins/server_selection/unique_hash_selector.h"
#include "gearman/sdk/client.h"
#include "gearman/tests/sdk/client_servers_fixture.h"
#include "gearman/tests/sdk/testing/refusing_transport.h"
#include "gearman/transports/transport_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Counts what another one is asked.
class CountingSelector final : public ServerSelector {
 public:
  explicit CountingSelector(std::shared_ptr<ServerSelector> next)
      : next_(std::move(next)) {}
  size_t Select(const SelectionQuery& query,
                absl::Span<const ServerCandidate> candidates,
                absl::BitGenRef random) override {
    ++calls;
    shown += candidates.size();
    return next_->Select(query, candidates, random);
  }
  absl::string_view name() const override { return "counting"; }

  uint64_t calls = 0;
  uint64_t shown = 0;

 private:
  const std::shared_ptr<ServerSelector> next_;
};

class ClientManyServersTest : public ClientServersTest {
 protected:
  // A client of so many servers that refuse.
  void StartRefused(int servers, absl::Duration step = absl::ZeroDuration(),
                    bool later = false) {
    ClientOptions options = stack_.ClientDefaults("client", {});
    for (int i = 0; i < servers; ++i) {
      options.servers.push_back(absl::StrCat("refusing://", i));
    }
    factory_ = std::make_shared<testing::RefusingFactory>(
        stack_.simulation.clock(), step, later);
    transports_ = std::make_shared<TransportRegistry>();
    ASSERT_TRUE(transports_->Register("refusing", factory_).ok());
    options.transports = transports_;
    counting_ = std::make_shared<CountingSelector>(selector_);
    options.server_selector = counting_;
    options.max_connection_attempts = max_attempts_;
    options.retry_policy = retry_policy_;
    client_ = stack_.MakeClient(std::move(options));
  }

  std::shared_ptr<ServerSelector> selector_ =
      std::make_shared<RandomServerSelector>();
  int max_attempts_ = 0;
  // Tries each server once.
  std::shared_ptr<RetryPolicy> retry_policy_ =
      std::make_shared<ImmediateRetryPolicy>();
  std::shared_ptr<testing::RefusingFactory> factory_;
  std::shared_ptr<TransportRegistry> transports_;
  std::shared_ptr<CountingSelector> counting_;
};

constexpr int kMany = 1600;

TEST_F(ClientManyServersTest, EachServerIsTriedOnceAtACostThatIsLinear) {
  for (const bool later : {false, true}) {
    StartRefused(kMany, absl::ZeroDuration(), later);
    const absl::Status status = client_->Run("f", "").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(factory_->asked.size(), size_t{kMany});
    EXPECT_EQ(
        std::set<std::string>(factory_->asked.begin(), factory_->asked.end())
            .size(),
        static_cast<size_t>(kMany));
    EXPECT_EQ(counting_->calls, static_cast<uint64_t>(kMany));
    EXPECT_LE(counting_->shown, static_cast<uint64_t>(64 * kMany));
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("attempt 1600 of 1600"));
  }
}

TEST_F(ClientManyServersTest, ARequestEndsAtItsTimeoutInTheMidstOfRefusals) {
  for (const bool later : {false, true}) {
    StartRefused(kMany, absl::Milliseconds(1), later);
    const absl::Time begin = now();
    CallOptions call;
    call.timeout = absl::Milliseconds(100);
    const JobRequest request = client_->SubmitJob("f", "", call);
    const absl::Status status = client_->Wait(request);
    EXPECT_EQ(now() - begin, absl::Milliseconds(100));
    EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << later;
    EXPECT_TRUE(request.timed_out());
    EXPECT_EQ(factory_->asked.size(), 100u);
    EXPECT_THAT(
        std::string(status.message()),
        AllOf(HasSubstr("\"f\""), HasSubstr("100ms"), HasSubstr("refused")));
  }
}

// Whatever the order is that a selector keeps, it is kept to the last server.
TEST_F(ClientManyServersTest, ServersAreTriedInTheSelectorsOrder) {
  selector_ = std::make_shared<OrderedServerSelector>();
  StartRefused(100);
  EXPECT_FALSE(client_->Run("f", "").ok());
  ASSERT_EQ(factory_->asked.size(), 100u);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(factory_->asked[i], absl::StrCat(i));
  }
}

TEST_F(ClientManyServersTest, EverySelectorReachesEveryServer) {
  for (const std::shared_ptr<ServerSelector>& selector :
       std::vector<std::shared_ptr<ServerSelector>>{
           std::make_shared<RandomServerSelector>(),
           std::make_shared<RoundRobinServerSelector>(),
           std::make_shared<UniqueHashServerSelector>(),
           std::make_shared<OrderedServerSelector>()}) {
    selector_ = selector;
    StartRefused(100);
    EXPECT_FALSE(client_->Run("f", "").ok());
    EXPECT_EQ(
        std::set<std::string>(factory_->asked.begin(), factory_->asked.end())
            .size(),
        100u)
        << selector->name();
  }
}

// The second round, and those that follow, cost no more than the first.
TEST_F(ClientManyServersTest, FurtherRoundsTryEachServerOnceMore) {
  max_attempts_ = 3000;
  StartRefused(1000);
  EXPECT_FALSE(client_->Run("f", "").ok());
  EXPECT_EQ(factory_->asked.size(), 3000u);
  std::multiset<std::string> asked(factory_->asked.begin(),
                                   factory_->asked.end());
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(asked.count(absl::StrCat(i)), 3u) << i;
  }
  EXPECT_LE(counting_->shown, 64u * 3000);
}

TEST_F(ClientManyServersTest, AllServersAreAskedForReadinessOnceEach) {
  StartRefused(kMany);
  const absl::Status status = client_->WaitForReady(absl::ZeroDuration());
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(factory_->asked.size(), size_t{kMany});
}

// --- how many attempts there are ---------------------------------------------

TEST_F(ClientManyServersTest, AttemptsAreAsManyAsTheClientOrTheCallSays) {
  retry_policy_ = std::make_shared<ExponentialBackoffRetryPolicy>();
  StartRefused(1);
  EXPECT_FALSE(client_->Run("f", "").ok());
  EXPECT_EQ(factory_->asked.size(), 3u);
  max_attempts_ = 10;
  StartRefused(1);
  EXPECT_THAT(std::string(client_->Run("f", "").status().message()),
              HasSubstr("attempt 10 of 10"));
  EXPECT_EQ(factory_->asked.size(), 10u);
  factory_->asked.clear();
  CallOptions call;
  call.max_connection_attempts = 20;
  EXPECT_FALSE(client_->Run("f", "", call).ok());
  EXPECT_EQ(factory_->asked.size(), 20u);
}

TEST_F(ClientManyServersTest, APolicysOwnLimitIsNamedWhenItEndsARequest) {
  ExponentialBackoffRetryOptions options;
  options.max_attempts = 2;
  retry_policy_ = std::make_shared<ExponentialBackoffRetryPolicy>(options);
  max_attempts_ = 10;
  StartRefused(1);
  EXPECT_THAT(std::string(client_->Run("f", "").status().message()),
              HasSubstr("retry policy 'exponential_backoff': its own "
                        "max_attempts are used up"));
  EXPECT_EQ(factory_->asked.size(), 2u);
}

}  // namespace
}  // namespace gearman
