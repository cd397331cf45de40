// Needs what docs/guide/getting_started.md says that a test of a handler links.
#include "resize/resize.h"

#include "gearman/sdk/testing/fake_job_context.h"
#include "gearman/sdk/testing/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using gearman::testing::FailedWith;
using gearman::testing::FakeJobContext;
using gearman::testing::IsComplete;

TEST(Resize, HalvesAnImage) {
  FakeJobContext job("image");
  EXPECT_THAT(job.Run(consumer::Resize), IsComplete("im"));
}

TEST(Resize, FailsWithoutAnImage) {
  FakeJobContext job("");
  EXPECT_THAT(job.Run(consumer::Resize),
              FailedWith(absl::StatusCode::kAborted));
}

}  // namespace
