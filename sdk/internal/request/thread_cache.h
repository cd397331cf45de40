// ThreadCache keeps memory of one size that a thread gives up and takes again.
//
// It is made for the records of requests: a batch of them comes and goes at
// once. For that malloc cuts and joins blocks, which takes a tenth of a
// client's time with tiny jobs (docs/performance.md).
//
// A thread keeps at most kMaxBlocks blocks, until it ends. With
// AddressSanitizer it keeps none, so that a use after the end is seen.
#ifndef GEARMAN_SDK_INTERNAL_REQUEST_THREAD_CACHE_H_
#define GEARMAN_SDK_INTERNAL_REQUEST_THREAD_CACHE_H_

#include <cstddef>
#include <new>

#include "absl/base/config.h"

namespace gearman {
namespace internal {

template <size_t kSize>
class ThreadCache {
 public:
  static constexpr int kMaxBlocks = 1024;

  // Returns a block of kSize bytes, aligned as operator new aligns.
  static void* Take() {
    if (Block* const block = kept_.first) {
      kept_.first = block->next;
      --kept_.count;
      return block;
    }
    return ::operator new(kSize);
  }

  static void Give(void* memory) {
    if (kept_.count >= kept_.limit && !MayKeep()) {
      ::operator delete(memory);
      return;
    }
    kept_.first = new (memory) Block{kept_.first};
    ++kept_.count;
  }

 private:
  struct Block {
    Block* next;
  };
  static_assert(kSize >= sizeof(Block));

  // This struct has no destructor, because objects that end after the thread's other
  // objects may still give memory back.
  struct Kept {
    Block* first = nullptr;
    int count = 0;
    // Zero before the first block comes and after the thread's end.
    int limit = 0;
    bool ended = false;
  };
  // Frees the kept blocks at the thread's end.
  struct AtEnd {
    ~AtEnd() {
      kept_.limit = 0;
      kept_.ended = true;
      while (kept_.first != nullptr) ::operator delete(Take());
    }
  };

  static bool MayKeep() {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
    return false;
#else
    if (kept_.limit != 0 || kept_.ended) return false;
    static thread_local AtEnd at_end;
    static_cast<void>(at_end);
    kept_.limit = kMaxBlocks;
    return true;
#endif
  }

  static inline thread_local Kept kept_;
};

// For std::allocate_shared. Allocates one T at a time from a ThreadCache.
template <typename T>
struct ThreadCacheAllocator {
  using value_type = T;

  ThreadCacheAllocator() = default;
  template <typename U>
  explicit ThreadCacheAllocator(const ThreadCacheAllocator<U>&) {}

  T* allocate(size_t) {
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    return static_cast<T*>(ThreadCache<sizeof(T)>::Take());
  }
  void deallocate(T* memory, size_t) { ThreadCache<sizeof(T)>::Give(memory); }

  friend bool operator==(const ThreadCacheAllocator&,
                         const ThreadCacheAllocator&) {
    return true;
  }
  friend bool operator!=(const ThreadCacheAllocator&,
                         const ThreadCacheAllocator&) {
    return false;
  }
};

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_REQUEST_THREAD_CACHE_H_
