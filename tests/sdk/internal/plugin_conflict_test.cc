// The example custom_retry_plugin and tests/packaging load and refuse plugins
// with real messages.
#include "gearman/sdk/internal/plugin_conflict.h"

#include <dlfcn.h>

#include <string>

#include "absl/status/status.h"
#include "gearman/sdk/config.pb.h"
#include "gearman/tests/support/shared_object_bytes.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using support::SharedObjectBytes;
using ::testing::StartsWith;

// The variables of generated code for a .proto file that only this program has,
// for one that a shared library of the process has, too, and for one that the
// process does not have.
constexpr char kOwn[] = "descriptor_table_gearman_2fsdk_2fconfig_2eproto";
constexpr char kShared[] = "descriptor_table_google_2fprotobuf_2fany_2eproto";
constexpr char kUnknown[] = "descriptor_table_acme_2funknown_2eproto";

class PluginConflictTest : public ::testing::Test {
 protected:
  absl::Status Check(const std::string& bytes) {
    return RefusePluginConflict(directory_.Write("libplugin.so", bytes));
  }

  support::TestDirectory directory_;
};

TEST_F(PluginConflictTest, IsACopyOfAProtoFileOfTheProcess) {
  // The program has the file because it uses a message of it.
  ASSERT_EQ(config::GearmanConfig::descriptor()->file()->name(),
            "gearman/sdk/config.proto");
  const absl::Status status =
      Check(SharedObjectBytes({}, {kUnknown, kShared, kOwn}));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              StartsWith("it has a copy of gearman/sdk/config.proto, "
                         "which this process has already"));
}

TEST_F(PluginConflictTest, IsNoneForAProtoFileThatTheProcessLacksOrShares) {
  EXPECT_TRUE(Check(SharedObjectBytes({}, {})).ok());
  EXPECT_TRUE(Check(SharedObjectBytes({}, {kUnknown})).ok());
  // The library would use the process's copy.
  EXPECT_TRUE(Check(SharedObjectBytes({}, {kShared})).ok());
}

TEST_F(PluginConflictTest, IsAnotherCopyOfTheSdk) {
  EXPECT_TRUE(
      Check(SharedObjectBytes({"libstdc++.so.6", "libno_such.so"})).ok());
  const absl::Status status =
      Check(SharedObjectBytes({"libstdc++.so.6", "libgearman_sdk.so.0.99"}));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(status.message()),
      StartsWith("it needs libgearman_sdk.so.0.99, which would be a "
                 "second copy of the SDK: this program has the SDK in "));
}

TEST_F(PluginConflictTest, IsNoneInALibraryThatIsLoaded) {
  const std::string library = "./tests/sdk/internal/copied_proto.so";
  EXPECT_EQ(RefusePluginConflict(library).code(),
            absl::StatusCode::kFailedPrecondition);
  // The library's own file is then the one that the process has.
  ASSERT_NE(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL), nullptr);
  EXPECT_TRUE(RefusePluginConflict(library).ok());
}

TEST_F(PluginConflictTest, IsNoneInAFileThatIsNotFound) {
  EXPECT_TRUE(RefusePluginConflict("libno_such_library.so.1").ok());
  EXPECT_TRUE(RefusePluginConflict(directory_.File("none.so")).ok());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
