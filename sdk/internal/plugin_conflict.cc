#include "gearman/sdk/internal/plugin_conflict.h"

#include <dlfcn.h>

#include <cstdint>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gearman/sdk/internal/shared_object.h"
#include "google/protobuf/descriptor.h"

namespace gearman {
namespace internal {
namespace {

// The shared library of the SDK is named by this and its version.
constexpr absl::string_view kSharedSdk = "libgearman_sdk.so";
// Generated code has one variable for each .proto file, named by this and the
// file.
constexpr absl::string_view kDescriptorTable = "descriptor_table_";

// An address in the program or library that has this copy of the SDK.
const char kHere = 0;

bool IsLoaded(const std::string& library) {
  void* const handle = dlopen(library.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return false;
  dlclose(handle);
  return true;
}

// The name of the .proto file behind the name of its variable, in which each
// byte that is no letter and no digit stands as "_2f".
std::string ProtoFile(absl::string_view variable) {
  std::string file;
  for (size_t i = 0; i < variable.size(); ++i) {
    const absl::string_view digits = variable.substr(i + 1, 2);
    uint32_t byte = 0;
    if (variable[i] == '_' && digits.size() == 2 &&
        absl::ascii_isxdigit(static_cast<unsigned char>(digits[0])) &&
        absl::ascii_isxdigit(static_cast<unsigned char>(digits[1])) &&
        absl::SimpleHexAtoi(digits, &byte)) {
      file += static_cast<char>(byte);
      i += 2;
    } else {
      file += variable[i];
    }
  }
  return file;
}

// Returns an error if the file needs a shared library of the SDK that the
// process has not loaded.
absl::Status RefuseAnotherSdk(const std::string& path) {
  for (const std::string& needed : NeededLibraries(path)) {
    if (!absl::StartsWith(needed, kSharedSdk) || IsLoaded(needed)) continue;
    Dl_info own;
    const bool is_known = dladdr(&kHere, &own) != 0 && own.dli_fname != nullptr;
    return absl::FailedPreconditionError(absl::StrCat(
        "it needs ", needed,
        ", which would be a second copy of the SDK: this program has the SDK "
        "in ",
        is_known ? own.dli_fname : "another file",
        "; link both with the static SDK, or both with the same shared one"));
  }
  return absl::OkStatus();
}

// Returns an error if the file has a copy of a .proto file of the process, and
// would not use the process's.
absl::Status RefuseCopiedProtos(const std::string& path) {
  // The names of the program and of its libraries. A library that is loaded
  // uses these, and not its own of the same name.
  void* const shown = dlopen(nullptr, RTLD_LAZY);
  const auto close_shown = absl::MakeCleanup([shown] {
    if (shown != nullptr) dlclose(shown);
  });
  for (const std::string& variable : DefinedNames(path, kDescriptorTable)) {
    const std::string file = ProtoFile(variable);
    if (google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
            file) == nullptr ||
        (shown != nullptr &&
         dlsym(shown, absl::StrCat(kDescriptorTable, variable).c_str()) !=
             nullptr)) {
      continue;
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "it has a copy of ", file,
        ", which this process has already, and Protobuf takes each file only "
        "once; if the plugin is linked into the program, leave the library "
        "out, or else link both with a shared library that has the file"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RefusePluginConflict(const std::string& library) {
  const std::string path = FindLibrary(library, &kHere);
  absl::Status conflict = RefuseAnotherSdk(path);
  conflict.Update(RefuseCopiedProtos(path));
  // A library that is loaded, perhaps by another thread meanwhile, finds itself
  // in the process.
  if (!conflict.ok() && IsLoaded(library)) return absl::OkStatus();
  return conflict;
}

}  // namespace internal
}  // namespace gearman
