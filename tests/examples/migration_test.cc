// The programs of docs/guide/libgearman.md and docs/guide/python_gearman.md. The
// first one is there with libgearman, too: each client is served by each worker,
// and prints the same.
#include <csignal>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The client's program and the worker's.
class MigrationExample
    : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  MigrationExample() {
    EXPECT_TRUE(gearmand_.ok());
    support::SubprocessOptions options = Options(worker_program(), "worker");
    auto worker = support::Subprocess::Start(std::move(options));
    EXPECT_TRUE(worker.ok()) << worker.status();
    worker_ = *std::move(worker);
  }

  const char* client_program() const { return std::get<0>(GetParam()); }
  const char* worker_program() const { return std::get<1>(GetParam()); }
  support::SubprocessOptions Options(const char* program, const char* role,
                                     std::vector<std::string> words = {}) {
    support::SubprocessOptions options;
    options.argv = {absl::StrCat("examples/migration/", program), role,
                    "127.0.0.1", absl::StrCat(gearmand_.port())};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    return options;
  }
  support::ProgramResult RunClient(std::vector<std::string> words) {
    absl::StatusOr<support::ProgramResult> result = support::RunProgram(
        Options(client_program(), "client", std::move(words)));
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : support::ProgramResult();
  }

  support::GearmandProcess gearmand_;
  std::unique_ptr<support::Subprocess> worker_;
};

TEST_P(MigrationExample, PrintsTheSame) {
  const support::ProgramResult good = RunClient({"hello", "big world", "a-b"});
  EXPECT_TRUE(good.status.ok()) << good.error_output;
  EXPECT_EQ(good.output, "hello: HELLO\nbig world: BIG WORLD\na-b: A-B\n");
  EXPECT_THAT(good.error_output, IsEmpty());

  const support::ProgramResult bad = RunClient({"one", "2", "three"});
  EXPECT_FALSE(bad.status.ok());
  EXPECT_EQ(bad.output, "one: ONE\n2: failed\nthree: THREE\n");
}

// Only where both sides are ported.
TEST_P(MigrationExample, SaysWhyAJobFailed) {
  if (GetParam() != std::make_tuple("shout", "shout")) return;
  const support::ProgramResult bad = RunClient({"2"});
  EXPECT_THAT(bad.error_output,
              AllOf(HasSubstr("digits can't be shouted"), HasSubstr("shout"),
                    HasSubstr("127.0.0.1")));
}

INSTANTIATE_TEST_SUITE_P(
    Programs, MigrationExample,
    ::testing::Combine(::testing::Values("shout", "shout_libgearman"),
                       ::testing::Values("shout", "shout_libgearman")),
    [](const auto& info) {
      return absl::StrCat(std::get<0>(info.param), "_of_",
                          std::get<1>(info.param));
    });

TEST(PythonGearmanExample, DoesWhatItsPageSays) {
  support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  const auto options = [&](const char* role) {
    support::SubprocessOptions made;
    made.argv = {"examples/migration/python_gearman", role,
                 absl::StrCat("127.0.0.1:", gearmand.port())};
    return made;
  };
  const auto worker = support::Subprocess::Start(options("worker"));
  ASSERT_TRUE(worker.ok()) << worker.status();

  const auto client = support::RunProgram(options("client"));
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_TRUE(client->status.ok()) << client->error_output;
  EXPECT_EQ(client->output,
            "reverse finished: complete olleh\n"
            "reverse finished: created \n"
            "reverse finished: complete eno\n"
            "reverse_in_flight finished: complete \n"
            "owt\n"
            "known 1, running 0\n");

  const auto admin = support::RunProgram(options("admin"));
  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_TRUE(admin->status.ok()) << admin->error_output;
  EXPECT_THAT(admin->output,
              AllOf(HasSubstr("version "),
                    HasSubstr("reverse_in_flight: 0 queued, 0 running, 1 "),
                    HasSubstr("no_worker: 1 queued, 0 running, 0 workers\n"),
                    HasSubstr("reverser works\n")));
  EXPECT_THAT(admin->error_output, HasSubstr("answers in "));
}

}  // namespace
}  // namespace gearman
