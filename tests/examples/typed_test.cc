// The example of typed jobs, run as its users run it.
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gearman/tests/support/gearmand_process.h"
#include "gearman/tests/support/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

void ExpectReceipt(support::SubprocessOptions options) {
  const auto result = support::RunProgram(std::move(options));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->status.ok()) << result->error_output;
  EXPECT_THAT(result->output, AllOf(StartsWith("Thank you, Ada: 1550 cents\n"),
                                    HasSubstr("the order has no prices")));
}

TEST(TypedExample, GetsAReceiptFromTheEmbeddedServer) {
  support::SubprocessOptions options;
  options.argv = {"examples/typed/typed"};
  ExpectReceipt(std::move(options));
}

TEST(TypedExample, GetsAReceiptThroughGearmand) {
  const support::GearmandProcess gearmand;
  ASSERT_TRUE(gearmand.ok());
  support::SubprocessOptions options;
  options.argv = {"examples/typed/typed", gearmand.address()};
  ExpectReceipt(std::move(options));
}

}  // namespace
}  // namespace gearman
