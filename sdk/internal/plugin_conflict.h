// RefusePluginConflict: finds out, before a plugin library is loaded, that it
// brings messages which the process has already.
//
// Protobuf takes each .proto file only once per process. Generated code hands
// its files over when a library is initialised, which is inside dlopen, and a
// second copy of a file makes Protobuf end the process there.
#ifndef GEARMAN_SDK_INTERNAL_PLUGIN_CONFLICT_H_
#define GEARMAN_SDK_INTERNAL_PLUGIN_CONFLICT_H_

#include <string>

#include "absl/status/status.h"

namespace gearman {
namespace internal {

// `library` is the name that dlopen gets. Returns FAILED_PRECONDITION if the
// library
// - needs a shared library of the SDK that the process has not loaded, which is
//   then a second copy of the SDK (linked into the program, or of another
//   version), or
// - has its own copy of a .proto file that the process has, and would not use
//   the process's copy in its place.
// Looks at the library's own file, not at other libraries that it needs. Finds
// nothing in a library that is loaded already, that hides its copies, or whose
// file FindLibrary (shared_object.h) does not find. Thread-safe.
absl::Status RefusePluginConflict(const std::string& library);

}  // namespace internal
}  // namespace gearman

#endif  // GEARMAN_SDK_INTERNAL_PLUGIN_CONFLICT_H_
