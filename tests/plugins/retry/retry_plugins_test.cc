#include "gearman/plugins/retry/retry_plugins.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gearman/plugins/field_error.h"
#include "gearman/plugins/registry.h"
#include "gearman/plugins/retry/retry.pb.h"
#include "gearman/plugins/retry/retry_policy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

class RetryPlugins : public ::testing::Test {
 protected:
  RetryPlugins() : registry_("retry policy") {
    EXPECT_TRUE(RegisterRetryPlugins(&registry_).ok());
  }

  Registry<RetryPolicy> registry_;
};

TEST_F(RetryPlugins, BearTheNamesOfTheirPolicies) {
  ASSERT_THAT(registry_.names(),
              ::testing::ElementsAre("budget", "exponential_backoff",
                                     "immediate", "none"));
  for (const std::string& name : registry_.names()) {
    auto policy = registry_.CreateByName(name);
    ASSERT_TRUE(policy.ok()) << policy.status();
    EXPECT_EQ((*policy)->name(), name);
  }
}

TEST_F(RetryPlugins, PassTheMaximumOfAttemptsOn) {
  config::ImmediateRetry config;
  config.set_max_attempts(2);
  auto policy = registry_.Create(config);
  ASSERT_TRUE(policy.ok()) << policy.status();
  AttemptFailure failure;
  failure.max_attempts = 10;
  failure.attempt = 1;
  EXPECT_TRUE((*policy)->OnFailure(failure).again);
  failure.attempt = 2;
  EXPECT_FALSE((*policy)->OnFailure(failure).again);
}

TEST_F(RetryPlugins, NameTheFieldOfABadValue) {
  config::ImmediateRetry config;
  config.set_max_attempts(0);
  auto policy = registry_.Create(config);
  ASSERT_TRUE(absl::IsInvalidArgument(policy.status()));
  EXPECT_EQ(policy.status().message(),
            "retry policy \"immediate\": max_attempts: 0 is not valid: it must "
            "be from 1 to 1000");
  EXPECT_EQ(policy.status().GetPayload(kFieldPayload), "max_attempts");
}

TEST_F(RetryPlugins, CanNotBeRegisteredTwice) {
  EXPECT_TRUE(absl::IsAlreadyExists(RegisterRetryPlugins(&registry_)));
}

}  // namespace
}  // namespace gearman
