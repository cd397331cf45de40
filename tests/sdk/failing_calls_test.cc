// The SDK where a system call fails, as where descriptors, memory or threads
// have run out: one call of one run, each call of a run in turn, in each way.
//
// Nothing hangs or crashes, and the client is told of each job.
#include "gearman/tests/support/failing_calls.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::FailingCall;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Ne;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kJobs = 3;

// How client, worker and server meet, and a function that is called meanwhile.
class FailingCallsTest
    : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void Run(const FailingCall& call) {
    support::SubprocessOptions options;
    options.argv = {"tests/sdk/failing_calls_program", std::get<0>(GetParam())};
    if (call.nth > 0) {
      calls_.Fail(call, &options);
    } else {
      calls_.Count(&options);
    }
    const absl::StatusOr<support::ProgramResult> run =
        support::RunProgram(std::move(options));
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->status.signal, 0) << run->error_output;
    if (call.nth == 0) {
      EXPECT_EQ(run->output, "done\ndone\ndone\n") << run->error_output;
    } else if (run->status.code == 0) {
      const std::vector<std::string> told =
          absl::StrSplit(absl::StripSuffix(run->output, "\n"), '\n');
      EXPECT_THAT(told, AllOf(SizeIs(kJobs), Each(Not(IsEmpty())),
                              Each(Ne("a wrong result"))));
    } else {
      EXPECT_THAT(run->error_output, Not(IsEmpty()));
    }
  }

  support::FailingCalls calls_;
};

INSTANTIATE_TEST_SUITE_P(
    InProcess, FailingCallsTest,
    ::testing::Combine(::testing::Values("inproc"),
                       ::testing::Values("epoll_create1", "epoll_ctl",
                                         "eventfd", "pthread_create")),
    [](const auto& info) {
      return absl::StrReplaceAll(std::get<1>(info.param), {{"_", "X"}});
    });

INSTANTIATE_TEST_SUITE_P(
    OverSockets, FailingCallsTest,
    ::testing::Combine(::testing::Values("tcp", "name", "callbacks"),
                       ::testing::Values("accept4", "epoll_create1",
                                         "epoll_ctl", "eventfd",
                                         "pthread_create", "socket")),
    [](const auto& info) {
      return absl::StrReplaceAll(
          absl::StrCat(std::get<0>(info.param), "_", std::get<1>(info.param)),
          {{"_", "X"}});
    });

TEST_P(FailingCallsTest, OneThatFailsNeitherHangsNorCrashesNorLosesAJob) {
  FailingCall call;
  call.name = std::get<1>(GetParam());
  Run(call);
  const uint64_t made = calls_.count(call.name);
  EXPECT_GT(made, 0u) << "the program does not call " << call.name;
  for (uint64_t nth = 1; nth <= made && !HasFailure(); ++nth) {
    for (const int error : support::CallErrors()) {
      call.nth = nth;
      call.error = error;
      SCOPED_TRACE(
          absl::StrCat(call.name, " number ", nth, ": ", std::strerror(error)));
      Run(call);
    }
  }
}

}  // namespace
}  // namespace gearman
