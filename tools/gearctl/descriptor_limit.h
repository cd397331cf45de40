// The limit of open files.
#ifndef GEARMAN_TOOLS_GEARCTL_DESCRIPTOR_LIMIT_H_
#define GEARMAN_TOOLS_GEARCTL_DESCRIPTOR_LIMIT_H_

#include <cstdint>

namespace gearman {
namespace gearctl {

// Raises this process's soft limit of open files to `needed`, if it is lower,
// but not above the hard limit. Programs that this process starts inherit the
// limit, so ask for no more than is needed.
void RaiseDescriptorLimit(uint64_t needed);

}  // namespace gearctl
}  // namespace gearman

#endif  // GEARMAN_TOOLS_GEARCTL_DESCRIPTOR_LIMIT_H_
