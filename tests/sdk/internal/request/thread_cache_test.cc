#include "gearman/sdk/internal/request/thread_cache.h"

#include <memory>
#include <set>
#include <thread>  // NOLINT: Abseil has no thread
#include <vector>

#include "absl/base/config.h"
#include "gtest/gtest.h"

namespace gearman {
namespace internal {
namespace {

// A size of each test's own: caches are of the whole process.
template <size_t kSize>
std::vector<void*> TakeMany(size_t count) {
  std::vector<void*> blocks;
  for (size_t i = 0; i < count; ++i) {
    blocks.push_back(ThreadCache<kSize>::Take());
  }
  return blocks;
}

template <size_t kSize>
void GiveAll(const std::vector<void*>& blocks) {
  for (void* const block : blocks) ThreadCache<kSize>::Give(block);
}

TEST(ThreadCacheTest, ABatchGetsTheMemoryOfTheOneBefore) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  GTEST_SKIP() << "nothing is kept, so that a use after the end is seen";
#endif
  const std::vector<void*> first = TakeMany<1001>(100);
  GiveAll<1001>(first);
  const std::vector<void*> second = TakeMany<1001>(100);
  EXPECT_EQ(std::set<void*>(second.begin(), second.end()),
            std::set<void*>(first.begin(), first.end()));
  GiveAll<1001>(second);
}

TEST(ThreadCacheTest, BlocksInUseAreDistinct) {
  GiveAll<1002>(TakeMany<1002>(10));
  const std::vector<void*> blocks = TakeMany<1002>(20);
  EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), 20u);
  GiveAll<1002>(blocks);
}

// Leaks are the sanitizer's to tell.
TEST(ThreadCacheTest, MoreThanItKeepsAreFreed) {
  GiveAll<1003>(TakeMany<1003>(3 * ThreadCache<1003>::kMaxBlocks));
}

TEST(ThreadCacheTest, AThreadMayGiveBackWhatAnotherTook) {
  const std::vector<void*> blocks = TakeMany<1004>(100);
  std::thread other([&blocks] { GiveAll<1004>(blocks); });
  other.join();
  GiveAll<1004>(TakeMany<1004>(100));
}

// Objects of the thread that end after its cache.
TEST(ThreadCacheTest, AThreadMayGiveBackAtItsEnd) {
  struct AtEnd {
    std::vector<void*> blocks;
    ~AtEnd() { GiveAll<1005>(blocks); }
  };
  std::thread other([] {
    static thread_local AtEnd at_end;
    at_end.blocks = TakeMany<1005>(10);
    GiveAll<1005>(TakeMany<1005>(10));
  });
  other.join();
}

TEST(ThreadCacheTest, ServesSharedPointers) {
  struct Record {
    char bytes[1006] = {};
  };
  auto record = std::allocate_shared<Record>(ThreadCacheAllocator<Record>());
  const std::weak_ptr<Record> weak = record;
  record = nullptr;
  EXPECT_TRUE(weak.expired());
}

}  // namespace
}  // namespace internal
}  // namespace gearman
