#include <cstdio>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "gearman/benchmarks/compare/side.h"

namespace gearman {
namespace benchmarks {

void Fail(absl::string_view why) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(why.size()), why.data());
  std::abort();
}

}  // namespace benchmarks
}  // namespace gearman
