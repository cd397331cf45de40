#include "gearman/tests/support/failing_new.h"

#include <cstdlib>
#include <new>

namespace {

// 0: none fails; else the allocations up to the one that does.
thread_local uint64_t allocations_left = 0;

void* Allocate(size_t size) noexcept {
  if (allocations_left > 0 && --allocations_left == 0) return nullptr;
  return std::malloc(size == 0 ? 1 : size);
}

void* AllocateOrThrow(size_t size) {
  void* const memory = Allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return AllocateOrThrow(size); }
void* operator new[](size_t size) { return AllocateOrThrow(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return Allocate(size);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return Allocate(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}

namespace gearman {
namespace support {

FailingNew::FailingNew(uint64_t number) { allocations_left = number; }
FailingNew::~FailingNew() { allocations_left = 0; }
bool FailingNew::failed() const { return allocations_left == 0; }

}  // namespace support
}  // namespace gearman
