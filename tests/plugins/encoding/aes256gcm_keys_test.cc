#include "gearman/plugins/encoding/aes256gcm_keys.h"

#include <sys/stat.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using ::testing::HasSubstr;

constexpr char kZeros[] =
    "0000000000000000000000000000000000000000000000000000000000000000";
constexpr char kCount[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

std::string Error(const std::string& text) {
  return std::string(ParseAes256GcmKeys(text).status().message());
}

TEST(Aes256GcmKeys, AreReadInTheirOrder) {
  const auto keys = ParseAes256GcmKeys(
      absl::StrCat("# the new one\r\n 2026-11:", kCount, " \r\n\n",
                   "old_1.a:", kZeros, ",b:", kZeros));
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 3);
  EXPECT_EQ((*keys)[0].id, "2026-11");
  for (size_t i = 0; i < kAes256KeyBytes; ++i) {
    EXPECT_EQ((*keys)[0].bytes[i], i);
  }
  EXPECT_EQ((*keys)[1].id, "old_1.a");
  EXPECT_EQ((*keys)[2].id, "b");
}

TEST(Aes256GcmKeys, AreCountedInErrors) {
  EXPECT_EQ(Error(""), "there is no key");
  EXPECT_EQ(Error("# nothing\n"), "there is no key");
  EXPECT_EQ(Error("a"), "key 1: there is no colon between an id and a key");
  EXPECT_THAT(Error(absl::StrCat("a:", kZeros, "\nb:00")),
              HasSubstr("key 2: the key \"b\" must have 64 hexadecimal"));
  EXPECT_EQ(Error(absl::StrCat("a:", kZeros, "\na:", kCount)),
            "key 2: the id \"a\" is taken");
  EXPECT_THAT(Error(absl::StrCat(":", kZeros)), HasSubstr("its id must have"));
  EXPECT_THAT(Error(absl::StrCat("a b:", kZeros)),
              HasSubstr("its id must have"));
  std::string many;
  for (int i = 0; i < 64; ++i) absl::StrAppend(&many, i, ":", kZeros, "\n");
  EXPECT_EQ(Error(many), "");
  EXPECT_EQ(Error(absl::StrCat(many, "more:", kZeros)),
            "key 65: at most 64 are allowed");
}

TEST(Aes256GcmKeys, AreInNoError) {
  const std::string odd = std::string(kCount).substr(1) + "g";
  for (const std::string& text :
       {std::string(kCount), absl::StrCat(kCount, ":a"),
        absl::StrCat("a:", odd), absl::StrCat("a:", kCount, kCount),
        absl::StrCat("a:", kCount, "\na:", kCount)}) {
    const std::string error = Error(text);
    EXPECT_NE(error, "");
    EXPECT_FALSE(absl::StrContains(error, "0405")) << error;
  }
}

TEST(Aes256GcmKeys, AreCheckedWhenAProgramMakesThem) {
  EXPECT_TRUE(absl::IsInvalidArgument(CheckAes256GcmKeys({})));
  std::vector<Aes256GcmKey> keys(2);
  keys[0].id = "a";
  keys[1].id = std::string(64, 'b');
  EXPECT_TRUE(absl::IsInvalidArgument(CheckAes256GcmKeys(keys)));
  keys[1].id = "a";
  EXPECT_TRUE(absl::IsInvalidArgument(CheckAes256GcmKeys(keys)));
  keys[1].id = "b";
  EXPECT_TRUE(CheckAes256GcmKeys(keys).ok());
}

TEST(Aes256GcmKeys, ComeFromAFile) {
  const support::TestDirectory directory;
  const std::string path =
      directory.Write("keys", absl::StrCat("a:", kCount, "\n"));
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  const auto keys = ReadAes256GcmKeys(path);
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->front().bytes[31], 31);
}

TEST(Aes256GcmKeys, AreRefusedFromAFileThatEverybodyMayRead) {
  const support::TestDirectory directory;
  const std::string path = directory.Write("keys", absl::StrCat("a:", kCount));
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  const absl::Status status = ReadAes256GcmKeys(path).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_EQ(status.message(),
            absl::StrCat("keys in \"", path,
                         "\": everybody may read it; take that right away "
                         "(chmod o-rwx)"));
}

TEST(Aes256GcmKeys, NameTheFileThatHasNone) {
  const support::TestDirectory directory;
  const absl::Status missing =
      ReadAes256GcmKeys(directory.File("none")).status();
  EXPECT_TRUE(absl::IsNotFound(missing));
  EXPECT_THAT(std::string(missing.message()), HasSubstr(directory.path()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(ReadAes256GcmKeys(directory.path()).status()));
  const std::string large =
      directory.Write("large", "a:" + std::string(65537, '0'));
  ASSERT_EQ(chmod(large.c_str(), 0600), 0);
  EXPECT_THAT(std::string(ReadAes256GcmKeys(large).status().message()),
              HasSubstr("more than 65536 bytes"));
}

TEST(Aes256GcmKeys, ComeFromTheEnvironment) {
  const std::string variable = "GEARMAN_TEST_KEYS";
  unsetenv(variable.c_str());
  EXPECT_EQ(Aes256GcmKeysFromEnvironment(variable).status(),
            absl::NotFoundError("keys in the environment variable "
                                "GEARMAN_TEST_KEYS: it is not set"));
  setenv(variable.c_str(), absl::StrCat("a:", kCount, ",b:", kZeros).c_str(),
         1);
  const auto keys = Aes256GcmKeysFromEnvironment(variable);
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->size(), 2);
  setenv(variable.c_str(), "x", 1);
  EXPECT_TRUE(
      absl::IsInvalidArgument(Aes256GcmKeysFromEnvironment(variable).status()));
  unsetenv(variable.c_str());
}

// The destructor is called by hand, so that the memory is still there.
TEST(Aes256GcmKeys, AreOverwrittenAtTheirEnd) {
  alignas(Aes256GcmKey) unsigned char memory[sizeof(Aes256GcmKey)];
  auto* const key = new (memory) Aes256GcmKey;
  key->bytes.fill(0x5a);
  const volatile unsigned char* const bytes = key->bytes.data();
  EXPECT_EQ(bytes[7], 0x5a);
  key->~Aes256GcmKey();
  for (size_t i = 0; i < kAes256KeyBytes; ++i) EXPECT_NE(bytes[i], 0x5a);
}

}  // namespace
}  // namespace gearman
