// NeededLibraries: the libraries that a shared object asks the system to load
// with it. Reads the file, and loads nothing. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_NEEDED_LIBRARIES_H_
#define GEARMAN_SDK_INTERNAL_NEEDED_LIBRARIES_H_

#include <string>
#include <vector>

namespace gearman {
namespace internal {

// Returns the names in the file's own list (DT_NEEDED), in their order. The
// list is empty if the file can't be read or is no shared object of this kind
// of machine: dlopen then reports what is wrong. Names longer than 255 bytes
// are left out. Memory and time are limited, whatever the file says.
std::vector<std::string> NeededLibraries(const std::string& path);

// Returns the path at which dlopen finds `name` for code that has the address
// `caller`. A name with a slash is a path already. Returns an empty string if
// no folder of the search path has the file. The linker's cache
// (/etc/ld.so.cache) is not asked: a library that only the cache knows is not
// found.
std::string FindLibrary(const std::string& name, const void* caller);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_NEEDED_LIBRARIES_H_
