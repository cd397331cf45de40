// Forks while other threads are in the middle of calls.
//
// No test of forks beside threads runs under the sanitizers. There such a child
// can be stuck on a lock of AddressSanitizer's allocator, which is not this
// SDK's.
#include <atomic>
#include <string>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "gearman/tests/sdk/fork_fixture.h"
#include "gearman/tests/support/forked_child.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RunInChild;
using ForkBusyTest = ForkTest;

TEST_F(ForkBusyTest, AChildIsNeverStuckOnALockOfAnotherThread) {
  StartWorker(/*concurrency=*/2);
  RunWorker();
  std::atomic<bool> stop{false};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([this, &stop, &done] {
      while (!stop) {
        const auto result = client_->Run("reverse", "busy");
        ASSERT_TRUE(result.ok()) << result.status();
        ++done;
      }
    });
  }
  const JobRequest request = client_->SubmitJob("gated", "in flight");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(RunInChild([this, &request]() -> std::string {
                std::string wrong = NotRefused("Wait", client_->Wait(request));
                wrong += NotRefused("status", request.status());
                const auto own = MakeClient();
                const auto result = own->Run("reverse", "child");
                client_ = nullptr;
                worker_ = nullptr;
                server_ = nullptr;
                return result.ok() ? wrong : result.status().ToString();
              }),
              "");
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(done, 0);
  OpenGate();
  EXPECT_TRUE(client_->Wait(request, kLong).ok()) << request.status();
  ExpectUnharmed();
}

}  // namespace
}  // namespace gearman
