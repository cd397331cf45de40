// A fuzz target: one file that defines both functions. Linked with libFuzzer
// it is a program that searches (bazel run --config=fuzz //tests/fuzz:NAME),
// linked with replay_test.cc a test that plays its seeds and changes of them.
#ifndef GEARMAN_TESTS_FUZZ_FUZZ_TARGET_H_
#define GEARMAN_TESTS_FUZZ_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Must survive any bytes, and check what has to hold for them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// Ends the program when what has to hold does not, whatever the build.
#define GEARMAN_FUZZ_CHECK(condition)                                       \
  do {                                                                      \
    if (!(condition)) {                                                     \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, \
                   #condition);                                             \
      std::abort();                                                         \
    }                                                                       \
  } while (false)

namespace gearman {
namespace fuzz {

// Inputs to begin with.
std::vector<std::string> Seeds();

inline absl::string_view Text(const uint8_t* data, size_t size) {
  return absl::string_view(reinterpret_cast<const char*>(data), size);
}

}  // namespace fuzz
}  // namespace gearman

#endif  // GEARMAN_TESTS_FUZZ_FUZZ_TARGET_H_
