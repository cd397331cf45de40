#include "gearman/tools/gearctl/program.h"

#include <sys/stat.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace gearctl {
namespace {

using ::testing::HasSubstr;

class ProgramTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& content, mode_t mode = 0700) {
    const std::string path = directory_.Write("program", content);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  void ExpectRefused(const std::string& name, absl::string_view text) {
    const absl::Status status = CheckProgram(name);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(text)));
  }

  const support::TestDirectory directory_;
};

TEST_F(ProgramTest, ProgramsAndScriptsAreFine) {
  EXPECT_TRUE(CheckProgram("sh").ok());
  EXPECT_TRUE(CheckProgram("/bin/sh").ok());
  EXPECT_TRUE(CheckProgram(Write("#!/bin/sh\n")).ok());
  EXPECT_TRUE(CheckProgram(Write("#! /bin/sh -e\necho\n")).ok());
  EXPECT_TRUE(CheckProgram(Write("echo\n")).ok());  // the shell's
}

TEST_F(ProgramTest, OneThatIsNotThereIsNotFound) {
  for (const std::string& name :
       {std::string("no-such-program"), directory_.File("none")}) {
    const absl::Status status = CheckProgram(name);
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
}

TEST_F(ProgramTest, WhatCantBeExecutedIsRefusedWithTheReason) {
  ExpectRefused("", "empty");
  ExpectRefused(directory_.path(), "is a directory");
  ExpectRefused(Write("#!/bin/sh\n", 0600), "chmod +x");
  ExpectRefused(Write(""), "is an empty file");
  ExpectRefused(Write("#!/no/such/interpreter\n"), "\"/no/such/interpreter\"");
  ExpectRefused(Write("#!\n"), "names no interpreter");
  ExpectRefused(Write("#!" + directory_.path() + "\n"), "which can't be");
  ExpectRefused("/dev/null", "can't be executed");
}

}  // namespace
}  // namespace gearctl
}  // namespace gearman
