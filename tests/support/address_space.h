// Programs that run in little memory.
#ifndef GEARMAN_TESTS_SUPPORT_ADDRESS_SPACE_H_
#define GEARMAN_TESTS_SUPPORT_ADDRESS_SPACE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace gearman {
namespace support {

// Sanitizers reserve more address space than any limit would leave.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kAddressSpaceIsLimitable = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kAddressSpaceIsLimitable = false;
#else
inline constexpr bool kAddressSpaceIsLimitable = true;
#endif
#else
inline constexpr bool kAddressSpaceIsLimitable = true;
#endif

// The command line of `argv` with at most so many bytes of address space
// (RLIMIT_AS), for a Subprocess.
std::vector<std::string> InAddressSpace(size_t bytes,
                                        const std::vector<std::string>& argv);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_ADDRESS_SPACE_H_
