#include "gearman/tests/soak/ledger.h"

#include <thread>  // NOLINT: Abseil has no thread

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gearman {
namespace soak {
namespace {

TEST(LedgerTest, AnAcceptedJobIsOwedUntilItRuns) {
  Ledger ledger;
  ledger.Expect("a");
  ledger.Expect("b");
  ledger.Settle("a", true);
  ledger.Settle("b", true);
  EXPECT_EQ(ledger.WaitForAll(absl::ZeroDuration()), 2u);
  ledger.Ran("a");
  EXPECT_EQ(ledger.WaitForAll(absl::ZeroDuration()), 1u);
  ledger.Ran("b");
  EXPECT_EQ(ledger.WaitForAll(absl::ZeroDuration()), 0u);
}

TEST(LedgerTest, AJobMayRunBeforeItsClientKnowsOfIt) {
  Ledger ledger;
  ledger.Expect("a");
  ledger.Ran("a");
  ledger.Settle("a", true);
  EXPECT_EQ(ledger.WaitForAll(absl::ZeroDuration()), 0u);
}

TEST(LedgerTest, AJobThatWasNotAcceptedIsNotOwed) {
  Ledger ledger;
  ledger.Expect("a");
  ledger.Settle("a", false);
  EXPECT_EQ(ledger.WaitForAll(absl::ZeroDuration()), 0u);
}

TEST(LedgerTest, ASecondRunSaysNothingNew) {
  Ledger ledger;
  ledger.Expect("a");
  ledger.Settle("a", true);
  ledger.Ran("a");
  ledger.Ran("a");
  ledger.Ran("never expected");
  EXPECT_EQ(ledger.WaitForAll(absl::ZeroDuration()), 0u);
}

TEST(LedgerTest, AWaitEndsWithTheLastRun) {
  Ledger ledger;
  ledger.Expect("a");
  ledger.Settle("a", true);
  std::thread thread([&ledger] { ledger.Ran("a"); });
  EXPECT_EQ(ledger.WaitForAll(absl::InfiniteDuration()), 0u);
  thread.join();
}

}  // namespace
}  // namespace soak
}  // namespace gearman
