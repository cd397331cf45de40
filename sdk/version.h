// The SDK's version, by the rules of Semantic Versioning: CONTRIBUTING.md says
// what makes which number grow. The three numbers below are the only place
// where it is written by hand. `tools/check version` compares them with
// everything else that has to say it: MODULE.bazel, CHANGELOG.md, and gearctl's
// man page.
#ifndef GEARMAN_SDK_VERSION_H_
#define GEARMAN_SDK_VERSION_H_

#include "gearman/base/cpp17.h"
#include "gearman/base/string_view.h"

// The three numbers of the version.
#define GEARMAN_SDK_VERSION_MAJOR 0
#define GEARMAN_SDK_VERSION_MINOR 1
#define GEARMAN_SDK_VERSION_PATCH 0

// The text of what a macro stands for.
#define GEARMAN_INTERNAL_QUOTE(x) GEARMAN_INTERNAL_QUOTE2(x)
#define GEARMAN_INTERNAL_QUOTE2(x) #x

// "major.minor.patch", a literal.
#define GEARMAN_SDK_VERSION                          \
  GEARMAN_INTERNAL_DOTTED(GEARMAN_SDK_VERSION_MAJOR, \
                          GEARMAN_SDK_VERSION_MINOR, \
                          GEARMAN_SDK_VERSION_PATCH)
#define GEARMAN_INTERNAL_DOTTED(a, b, c) \
  GEARMAN_INTERNAL_QUOTE(a)              \
  "." GEARMAN_INTERNAL_QUOTE(b) "." GEARMAN_INTERNAL_QUOTE(c)

namespace gearman {

// The version as a text: GEARMAN_SDK_VERSION.
inline constexpr StringView kVersion = GEARMAN_SDK_VERSION;

}  // namespace gearman

#endif  // GEARMAN_SDK_VERSION_H_
