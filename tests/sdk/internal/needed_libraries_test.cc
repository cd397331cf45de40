#include "gearman/sdk/internal/needed_libraries.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/process/descriptor.h"
#include "gearman/tests/support/shared_object_bytes.h"
#include "gearman/tests/support/test_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

using support::SharedObjectBytes;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Reads a file of these bytes. The file is in memory, because a thousand files
// on a disk take seconds.
std::vector<std::string> NeededBy(const std::string& bytes) {
  const Descriptor file(memfd_create("library.so", MFD_CLOEXEC));
  EXPECT_EQ(write(file.get(), bytes.data(), bytes.size()),
            static_cast<ssize_t>(bytes.size()));
  return NeededLibraries(absl::StrCat("/proc/self/fd/", file.get()));
}

TEST(NeededLibrariesTest, AreThoseOfARealLibraryAndOfTheProgram) {
  // The linker has written both.
  EXPECT_THAT(NeededLibraries("tests/sdk/once_only_plugin.so"),
              Contains("libstdc++.so.6"));
  EXPECT_THAT(NeededLibraries("/proc/self/exe"), Contains("libc.so.6"));
}

TEST(NeededLibrariesTest, StandInTheirOrder) {
  EXPECT_THAT(NeededBy(SharedObjectBytes({"libb.so.2", "liba.so"})),
              ElementsAre("libb.so.2", "liba.so"));
  EXPECT_THAT(NeededBy(SharedObjectBytes({})), IsEmpty());
}

TEST(NeededLibrariesTest, ANameMayHave255Bytes) {
  const std::string longest(255, 'x');
  EXPECT_THAT(NeededBy(SharedObjectBytes({longest, longest + "x", "liba.so"})),
              ElementsAre(longest, "liba.so"));
}

TEST(NeededLibrariesTest, WhatIsNoSharedObjectNeedsNone) {
  const support::TestDirectory directory;
  EXPECT_THAT(NeededBy(""), IsEmpty());
  EXPECT_THAT(NeededBy("INPUT(liba.so)\n"), IsEmpty());
  EXPECT_THAT(NeededLibraries(""), IsEmpty());
  EXPECT_THAT(NeededLibraries(directory.path()), IsEmpty());
  EXPECT_THAT(NeededLibraries(directory.File("none.so")), IsEmpty());
  // Nobody writes into the pipe: the call must not wait for a writer.
  const std::string pipe = directory.File("pipe.so");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(NeededLibraries(pipe), IsEmpty());
}

TEST(NeededLibrariesTest, AreNotReadForAnotherKindOfMachine) {
  const std::string bytes = SharedObjectBytes({"liba.so"});
  for (const int place : {EI_CLASS, EI_DATA}) {
    std::string other = bytes;
    other[place] = other[place] == 1 ? 2 : 1;
    EXPECT_THAT(NeededBy(other), IsEmpty()) << place;
  }
}

TEST(NeededLibrariesTest, AFileThatIsCutOrChangedIsReadWithinItsBounds) {
  const std::string bytes = SharedObjectBytes({"liba.so", "libb.so"});
  for (size_t size = 0; size < bytes.size(); ++size) {
    for (const std::string& name : NeededBy(bytes.substr(0, size))) {
      EXPECT_TRUE(name == "liba.so" || name == "libb.so") << name;
    }
  }
  for (size_t place = 0; place < bytes.size(); ++place) {
    for (const char value : {'\x00', '\x7f', '\xff'}) {
      std::string changed = bytes;
      changed[place] = value;
      for (const std::string& name : NeededBy(changed)) {
        EXPECT_EQ(name.find('\0'), std::string::npos);
        EXPECT_LE(name.size(), bytes.size());
      }
    }
  }
}

TEST(NeededLibrariesTest, ManyEntriesAreReadToALimit) {
  // A list without an end, as long as the file.
  std::string bytes = SharedObjectBytes({"liba.so"});
  ElfW(Phdr) list;
  const size_t list_at = sizeof(ElfW(Ehdr)) + sizeof(list);
  std::memcpy(&list, &bytes[list_at], sizeof(list));
  ElfW(Dyn) entry;
  std::memcpy(&entry, &bytes[list.p_offset], sizeof(entry));
  const size_t names_at =
      bytes.size() - absl::string_view("liba.so").size() - 2;
  list.p_offset = bytes.size();
  list.p_filesz = 100000 * sizeof(entry);
  std::memcpy(&bytes[list_at], &list, sizeof(list));
  ElfW(Dyn) strings = {};
  strings.d_tag = DT_STRTAB;
  strings.d_un.d_ptr = names_at;
  bytes.append(reinterpret_cast<const char*>(&strings), sizeof(strings));
  for (int i = 1; i < 100000; ++i) {
    bytes.append(reinterpret_cast<const char*>(&entry), sizeof(entry));
  }
  EXPECT_THAT(NeededBy(bytes), SizeIs(65535));
}

TEST(FindLibraryTest, LooksWhereTheSystemDoes) {
  static const char here = 0;
  EXPECT_THAT(FindLibrary("libc.so.6", &here), EndsWith("/libc.so.6"));
  EXPECT_THAT(NeededLibraries(FindLibrary("libstdc++.so.6", &here)),
              Contains("libc.so.6"));
  EXPECT_EQ(FindLibrary("libno_such_library.so.1", &here), "");
  EXPECT_EQ(FindLibrary("./liba.so", &here), "./liba.so");
  EXPECT_EQ(FindLibrary("/no/such/liba.so", &here), "/no/such/liba.so");
}

}  // namespace
}  // namespace internal
}  // namespace gearman
