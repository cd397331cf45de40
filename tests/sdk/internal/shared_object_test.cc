#include "gearman/sdk/internal/shared_object.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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

// A file of these bytes. The file is in memory, because a thousand files on a
// disk take seconds.
class FileInMemory {
 public:
  explicit FileInMemory(const std::string& bytes)
      : descriptor_(memfd_create("library.so", MFD_CLOEXEC)) {
    EXPECT_EQ(write(descriptor_.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
  std::string path() const {
    return absl::StrCat("/proc/self/fd/", descriptor_.get());
  }

 private:
  const Descriptor descriptor_;
};

std::vector<std::string> NeededBy(const std::string& bytes) {
  return NeededLibraries(FileInMemory(bytes).path());
}

std::vector<std::string> DefinedBy(const std::string& bytes) {
  return DefinedNames(FileInMemory(bytes).path(), "acme_");
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

TEST(DefinedNamesTest, AreThoseOfARealLibraryAndOfNoOther) {
  const std::string library = "tests/sdk/once_only_plugin.so";
  EXPECT_THAT(DefinedNames(library, "gearman_register_"),
              ElementsAre("plugins"));
  // The library uses this name of another one.
  EXPECT_THAT(DefinedNames(library, "sched_yield"), IsEmpty());
}

TEST(DefinedNamesTest, AreThoseWithThePrefix) {
  EXPECT_THAT(DefinedBy(SharedObjectBytes(
                  {"acme_needed"}, {"acme_a", "other", "acme_b", "acme_"})),
              ElementsAre("a", "b", ""));
  EXPECT_THAT(DefinedBy(SharedObjectBytes({}, {})), IsEmpty());
}

TEST(SharedObjectTest, OtherFilesHaveNothing) {
  const support::TestDirectory directory;
  // Nobody writes into the pipe: the call must not wait for a writer.
  const std::string pipe = directory.File("pipe.so");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path :
       {std::string(), directory.path(), directory.File("none.so"), pipe,
        directory.Write("empty.so", ""),
        directory.Write("script.so", "INPUT(liba.so)\n")}) {
    EXPECT_THAT(NeededLibraries(path), IsEmpty()) << path;
    EXPECT_THAT(DefinedNames(path, ""), IsEmpty()) << path;
  }
}

TEST(SharedObjectTest, IsNotReadForAnotherKindOfMachine) {
  const std::string bytes = SharedObjectBytes({"liba.so"}, {"acme_a"});
  for (const int place : {EI_CLASS, EI_DATA}) {
    std::string other = bytes;
    other[place] = other[place] == 1 ? 2 : 1;
    EXPECT_THAT(NeededBy(other), IsEmpty()) << place;
    EXPECT_THAT(DefinedBy(other), IsEmpty()) << place;
  }
}

TEST(SharedObjectTest, ACutFileHasWhatIsWholeInIt) {
  const std::string bytes =
      SharedObjectBytes({"liba.so", "libb.so"}, {"acme_a"});
  for (size_t size = 0; size < bytes.size(); ++size) {
    for (const std::string& name : NeededBy(bytes.substr(0, size))) {
      EXPECT_TRUE(name == "liba.so" || name == "libb.so") << name;
    }
    EXPECT_THAT(DefinedBy(bytes.substr(0, size)), IsEmpty());
  }
}

TEST(SharedObjectTest, AChangedFileIsReadWithinItsBounds) {
  const std::string bytes =
      SharedObjectBytes({"liba.so", "libb.so"}, {"acme_a", "acme_b"});
  for (size_t place = 0; place < bytes.size(); ++place) {
    for (const char value : {'\x00', '\x7f', '\xff'}) {
      std::string changed = bytes;
      changed[place] = value;
      const FileInMemory file(changed);
      std::vector<std::string> names = NeededLibraries(file.path());
      for (std::string& name : DefinedNames(file.path(), "")) {
        names.push_back(std::move(name));
      }
      for (const std::string& name : names) {
        EXPECT_EQ(name.find('\0'), std::string::npos);
        EXPECT_LE(name.size(), bytes.size());
      }
    }
  }
}

TEST(SharedObjectTest, AListWithoutAnEndIsReadToItsLimit) {
  // Two lists at the end of the file, as long as the limit and one longer.
  for (const size_t length : {65536, 65537}) {
    std::string bytes = SharedObjectBytes({"liba.so"});
    ElfW(Phdr) list;
    const size_t list_at = sizeof(ElfW(Ehdr)) + sizeof(list);
    std::memcpy(&list, &bytes[list_at], sizeof(list));
    ElfW(Dyn) entry;
    std::memcpy(&entry, &bytes[list.p_offset], sizeof(entry));
    ElfW(Dyn) strings = {};
    strings.d_tag = DT_STRTAB;
    // The names are an empty one and that of the library.
    strings.d_un.d_ptr = bytes.size() - sizeof("liba.so") - 1;
    list.p_offset = bytes.size();
    list.p_filesz = length * sizeof(entry);
    std::memcpy(&bytes[list_at], &list, sizeof(list));
    bytes.append(reinterpret_cast<const char*>(&strings), sizeof(strings));
    for (size_t i = 1; i < length; ++i) {
      bytes.append(reinterpret_cast<const char*>(&entry), sizeof(entry));
    }
    EXPECT_THAT(NeededBy(bytes), SizeIs(length == 65536 ? 65535 : 0));
  }
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
