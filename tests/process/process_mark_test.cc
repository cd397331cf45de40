#include "gearman/process/process_mark.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gearman/tests/support/forked_child.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RunInChild;
using ::testing::HasSubstr;

TEST(ProcessMarkTest, IsInheritedInAChildAndItsChildren) {
  const ProcessMark mark;
  EXPECT_FALSE(mark.inherited());
  EXPECT_EQ(RunInChild([&mark] {
              if (!mark.inherited()) return std::string("not inherited");
              const ProcessMark own;
              if (own.inherited()) return std::string("its own is");
              return RunInChild([&] {
                return mark.inherited() && own.inherited() ? "" : "grandchild";
              });
            }),
            "");
  EXPECT_FALSE(mark.inherited());
}

TEST(ProcessMarkTest, TheErrorSaysWhatToDo) {
  const absl::Status error = InheritedError("client");
  EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(error.message()),
              HasSubstr("this client was made before fork"));
  EXPECT_THAT(std::string(error.message()), HasSubstr("create a new one"));
}

TEST(ProcessMarkTest, WhatAProcessOwnsIsDestroyedThereAlone) {
  struct Noting {
    explicit Noting(int* destroyed) : destroyed(destroyed) {}
    ~Noting() { ++*destroyed; }
    int* const destroyed;
  };
  int destroyed = 0;
  OwnedByProcess<Noting> unique(new Noting(&destroyed));
  std::shared_ptr<Noting> shared(new Noting(&destroyed),
                                 DeleteInOwnProcess<Noting>());
  EXPECT_EQ(RunInChild([&] {
              unique = nullptr;
              shared = nullptr;
              return std::to_string(destroyed);
            }),
            "0");
  unique = nullptr;
  shared = nullptr;
  EXPECT_EQ(destroyed, 2);
}

}  // namespace
}  // namespace gearman
