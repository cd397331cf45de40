// Counts the resources of this process, to show that nothing is left behind.
#ifndef GEARMAN_TESTS_SUPPORT_PROCESS_COUNTS_H_
#define GEARMAN_TESTS_SUPPORT_PROCESS_COUNTS_H_

namespace gearman {
namespace support {

// One that has been joined may be counted for a moment: see wait_for.h.
int ThreadCount();
int DescriptorCount();

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_PROCESS_COUNTS_H_
