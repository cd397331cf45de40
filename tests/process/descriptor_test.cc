#include "gearman/process/descriptor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gearman/tests/support/forked_child.h"
#include "gtest/gtest.h"

namespace gearman {
namespace {

using support::RunInChild;

int MakeDescriptor() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(DescriptorTest, ClosesWhatItHolds) {
  const int fd = MakeDescriptor();
  {
    const Descriptor descriptor(fd);
    EXPECT_EQ(descriptor.get(), fd);
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
  EXPECT_FALSE(Descriptor().is_open());
  EXPECT_FALSE(Descriptor(-1).is_open());
}

TEST(DescriptorTest, MovesWhatItHolds) {
  const int first = MakeDescriptor();
  const int second = MakeDescriptor();
  Descriptor a(first);
  Descriptor b(second);
  a = std::move(b);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_EQ(a.get(), second);
  EXPECT_FALSE(b.is_open());
  const Descriptor c(std::move(a));
  EXPECT_EQ(c.get(), second);
}

TEST(DescriptorTest, AChildHasNoneAndClosesNoneOfItsOwn) {
  Descriptor descriptor(MakeDescriptor());
  const int fd = descriptor.get();
  EXPECT_EQ(RunInChild([&]() -> std::string {
              if (descriptor.is_open()) return "it is open";
              if (IsOpen(fd)) return "its number is open";
              // The child's own has the number now.
              const int own = MakeDescriptor();
              if (own != fd) return absl::StrCat("another number: ", own);
              descriptor.Close();
              return IsOpen(own) ? "" : "closed a stranger";
            }),
            "");
  EXPECT_TRUE(IsOpen(fd));
}

TEST(DescriptorTest, APeerSeesTheEndThoughAChildLives) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Descriptor ours(ends[0]);
  const Descriptor peer(ends[1]);
  int gate[2];
  ASSERT_EQ(pipe2(gate, O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(gate[1]);
    char byte;
    static_cast<void>(!read(gate[0], &byte, 1));
    _exit(0);
  }
  ASSERT_GT(pid, 0);
  ours.Close();
  char byte;
  EXPECT_EQ(read(peer.get(), &byte, 1), 0);
  close(gate[0]);
  close(gate[1]);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

}  // namespace
}  // namespace gearman
