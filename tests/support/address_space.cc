#include "gearman/tests/support/address_space.h"

#include "absl/strings/str_cat.h"

namespace gearman {
namespace support {

std::vector<std::string> InAddressSpace(size_t bytes,
                                        const std::vector<std::string>& argv) {
  std::vector<std::string> limited = {
      "/bin/sh", "-c",
      absl::StrCat("ulimit -v ", bytes / 1024, " && exec \"$0\" \"$@\"")};
  limited.insert(limited.end(), argv.begin(), argv.end());
  return limited;
}

}  // namespace support
}  // namespace gearman
