// Lets the n-th allocation of the calling thread fail, as if there were no
// memory. A program that links this has an operator new that can throw.
#ifndef GEARMAN_TESTS_SUPPORT_FAILING_NEW_H_
#define GEARMAN_TESTS_SUPPORT_FAILING_NEW_H_

#include <cstddef>
#include <cstdint>

namespace gearman {
namespace support {

// From now on, and as long as it lives, the allocation number `number` (from 1)
// of this thread fails, and only that one. One at a time for each thread.
class FailingNew {
 public:
  explicit FailingNew(uint64_t number);
  ~FailingNew();
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;

  // Whether the allocation has failed.
  bool failed() const;
};

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_FAILING_NEW_H_
