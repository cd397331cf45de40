// SharedObjectBytes: a small shared object, made by hand. It has no code. It
// asks the system to load other libraries with it, and defines names.
#ifndef GEARMAN_TESTS_SUPPORT_SHARED_OBJECT_BYTES_H_
#define GEARMAN_TESTS_SUPPORT_SHARED_OBJECT_BYTES_H_

#include <string>
#include <vector>

namespace gearman {
namespace support {

// `needed` are the names in its list of needed libraries (DT_NEEDED), and
// `defined` the names in its table of symbols. It is for the kind of machine
// that the test runs on.
std::string SharedObjectBytes(const std::vector<std::string>& needed,
                              const std::vector<std::string>& defined = {});

}  // namespace support
}  // namespace gearman

#endif  // GEARMAN_TESTS_SUPPORT_SHARED_OBJECT_BYTES_H_
