// Reads what a shared object (an ELF file) says of itself, and loads nothing.
// Memory and time are limited, whatever the file says. Thread-safe.
#ifndef GEARMAN_SDK_INTERNAL_SHARED_OBJECT_H_
#define GEARMAN_SDK_INTERNAL_SHARED_OBJECT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace gearman {
namespace internal {

// Returns the names of the libraries that the system loads with the file
// (DT_NEEDED), in their order. Names longer than 255 bytes are left out. The
// list is empty if the file can't be read or is no shared object of this kind
// of machine: dlopen then reports what is wrong.
std::vector<std::string> NeededLibraries(const std::string& path);

// Returns the names with this prefix that the file defines for others, in the
// file's order and without the prefix. The list is empty if the file can't be
// read, is no shared object of this kind of machine, or has no table of
// sections.
std::vector<std::string> DefinedNames(const std::string& path,
                                      absl::string_view prefix);

// Returns the path at which dlopen finds `name` for code that has the address
// `caller`. A name with a slash is a path already. Returns an empty string if
// no folder of the search path has the file. The linker's cache
// (/etc/ld.so.cache) is not asked: a library that only the cache knows is not
// found.
std::string FindLibrary(const std::string& name, const void* caller);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_SHARED_OBJECT_H_
