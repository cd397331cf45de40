// SharedObjectBytes: a small shared object, made by hand, that asks the system
// to load other libraries with it. It has no code and no symbols.
#ifndef GEARMAN_TESTS_SUPPORT_SHARED_OBJECT_BYTES_H_
#define GEARMAN_TESTS_SUPPORT_SHARED_OBJECT_BYTES_H_

#include <string>
#include <vector>

namespace gearman {
namespace support {

// `needed` are the names in its list of needed libraries (DT_NEEDED). It is for
// the kind of machine that the test runs on.
std::string SharedObjectBytes(const std::vector<std::string>& needed);

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_SHARED_OBJECT_BYTES_H_
