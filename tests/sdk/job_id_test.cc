#include "gearman/sdk/job_id.h"

#include <string>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(JobIdTest, PrintsAndParses) {
  for (const JobId& id :
       {JobId{"tcp://host:4730", "H:host:17", "report"},
        JobId{"tcp://[::1]:4730", std::string("H:\0|% \t", 7), ""},
        JobId{"", "", "\xff|unique"}}) {
    const absl::StatusOr<JobId> parsed = JobId::Parse(id.ToString());
    ASSERT_TRUE(parsed.ok()) << id.ToString() << parsed.status();
    EXPECT_EQ(*parsed, id);
    EXPECT_THAT(id.ToString(), Not(HasSubstr(" ")));
  }
  EXPECT_EQ((JobId{"tcp://host:4730", "H:host:17", "r"}.ToString()),
            "tcp://host:4730|H:host:17|r");
}

TEST(JobIdTest, SaysWhatIsWrongWithATextThatIsNone) {
  for (const char* text :
       {"", "a|b", "a|b|c|d", "tcp://h|%4|u", "tcp://h|%zz|u", "tcp://h|H%",
        "tcp://h|H%a |u", "tcp://h|H%+1|u", "||", "tcp://h||", "|H:1|"}) {
    const absl::StatusOr<JobId> parsed = JobId::Parse(text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument)
        << text;
  }
}

}  // namespace
}  // namespace gearman
