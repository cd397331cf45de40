// Fuzzes texts that users write on one line: addresses and ids of jobs. A text
// that is understood means the same when it is written and read again.
#include <cstdlib>

#include "gearman/sdk/job_id.h"
#include "gearman/tests/fuzz/fuzz_target.h"
#include "gearman/transports/address.h"

namespace gearman {
namespace fuzz {

std::vector<std::string> Seeds() {
  return {"tcp://jobs:4730",
          "[::1]:4730",
          "jobs",
          "inproc://a b",
          "tcp://jobs:4730/H:jobs:17?unique=a%20b",
          "H:jobs:17",
          "unix:///run/x.sock",
          "tls://10.0.0.1"};
}

}  // namespace fuzz
}  // namespace gearman

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gearman;  // NOLINT
  const absl::string_view text = fuzz::Text(data, size);
  const absl::StatusOr<Address> address = ParseAddress(text);
  if (address.ok()) {
    const absl::StatusOr<Address> again = ParseAddress(address->ToString());
    if (!again.ok() || !(*again == *address)) std::abort();
  }
  const absl::StatusOr<JobId> id = JobId::Parse(text);
  if (id.ok()) {
    const absl::StatusOr<JobId> again = JobId::Parse(id->ToString());
    if (!again.ok() || again->ToString() != id->ToString()) std::abort();
  }
  return 0;
}
